//! The server: listeners, certificates, limits, orderly shutdown.
//!
//! | file | rule |
//! |---|---|
//! | `settings`, `network` | listeners, their policies, limits |
//! | `listen`, `accept`, `slots` | ports; the accept loop; how many connections there may be |
//! | `handed_over` | ports that the service manager bound |
//! | `admission`, `proxy` | which connections become clients; the PROXY protocol of load balancers |
//! | `tls` | the TLS configurations; **client authorities and revocation lists are read again here** |
//! | `certificates`, `abilities`, `pem` | the server's own certificates, and which one a client gets |
//! | `expiry` | when the server's own certificates expire, as reports say it |
//! | `renewal` | **the server's own certificates are read again here**; warnings before they expire |
//! | `client_trust` | which client certificates are valid |
//! | `inspection` | what `restante check` reports about certificates |
//! | `memory` | how much free memory the process keeps |
//! | `privileges` | the user of the process, and its limit of open files |

mod abilities;
mod accept;
mod admission;
mod certificates;
mod client_trust;
mod expiry;
mod handed_over;
mod inspection;
mod listen;
mod memory;
mod network;
mod pem;
mod privileges;
mod proxy;
mod renewal;
mod settings;
mod slots;
mod tls;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

pub use certificates::{Certificates, FileFault};
pub use client_trust::ClientTrust;
pub use handed_over::HandedOverSockets;
pub use inspection::{FileFinding, authorities_of, inspect_authorities};
pub use memory::keep_free_memory;
pub use network::AllowedNetwork;
pub use privileges::{become_user, is_root, is_user, raise_descriptor_limit};
pub use proxy::{ProxyCertificates, ProxyProtocol, ProxyTls};
pub use settings::{
    ClientCertificate, ConnectionLimits, Listener, LoginWithoutTls, NameAndPassword, Settings, TlsMode,
};
pub use tls::TlsPolicies;

use self::accept::keep_accepting;
use self::listen::BoundPort;
use self::slots::ConnectionSlots;
use crate::connection::{self, Service};
use crate::tasks::Tasks;

/// Bound ports that are not served yet.
pub struct Server {
    ports: Vec<BoundPort>,
    tls: Option<Arc<TlsPolicies>>,
    limits: ConnectionLimits,
}

impl Server {
    /// Takes the socket of every listener's address that was handed over, and binds the other addresses. No runtime is
    /// needed, so that privileges can be dropped before one is built.
    ///
    /// # Errors
    /// A sentence for each address that cannot be bound, and for each socket that no listener has; or TLS cannot be set
    /// up.
    pub fn bind(settings: &Settings, mut handed_over: HandedOverSockets) -> Result<Self, Vec<String>> {
        let tls = settings.tls().transpose().map_err(|fault| vec![fault])?.map(Arc::new);
        let bind = |listener: &Listener| BoundPort::bind(listener, handed_over.take_at(listener.address), tls.clone());
        let (ports, faults): (Vec<_>, Vec<_>) = settings.listeners.iter().map(bind).partition(Result::is_ok);
        let mut faults: Vec<String> = faults.into_iter().filter_map(Result::err).collect();
        faults.extend(handed_over.left_over());
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(Self { ports: ports.into_iter().filter_map(Result::ok).collect(), tls, limits: settings.limits })
    }

    /// Where it listens, in the order of the settings; a port 0 has become a real one.
    #[must_use]
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.ports.iter().filter_map(|port| port.socket.local_addr().ok()).collect()
    }

    /// Serves clients until `ending` completes; then accepts no more, lets sessions finish their current command, and
    /// closes those that take longer than the limit. Nothing is committed without a QUIT of the client.
    ///
    /// # Errors
    /// The runtime cannot register a listener, or a task of the server ended and cannot be restarted.
    pub async fn run(self, service: Arc<Service>, ending: impl Future<Output = ()>) -> std::io::Result<()> {
        let (drain, draining) = watch::channel(false);
        let (alive, mut all_gone) = mpsc::channel::<()>(1);
        let places = ConnectionSlots::new(self.limits);
        service.ledger.set_certificates(self.tls.as_ref().map(|tls| tls.own_certificates()).unwrap_or_default());
        let mut tasks = Tasks::default();
        for BoundPort { socket, policy } in self.ports {
            let listener = TcpListener::from_std(socket)?;
            tracing::info!(name: "listening", address = policy.name(), tls = policy.tls(), "listening");
            let (service, draining, alive) = (service.clone(), draining.clone(), alive.clone());
            let (repeats, ledger) = (service.repeats.clone(), service.ledger.clone());
            keep_accepting(&mut tasks, listener, policy, &places, repeats, ledger, move |client| {
                let alive = alive.clone();
                // Boxed: each enclosing future would reserve its space twice, and that is most of an idle session.
                let serving = Box::pin(connection::serve(client, service.clone(), draining.clone()));
                async move {
                    serving.await;
                    drop(alive);
                }
            });
        }
        drop(alive);
        if let Some(tls) = self.tls {
            let ledger = service.ledger.clone();
            tasks.keep_running("files of certificates", move || tls.clone().stay_current(ledger.clone()));
        }
        let failed = tokio::select! {
            () = ending => None,
            reason = tasks.failed() => Some(reason),
        };
        tasks.stop().await;
        service.ledger.begin_drain();
        tracing::info!(
            name: "shutting_down",
            "shutting down: no new connections are accepted, sessions finish their current command"
        );
        let _ = drain.send(true);
        if timeout(self.limits.shutdown, all_gone.recv()).await.is_err() {
            tracing::warn!(
                name: "sessions_closed_after_shutdown_limit",
                limit = ?self.limits.shutdown,
                "sessions still open after limits.shutdown are closed"
            );
        }
        failed.map_or(Ok(()), |reason| Err(std::io::Error::other(reason)))
    }
}

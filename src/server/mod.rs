//! The server: listeners, certificates, limits, orderly shutdown.
//!
//! | file | rule |
//! |---|---|
//! | `settings`, `network` | listeners, their policies, limits |
//! | `listen`, `accept`, `slots` | ports; the accept loop; how many connections there may be |
//! | `running`, `preparing`, `change` | the running server; other settings for it, prepared before anything changes |
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
mod change;
mod client_trust;
mod expiry;
mod handed_over;
mod inspection;
mod listen;
mod memory;
mod network;
mod pem;
mod preparing;
mod privileges;
mod proxy;
mod renewal;
mod running;
mod settings;
mod slots;
mod tls;

use std::net::SocketAddr;
use std::sync::Arc;

pub use certificates::{Certificates, FileFault};
pub use change::ServerChange;
pub use client_trust::ClientTrust;
pub use handed_over::HandedOverSockets;
pub use inspection::{FileFinding, authorities_of, inspect_authorities};
pub use listen::try_to_bind;
pub use memory::keep_free_memory;
pub use network::AllowedNetwork;
pub use privileges::{become_user, is_root, is_user, raise_descriptor_limit};
pub use proxy::{ProxyCertificates, ProxyProtocol, ProxyTls};
pub use running::RunningServer;
pub use settings::{
    ClientCertificate, ConnectionLimits, Listener, LoginWithoutTls, NameAndPassword, Settings, TlsMode,
};
pub use tls::TlsPolicies;

use self::listen::BoundPort;
use crate::connection::Service;
use crate::current::Current;

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
        let mut faults: Vec<String> = faults.into_iter().filter_map(Result::err).map(|(_, fault)| fault).collect();
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

    /// Begins to accept clients, and serves each by the service that is in force when it connects. Call it inside the runtime.
    ///
    /// # Errors
    /// The runtime cannot register a listener.
    pub fn start(self, service: Arc<Current<Service>>) -> std::io::Result<RunningServer> {
        RunningServer::start(self.ports, self.tls, self.limits, service)
    }
}

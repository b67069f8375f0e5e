//! The running server, whose ports, certificates and limits can be replaced while it serves.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::Poll;

use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use super::accept::keep_accepting;
use super::change::{ServerChange, TlsChange};
use super::listen::{BoundPort, PortPolicy};
use super::slots::ConnectionSlots;
use super::{ConnectionLimits, Listener, TlsPolicies};
use crate::connection::{self, Service};
use crate::current::Current;
use crate::tasks::Tasks;

/// A server that accepts clients. Dropped, it accepts no more.
pub struct RunningServer {
    pub(super) ports: Vec<RunningPort>,
    pub(super) tls: Option<RunningTls>,
    slots: ConnectionSlots,
    limits: ConnectionLimits,
    service: Arc<Current<Service>>,
    drain: watch::Sender<bool>,
    /// Each session has a clone of the sender, so that the receiver ends with the last one.
    alive: (mpsc::Sender<()>, mpsc::Receiver<()>),
}

/// A port on which clients are accepted.
pub(super) struct RunningPort {
    pub(super) listener: Listener,
    pub(super) policy: Arc<Current<PortPolicy>>,
    pub(super) is_handed_over: bool,
    /// The accept loop, which has the socket: it is closed when this has stopped.
    tasks: Tasks,
}

/// TLS, and the task that reads its files again.
pub(super) struct RunningTls {
    pub(super) policies: Arc<TlsPolicies>,
    tasks: Tasks,
}

impl RunningServer {
    pub(super) fn start(
        ports: Vec<BoundPort>,
        tls: Option<Arc<TlsPolicies>>,
        limits: ConnectionLimits,
        service: Arc<Current<Service>>,
    ) -> io::Result<Self> {
        let (slots, drain) = (ConnectionSlots::new(limits), watch::Sender::new(false));
        let mut server = Self { ports: Vec::new(), tls: None, slots, limits, service, drain, alive: mpsc::channel(1) };
        for port in ports {
            let port = port.registered()?;
            server.open(port);
        }
        server.begin_tls(tls);
        Ok(server)
    }

    /// Puts a prepared change in force, for connections accepted from now on. Sockets that stay are never closed meanwhile.
    pub async fn apply(&mut self, change: ServerChange) {
        let ServerChange { kept, added, tls, limits, .. } = change;
        self.limits = limits;
        self.slots.set_limits(limits);
        let mut before: Vec<Option<RunningPort>> = std::mem::take(&mut self.ports).into_iter().map(Some).collect();
        for (place, listener, policy) in kept {
            let Some(mut port) = before.get_mut(place).and_then(Option::take) else { continue };
            port.policy.replace(policy);
            port.listener = listener;
            self.ports.push(port);
        }
        for mut port in before.into_iter().flatten() {
            port.tasks.stop().await;
            tracing::info!(name: "listener_closed", address = port.policy.get().name(), "no longer listening");
        }
        for port in added {
            self.open(port);
        }
        if let TlsChange::Replaced(tls) = tls {
            if let Some(mut before) = self.tls.take() {
                before.tasks.stop().await;
            }
            self.begin_tls(tls);
        }
    }

    /// Accepts clients on a port.
    fn open(&mut self, port: BoundPort<TcpListener>) {
        let BoundPort { socket, policy, listener, is_handed_over } = port;
        tracing::info!(name: "listening", address = policy.name(), tls = policy.tls(), "listening");
        let (service, draining, alive) = (self.service.clone(), self.drain.subscribe(), self.alive.0.clone());
        let shared = service.get();
        let (repeats, ledger, policy) = (shared.repeats.clone(), shared.ledger.clone(), Arc::new(Current::new(policy)));
        let mut tasks = Tasks::default();
        keep_accepting(&mut tasks, socket, policy.clone(), &self.slots, repeats, ledger, move |client| {
            let alive = alive.clone();
            // Boxed: each enclosing future would reserve its space twice, and that is most of an idle session.
            let serving = Box::pin(connection::serve(client, service.clone(), draining.clone()));
            async move {
                serving.await;
                drop(alive);
            }
        });
        self.ports.push(RunningPort { listener, policy, is_handed_over, tasks });
    }

    fn begin_tls(&mut self, policies: Option<Arc<TlsPolicies>>) {
        let ledger = self.service.get().ledger.clone();
        ledger.set_certificates(policies.as_ref().map(|tls| tls.own_certificates()).unwrap_or_default());
        self.tls = policies.map(|policies| {
            let (mut tasks, current) = (Tasks::default(), policies.clone());
            tasks.keep_running("files of certificates", move || current.clone().stay_current(ledger.clone()));
            RunningTls { policies, tasks }
        });
    }

    /// Waits until a task cannot be restarted, and returns the reason. Waits for ever while none fails.
    pub async fn failed(&mut self) -> String {
        poll_fn(|context| {
            let of_ports = self.ports.iter_mut().map(|port| &mut port.tasks);
            for tasks in of_ports.chain(self.tls.iter_mut().map(|tls| &mut tls.tasks)) {
                if let Poll::Ready(reason) = tasks.poll_failed(context) {
                    return Poll::Ready(reason);
                }
            }
            Poll::Pending
        })
        .await
    }

    /// Accepts no more, lets sessions finish their current command, and closes those that take longer than the limit.
    /// Nothing is committed without a QUIT of the client.
    pub async fn shut_down(mut self) {
        for port in &mut self.ports {
            port.tasks.stop().await;
        }
        if let Some(tls) = &mut self.tls {
            tls.tasks.stop().await;
        }
        self.service.get().ledger.begin_drain();
        tracing::info!(
            name: "shutting_down",
            "shutting down: no new connections are accepted, sessions finish their current command"
        );
        let _ = self.drain.send(true);
        let (alive, mut all_gone) = self.alive;
        drop((alive, self.ports));
        if timeout(self.limits.shutdown, all_gone.recv()).await.is_err() {
            tracing::warn!(
                name: "sessions_closed_after_shutdown_limit",
                limit = ?self.limits.shutdown,
                "sessions still open after limits.shutdown are closed"
            );
        }
    }
}

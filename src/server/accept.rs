//! The accept loop, which runs until the server ends.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};

use super::admission::{ClientAdmission, Introductions};
use super::listen::PortPolicy;
use super::slots::ConnectionSlots;
use crate::connection::{Client, LogSummaries};
use crate::current::Current;
use crate::ledger::Ledger;
use crate::tasks::Tasks;

/// How long to wait after an error that the next accept would meet again, such as too many open files.
const PAUSE: Duration = Duration::from_millis(100);

/// The interval between log lines about connections that cannot be accepted.
const QUIET: Duration = Duration::from_secs(10);

/// Accepts clients on a port for as long as the tasks run, each by the policy that is in force when it comes. The port
/// stays open whatever happens to the loop: it is started again on the same socket, and who connects meanwhile waits in its
/// backlog.
pub(super) fn keep_accepting<Serving>(
    tasks: &mut Tasks,
    listener: TcpListener,
    policy: Arc<Current<PortPolicy>>,
    places: &ConnectionSlots,
    repeats: Arc<LogSummaries>,
    ledger: Arc<Ledger>,
    serve: impl Fn(Client) -> Serving + Send + Sync + 'static,
) where
    Serving: Future<Output = ()> + Send + 'static,
{
    let shared = Arc::new((listener, policy, places.clone(), (repeats, ledger), serve));
    tasks.keep_running(format!("accept loop of {}", shared.1.get().name()), move || {
        let shared = Arc::clone(&shared);
        async move {
            let (listener, policy, places, (repeats, ledger), serve) = &*shared;
            accept(listener, policy, places, (repeats, ledger), serve).await;
        }
    });
}

/// Accepts clients and hands each to its own task, so that a panic affects one client only.
async fn accept<Serving>(
    listener: &TcpListener,
    current: &Current<PortPolicy>,
    places: &ConnectionSlots,
    (repeats, ledger): (&LogSummaries, &Ledger),
    serve: &impl Fn(Client) -> Serving,
) where
    Serving: Future<Output = ()> + Send + 'static,
{
    let (mut introductions, mut logged) = (Introductions::new(), None);
    let admission = |policy| ClientAdmission { policy, slots: places, repeats, ledger };
    loop {
        let admitted = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((socket, peer)) => {
                    let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
                    admission(current.get()).accepted(socket, peer, &mut introductions)
                }
                Err(fault) => {
                    after_error(&fault, &current.get(), &mut logged).await;
                    None
                }
            },
            Some(introduced) = introductions.join_next() => {
                introduced.ok().and_then(|introduced| admission(current.get()).introduced(introduced))
            }
        };
        let Some((client, place)) = admitted else { continue };
        let serving = serve(client);
        tokio::spawn(async move {
            let _place = place;
            serving.await;
        });
    }
}

/// `logged`: when this was last logged, so that a lasting error is not logged ten times a second.
async fn after_error(fault: &io::Error, policy: &PortPolicy, logged: &mut Option<Instant>) {
    // These belong to one connection that is gone already (accept(2)).
    let of_the_client = [io::ErrorKind::ConnectionAborted, io::ErrorKind::ConnectionReset, io::ErrorKind::Interrupted];
    if of_the_client.contains(&fault.kind()) {
        return;
    }
    if logged.is_none_or(|at| at.elapsed() >= QUIET) {
        tracing::error!(
            name: "cannot_accept_connections",
            listener = policy.name(), reason = fault.to_string(),
            "cannot accept connections"
        );
        *logged = Some(Instant::now());
    }
    sleep(PAUSE).await;
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::super::listen::BoundPort;
    use super::super::{ConnectionLimits, Listener, TlsMode};
    use super::*;

    fn started<Serving>(
        limits: ConnectionLimits,
        serve: impl Fn(Client) -> Serving + Send + Sync + 'static,
    ) -> (SocketAddr, Tasks)
    where
        Serving: Future<Output = ()> + Send + 'static,
    {
        let address = "127.0.0.1:0".parse().unwrap();
        let listener = Listener::at(address, TlsMode::None);
        let port = BoundPort::bind(&listener, None, None).unwrap();
        let listener = TcpListener::from_std(port.socket).unwrap();
        let address = listener.local_addr().unwrap();
        let (mut tasks, repeats, ledger) = (Tasks::default(), Arc::default(), Arc::default());
        let policy = Arc::new(Current::new(port.policy));
        keep_accepting(&mut tasks, listener, policy, &ConnectionSlots::new(limits), repeats, ledger, serve);
        (address, tasks)
    }

    async fn greeted(mut client: Client) {
        client.transport.write_all(b"+OK\r\n").await.unwrap();
    }

    async fn hear(address: SocketAddr) -> String {
        let mut heard = String::new();
        let mut socket = TcpStream::connect(address).await.unwrap();
        let _ = socket.read_to_string(&mut heard).await;
        heard
    }

    #[tokio::test]
    async fn a_panic_affects_one_client_only() {
        let first = std::sync::atomic::AtomicBool::new(true);
        let (address, _tasks) = started(ConnectionLimits::default(), move |client| {
            let panics = first.swap(false, std::sync::atomic::Ordering::SeqCst);
            async move {
                assert!(!panics, "this panic is part of the test");
                greeted(client).await;
            }
        });
        assert_eq!(hear(address).await, "");
        assert_eq!(hear(address).await, "+OK\r\n");
    }

    /// The port stays in service, and connected clients keep their slots.
    #[tokio::test]
    async fn the_port_survives_a_panic_of_the_loop() {
        let first = std::sync::atomic::AtomicBool::new(true);
        let limits = ConnectionLimits { connections_per_address: 1, ..ConnectionLimits::default() };
        let (address, _tasks) = started(limits, move |client| {
            assert!(!first.swap(false, std::sync::atomic::Ordering::SeqCst), "this panic is part of the test");
            greeted(client)
        });
        assert_eq!(hear(address).await, "");
        assert_eq!(hear(address).await, "+OK\r\n", "the first client's slot was released");
    }

    #[tokio::test]
    async fn clients_beyond_the_limit_get_a_reply() {
        let limits = ConnectionLimits { connections_per_address: 1, ..ConnectionLimits::default() };
        let (gate, _) = tokio::sync::broadcast::channel::<()>(1);
        let opener = gate.clone();
        let (address, _tasks) = started(limits, move |client| {
            let mut gate = gate.subscribe();
            async move {
                greeted(client).await;
                let _ = gate.recv().await;
            }
        });
        let mut first = TcpStream::connect(address).await.unwrap();
        let mut greeting = [0; 5];
        first.read_exact(&mut greeting).await.unwrap();
        assert!(hear(address).await.starts_with("-ERR [SYS/TEMP]"));
        opener.send(()).unwrap();
        assert_eq!(first.read(&mut greeting).await.unwrap(), 0);
    }
}

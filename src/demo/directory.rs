//! The embedded directory: a small LDAP server on a loopback port, in its own thread.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::dialogue;
use super::fault_injection::{InjectedFault, RequestCounts};
use super::state::{DirectoryState, lock};
use super::tree::Tree;
use crate::names::Dn;

/// How many connections may wait to be accepted.
const BACKLOG: u32 = 1_024;

/// A loopback port that is reserved, though nobody listens on it yet.
pub struct ReservedPort {
    address: SocketAddr,
    // Bound and never listening. While it exists, the kernel does not hand the port out as an ephemeral one.
    _keeper: TcpSocket,
}

/// A running directory; it ends when dropped.
pub struct EmbeddedDirectory {
    address: SocketAddr,
    controls: Controls,
    thread: Option<JoinHandle<()>>,
}

/// Controls of a running directory. Clones control the same one; each change is in effect when the call returns.
#[derive(Clone)]
pub struct Controls {
    state: Arc<Mutex<DirectoryState>>,
    orders: mpsc::UnboundedSender<(Control, SyncSender<()>)>,
}

enum Control {
    Listen,
    Refuse,
    CloseConnections,
    End,
}

impl ReservedPort {
    /// Reserves a port of 127.0.0.1; 0 lets the kernel choose.
    ///
    /// # Errors
    /// The system's, if the port is in use.
    pub fn take(port: u16) -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind((Ipv4Addr::LOCALHOST, port).into())?;
        let address = socket.local_addr()?;
        Ok(Self { address, _keeper: socket })
    }

    /// Where the directory will listen.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl EmbeddedDirectory {
    /// Starts serving a tree on a port that the kernel chooses. `service` is the only DN that may search; without it
    /// everybody may, even anonymously.
    ///
    /// # Errors
    /// The system's: there is no free port, or no thread can be started.
    pub fn start(tree: Tree, service: Option<Dn>) -> io::Result<Self> {
        Self::start_on(ReservedPort::take(0)?, tree, service)
    }

    /// Starts serving a tree on a reserved port.
    ///
    /// # Errors
    /// The system's: the port is in use, or no thread can be started.
    pub fn start_on(port: ReservedPort, tree: Tree, service: Option<Dn>) -> io::Result<Self> {
        let address = port.address;
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let listener = {
            let _within = runtime.enter();
            listen(address)?
        };
        let (orders, received) = mpsc::unbounded_channel();
        let state = DirectoryState { tree, service, injected: InjectedFault::None, asked: RequestCounts::default() };
        let state = Arc::new(Mutex::new(state));
        let controls = Controls { state: Arc::clone(&state), orders };
        let host = Host { port, listener: Some(listener), connections: JoinSet::new(), state };
        let thread = std::thread::Builder::new()
            .name("demo directory".to_owned())
            .spawn(move || serve(&runtime, host, received))?;
        Ok(Self { address, controls, thread: Some(thread) })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `ldap://` and its address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("ldap://{}", self.address)
    }

    /// Its controls.
    #[must_use]
    pub fn controls(&self) -> Controls {
        self.controls.clone()
    }
}

impl Drop for EmbeddedDirectory {
    fn drop(&mut self) {
        self.controls.give(Control::End);
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!(name: "embedded_directory_ended_in_panic", "the embedded directory ended in a panic");
        }
    }
}

impl Controls {
    /// Injects a fault, or ends it by [`InjectedFault::None`].
    pub fn inject(&self, injected: InjectedFault) {
        let order = if injected == InjectedFault::Refuse { Control::Refuse } else { Control::Listen };
        lock(&self.state).injected = injected;
        self.give(order);
    }

    /// Closes all open connections, as servers do with idle ones. New ones are accepted.
    pub fn close_connections(&self) {
        self.give(Control::CloseConnections);
    }

    /// The number of requests since the start.
    #[must_use]
    pub fn asked(&self) -> RequestCounts {
        lock(&self.state).asked
    }

    /// Changes entries: `controls.change(|tree| tree.set(dn, "userPassword", ["new"]))?`.
    pub fn change<R>(&self, change: impl FnOnce(&mut Tree) -> R) -> R {
        change(&mut lock(&self.state).tree)
    }

    /// Waits until the order is carried out; returns at once if the directory has ended.
    fn give(&self, order: Control) {
        let (done, wait) = std::sync::mpsc::sync_channel(1);
        if self.orders.send((order, done)).is_ok() {
            let _ended_meanwhile = wait.recv();
        }
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// What the directory's thread owns.
struct Host {
    port: ReservedPort,
    listener: Option<TcpListener>,
    connections: JoinSet<()>,
    state: Arc<Mutex<DirectoryState>>,
}

type ControlReceiver = mpsc::UnboundedReceiver<(Control, SyncSender<()>)>;

fn serve(runtime: &Runtime, mut host: Host, mut orders: ControlReceiver) {
    runtime.block_on(async {
        loop {
            tokio::select! {
                biased;
                order = orders.recv() => {
                    let Some((order, done)) = order else { return };
                    let goes_on = host.obey(&order).await;
                    let _nobody_waits = done.send(());
                    if !goes_on {
                        return;
                    }
                }
                Some(ended) = host.connections.join_next() => note(&ended),
                stream = accept(host.listener.as_ref()) => host.welcome(stream),
            }
        }
    });
}

fn note(ended: &Result<(), tokio::task::JoinError>) {
    if ended.as_ref().is_err_and(tokio::task::JoinError::is_panic) {
        tracing::error!(
            name: "embedded_directory_connection_ended_in_panic",
            "a connection of the embedded directory ended in a panic"
        );
    }
}

async fn accept(listener: Option<&TcpListener>) -> io::Result<TcpStream> {
    match listener {
        Some(listener) => listener.accept().await.map(|(stream, _)| stream),
        None => std::future::pending().await,
    }
}

impl Host {
    /// Carries out an order; false for the last one.
    async fn obey(&mut self, order: &Control) -> bool {
        match order {
            Control::Listen => self.listen_again(),
            Control::CloseConnections => self.connections.shutdown().await,
            Control::Refuse | Control::End => {
                self.listener = None;
                self.connections.shutdown().await;
            }
        }
        !matches!(order, Control::End)
    }

    fn listen_again(&mut self) {
        if self.listener.is_some() {
            return;
        }
        match listen(self.port.address) {
            Ok(listener) => self.listener = Some(listener),
            Err(fault) => tracing::error!(
                name: "embedded_directory_cannot_listen_again",
                reason = fault.to_string(),
                "the embedded directory cannot listen again"
            ),
        }
    }

    fn welcome(&mut self, stream: io::Result<TcpStream>) {
        match stream {
            Ok(stream) => {
                lock(&self.state).asked.connections += 1;
                self.connections.spawn(dialogue::converse(stream, Arc::clone(&self.state)));
            }
            Err(fault) => {
                tracing::warn!(
                    name: "embedded_directory_connection_not_accepted",
                    reason = fault.to_string(),
                    "the embedded directory could not accept a connection"
                );
            }
        }
    }
}

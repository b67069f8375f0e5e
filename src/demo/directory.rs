//! The embedded directory: a small LDAP server on a loopback port, in a thread of its own.

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
use super::mischief::{Asked, Mischief};
use super::state::{DirectoryState, lock};
use super::tree::Tree;
use crate::names::Dn;

/// How many connections may wait to be accepted.
const BACKLOG: u32 = 1_024;

/// A loopback port that nobody else can take, though nobody listens on it yet.
pub struct Port {
    address: SocketAddr,
    // Bound and never listening. While it lives the kernel gives the port to no one who has not named it.
    _keeper: TcpSocket,
}

/// A running directory; it ends when dropped.
pub struct Directory {
    address: SocketAddr,
    controls: Controls,
    thread: Option<JoinHandle<()>>,
}

/// Controls of a running directory. Clones control the same one; each change is in effect when the call returns.
#[derive(Clone)]
pub struct Controls {
    state: Arc<Mutex<DirectoryState>>,
    orders: mpsc::UnboundedSender<(Order, SyncSender<()>)>,
}

enum Order {
    Listen,
    Refuse,
    CloseConnections,
    End,
}

impl Port {
    /// Takes a port of 127.0.0.1; 0 lets the kernel choose.
    ///
    /// # Errors
    /// The system's, if somebody has that port.
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

impl Directory {
    /// Starts serving a tree on a port of the kernel's choice. `service` is the one DN that may search; without it
    /// everybody may, even without a bind.
    ///
    /// # Errors
    /// The system's: no port, no thread.
    pub fn start(tree: Tree, service: Option<Dn>) -> io::Result<Self> {
        Self::start_on(Port::take(0)?, tree, service)
    }

    /// Starts serving a tree on a port taken before.
    ///
    /// # Errors
    /// The system's: somebody listens there, no thread.
    pub fn start_on(port: Port, tree: Tree, service: Option<Dn>) -> io::Result<Self> {
        let address = port.address;
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let listener = {
            let _within = runtime.enter();
            listen(address)?
        };
        let (orders, received) = mpsc::unbounded_channel();
        let state = DirectoryState { tree, service, mischief: Mischief::None, asked: Asked::default() };
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

impl Drop for Directory {
    fn drop(&mut self) {
        self.controls.give(Order::End);
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the embedded directory ended in a panic");
        }
    }
}

impl Controls {
    /// Begins a mischief, or ends it by [`Mischief::None`].
    pub fn set_mischief(&self, mischief: Mischief) {
        let order = if mischief == Mischief::Refuse { Order::Refuse } else { Order::Listen };
        lock(&self.state).mischief = mischief;
        self.give(order);
    }

    /// Closes all open connections, as servers do with idle ones. New ones are welcome.
    pub fn close_connections(&self) {
        self.give(Order::CloseConnections);
    }

    /// How often it was asked since it began.
    #[must_use]
    pub fn asked(&self) -> Asked {
        lock(&self.state).asked
    }

    /// Changes entries: `controls.change(|tree| tree.set(dn, "userPassword", ["new"]))?`.
    pub fn change<R>(&self, change: impl FnOnce(&mut Tree) -> R) -> R {
        change(&mut lock(&self.state).tree)
    }

    /// Waits until the order is carried out; one given to a directory that has ended is.
    fn give(&self, order: Order) {
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

/// What the directory's own thread owns.
struct Host {
    port: Port,
    listener: Option<TcpListener>,
    connections: JoinSet<()>,
    state: Arc<Mutex<DirectoryState>>,
}

type Orders = mpsc::UnboundedReceiver<(Order, SyncSender<()>)>;

fn serve(runtime: &Runtime, mut host: Host, mut orders: Orders) {
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
        tracing::error!("a connection of the embedded directory ended in a panic");
    }
}

async fn accept(listener: Option<&TcpListener>) -> io::Result<TcpStream> {
    match listener {
        Some(listener) => listener.accept().await.map(|(stream, _)| stream),
        None => std::future::pending().await,
    }
}

impl Host {
    /// Carries out an order; false at the last one.
    async fn obey(&mut self, order: &Order) -> bool {
        match order {
            Order::Listen => self.listen_again(),
            Order::CloseConnections => self.connections.shutdown().await,
            Order::Refuse | Order::End => {
                self.listener = None;
                self.connections.shutdown().await;
            }
        }
        !matches!(order, Order::End)
    }

    fn listen_again(&mut self) {
        if self.listener.is_some() {
            return;
        }
        match listen(self.port.address) {
            Ok(listener) => self.listener = Some(listener),
            Err(fault) => tracing::error!(%fault, "the embedded directory cannot listen again"),
        }
    }

    fn welcome(&mut self, stream: io::Result<TcpStream>) {
        match stream {
            Ok(stream) => {
                lock(&self.state).asked.connections += 1;
                self.connections.spawn(dialogue::hold(stream, Arc::clone(&self.state)));
            }
            Err(fault) => tracing::warn!(%fault, "the embedded directory could not accept a connection"),
        }
    }
}

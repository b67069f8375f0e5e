//! Where the listener is, and its bounds.

use std::convert::Infallible;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::request::{Via, answer};
use crate::admin::ServiceView;
use crate::admin::socket::SocketFile;

/// Where the listener is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HttpAddress {
    /// An address of loopback.
    Tcp(SocketAddr),
    /// A Unix socket, with the permission bits of its file; write permission allows connecting.
    Unix(PathBuf, u32),
}

/// The bound listener.
#[derive(Debug)]
pub struct HttpListener {
    listener: BoundHttp,
}

#[derive(Debug)]
enum BoundHttp {
    Tcp(TcpListener),
    Unix(SocketFile),
}

/// Clients served at once; more of them wait.
const AT_ONCE: usize = 16;

/// How long a client may take to send the header of its request.
const HEADER: Duration = Duration::from_secs(10);

/// How long a connection may last in total. Each serves one request.
const WHOLE: Duration = Duration::from_secs(60);

/// The longest header of a request, in octets.
const LONGEST_HEADER: usize = 16 * 1024;

/// How long to wait after an error that the next accept would meet again.
const PAUSE: Duration = Duration::from_millis(100);

impl HttpListener {
    /// Binds the address. No runtime is needed.
    ///
    /// # Errors
    /// A sentence: the address is in use or cannot be bound, or the socket's file cannot be created.
    pub fn bind(address: &HttpAddress) -> Result<Self, String> {
        let listener = match address {
            HttpAddress::Tcp(address) => BoundHttp::Tcp(
                TcpListener::bind(address)
                    .and_then(|listener| listener.set_nonblocking(true).map(|()| listener))
                    .map_err(|fault| format!("admin.http {address}: {fault}"))?,
            ),
            HttpAddress::Unix(path, mode) => BoundHttp::Unix(SocketFile::bind("admin.http", path, *mode)?),
        };
        Ok(Self { listener })
    }

    /// Where it listens: a port 0 has become a real one. None for a Unix socket.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        match &self.listener {
            BoundHttp::Tcp(listener) => listener.local_addr().ok(),
            BoundHttp::Unix(_) => None,
        }
    }

    /// Answers requests for as long as it is polled.
    ///
    /// # Errors
    /// The runtime cannot register the socket.
    pub async fn serve(&self, service: Arc<ServiceView>) -> io::Result<()> {
        let places = Arc::new(Semaphore::new(AT_ONCE));
        match &self.listener {
            BoundHttp::Tcp(listener) => {
                let listener = tokio::net::TcpListener::from_std(listener.try_clone()?)?;
                let address = listener.local_addr()?;
                tracing::info!(name: "admin_http_listener", address = address.to_string(), "admin HTTP listener");
                loop {
                    let accepted = listener.accept().await.map(|(client, _)| client);
                    admit(accepted, Via::Tcp, &places, &service).await;
                }
            }
            BoundHttp::Unix(file) => {
                let listener = tokio::net::UnixListener::from_std(file.listener.try_clone()?)?;
                tracing::info!(
                    name: "admin_http_listener",
                    address = format!("unix:{}", file.path.display()),
                    "admin HTTP listener"
                );
                loop {
                    let accepted = listener.accept().await.map(|(client, _)| client);
                    admit(accepted, Via::Unix, &places, &service).await;
                }
            }
        }
    }
}

/// Serves a client in a task of its own, once there is a place for it.
async fn admit<Client>(accepted: io::Result<Client>, via: Via, places: &Arc<Semaphore>, service: &Arc<ServiceView>)
where
    Client: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let client = match accepted {
        Ok(client) => client,
        Err(fault) => {
            tracing::warn!(
                name: "admin_http_client_not_accepted",
                reason = fault.to_string(),
                "admin HTTP listener: a client could not be accepted"
            );
            return tokio::time::sleep(PAUSE).await;
        }
    };
    let (place, service) = (places.clone().acquire_owned().await, service.clone());
    tokio::spawn(async move {
        let answering = service_fn(move |request| {
            let service = service.clone();
            async move { Ok::<_, Infallible>(answer(&request, via, &service).await) }
        });
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(HEADER).max_buf_size(LONGEST_HEADER).keep_alive(false);
        // A client that breaks off or sends nonsense concerns nobody else.
        let _ = timeout(WHOLE, builder.serve_connection(TokioIo::new(client), answering)).await;
        drop(place);
    });
}

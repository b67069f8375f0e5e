//! A POP3 client that logs in to another server and lists a maildrop. Nothing is ever
//! retrieved, marked or deleted there.

mod trust;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rustls_pki_types::ServerName;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;

pub use trust::trust_anybody;

use crate::secret::Password;

/// When TLS begins.
#[derive(Clone)]
pub enum Protection {
    /// With the first octet.
    Implicit(Arc<ClientConfig>),
    /// By STLS, before anything else.
    Stls(Arc<ClientConfig>),
    /// Never: the password can be read on the way.
    Clear,
}

/// Where the other server is.
#[derive(Clone)]
pub struct Settings {
    /// Its name, for which its certificate must be valid, or its address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Whether and how TLS is used.
    pub protection: Protection,
    /// How long it may take for each reply.
    pub patience: Duration,
}

/// An error of the other server or of the connection to it; a sentence.
#[derive(Debug)]
pub struct RemoteFault(String);

/// A message as the other server lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteMessage {
    /// Its unique-id.
    pub unique_id: String,
    /// Its size in octets; none if LIST does not have it.
    pub octets: Option<u64>,
}

/// The longest line accepted, in octets: more than RFC 1939 §3 allows, since servers use base names as unique-ids.
const LONGEST: u64 = 4096;

/// The most messages accepted.
const MOST: usize = 10_000_000;

trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> ByteStream for T {}

/// A connection to the other server.
struct Remote {
    stream: BufReader<Box<dyn ByteStream>>,
    patience: Duration,
}

/// Logs in, and asks for the unique-id and the size of every message, in the other server's order.
///
/// # Errors
/// The server cannot be reached, its certificate is not accepted, it refuses the login, or its replies are not POP3.
pub async fn list_messages(
    settings: &Settings,
    name: &str,
    password: &Password,
) -> Result<Vec<RemoteMessage>, RemoteFault> {
    let mut remote = Remote::connect(settings).await?;
    // A name or password with a line end in it would be two commands.
    if name.contains(['\r', '\n']) || password.expose().contains(['\r', '\n']) {
        return Err(RemoteFault("a name or password that contains a line end cannot be sent".to_owned()));
    }
    remote.ask("USER", &format!("USER {name}\r\n")).await?;
    remote.ask_secretly(password).await?;
    let unique_ids = remote.listing("UIDL").await?;
    let sizes = remote.listing("LIST").await?;
    // Nothing was marked, so QUIT removes nothing; its reply does not matter.
    let _ = remote.ask("QUIT", "QUIT\r\n").await;
    let mut sizes = sizes.into_iter().peekable();
    let messages = unique_ids.into_iter().map(|(number, unique_id)| {
        while sizes.next_if(|(other, _)| *other < number).is_some() {}
        let octets = sizes.next_if(|(other, _)| *other == number).and_then(|(_, octets)| octets.parse().ok());
        RemoteMessage { unique_id, octets }
    });
    Ok(messages.collect())
}

impl Remote {
    async fn connect(settings: &Settings) -> Result<Self, RemoteFault> {
        let Settings { host, port, protection, patience } = settings;
        let connected = within(*patience, "connection", TcpStream::connect((host.as_str(), *port))).await?;
        connected.set_nodelay(true).map_err(|fault| RemoteFault(fault.to_string()))?;
        let stream: Box<dyn ByteStream> = match protection {
            Protection::Implicit(tls) => Box::new(handshake(tls, host, connected, *patience).await?),
            Protection::Stls(tls) => {
                let mut clear = Self { stream: BufReader::new(Box::new(connected)), patience: *patience };
                clear.status("greeting").await?;
                clear.ask("STLS", "STLS\r\n").await?;
                // "… the server MUST discard any knowledge obtained from the client …" (RFC 2595 §4); so do we: what
                // the server sent in clear after its reply must not be used under TLS.
                if !clear.stream.buffer().is_empty() {
                    return Err(RemoteFault("the server sends more in clear after its reply to STLS".to_owned()));
                }
                let stream = handshake(tls, host, clear.stream.into_inner(), *patience).await?;
                return Ok(Self { stream: BufReader::new(Box::new(stream)), patience: *patience });
            }
            Protection::Clear => Box::new(connected),
        };
        let mut remote = Self { stream: BufReader::new(stream), patience: *patience };
        remote.status("greeting").await?;
        Ok(remote)
    }

    /// Sends a command, and requires `+OK`.
    async fn ask(&mut self, what: &str, line: &str) -> Result<(), RemoteFault> {
        within(self.patience, what, self.stream.get_mut().write_all(line.as_bytes())).await?;
        within(self.patience, what, self.stream.get_mut().flush()).await?;
        self.status(what).await
    }

    /// The password is never part of a text that could be printed.
    async fn ask_secretly(&mut self, password: &Password) -> Result<(), RemoteFault> {
        let patience = self.patience;
        let stream = self.stream.get_mut();
        for part in [b"PASS ".as_slice(), password.expose().as_bytes(), b"\r\n"] {
            within(patience, "PASS", stream.write_all(part)).await?;
        }
        within(patience, "PASS", stream.flush()).await?;
        self.status("PASS").await
    }

    async fn status(&mut self, what: &str) -> Result<(), RemoteFault> {
        let line = self.line(what).await?;
        if line.starts_with("+OK") { Ok(()) } else { Err(RemoteFault(format!("{what}: unexpected reply {line:?}"))) }
    }

    /// A multi-line answer of lines that begin with a message-number, ascending.
    async fn listing(&mut self, command: &str) -> Result<Vec<(usize, String)>, RemoteFault> {
        self.ask(command, &format!("{command}\r\n")).await?;
        let mut listing: Vec<(usize, String)> = Vec::new();
        loop {
            let line = self.line(command).await?;
            if line == "." {
                return Ok(listing);
            }
            let entry = line.split_once(' ').and_then(|(number, rest)| Some((number.parse().ok()?, rest.trim())));
            let after = |number| listing.last().is_none_or(|(last, _)| *last < number);
            match entry.filter(|(number, _)| after(*number) && listing.len() < MOST) {
                Some((number, rest)) => listing.push((number, rest.to_owned())),
                None => return Err(RemoteFault(format!("{command}: unexpected reply {line:?}"))),
            }
        }
    }

    async fn line(&mut self, what: &str) -> Result<String, RemoteFault> {
        let mut octets = Vec::new();
        let mut limited = (&mut self.stream).take(LONGEST);
        within(self.patience, what, limited.read_until(b'\n', &mut octets)).await?;
        if octets.pop() != Some(b'\n') {
            return Err(RemoteFault(format!(
                "{what}: the connection was closed, or a line has more than {LONGEST} octets"
            )));
        }
        if octets.last() == Some(&b'\r') {
            octets.pop();
        }
        // A unique-id that is not UTF-8 cannot be one of ours, whatever replaces it here.
        Ok(String::from_utf8_lossy(&octets).into_owned())
    }
}

async fn handshake<S: ByteStream + 'static>(
    tls: &Arc<ClientConfig>,
    host: &str,
    stream: S,
    patience: Duration,
) -> Result<tokio_rustls::client::TlsStream<S>, RemoteFault> {
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| RemoteFault(format!("{host:?} cannot be the name in a certificate")))?;
    within(patience, "TLS", TlsConnector::from(Arc::clone(tls)).connect(name, stream)).await
}

async fn within<T>(
    patience: Duration,
    what: &str,
    done: impl Future<Output = std::io::Result<T>>,
) -> Result<T, RemoteFault> {
    match timeout(patience, done).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(fault)) => Err(RemoteFault(format!("{what}: {fault}"))),
        Err(_) => Err(RemoteFault(format!("{what}: no reply within {patience:?}"))),
    }
}

impl fmt::Display for RemoteFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for RemoteFault {}

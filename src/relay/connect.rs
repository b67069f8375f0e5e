//! From a host's name to its greeting: TCP, the PROXY header, TLS.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls_pki_types::ServerName;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use zeroize::Zeroizing;

use super::dialogue::{HostDialogue, HostReply};
use super::fault::RelayFault;
use super::proxy_header::header;
use super::settings::{BackEndTls, ClientAddress, HostSettings};
use super::stream::HostStream;

/// A host that has sent its greeting.
pub(super) struct Greeted {
    pub(super) dialogue: HostDialogue,
    /// The text of the greeting.
    pub(super) greeting: String,
}

/// Connects in time.
pub(super) async fn connect(host: &str, settings: &HostSettings) -> Result<TcpStream, RelayFault> {
    let within = settings.limits.connect;
    let connected = match timeout(within, dial(host, settings.port, within)).await {
        Ok(connected) => connected,
        Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, RelayFault::late(within))),
    };
    let stream = connected.map_err(|fault| unreachable("connecting", &fault))?;
    stream.set_nodelay(true).map_err(|fault| unreachable("connecting", &fault))?;
    Ok(stream)
}

/// Tries the addresses of a host, each for its part of the time.
async fn dial(host: &str, port: u16, within: Duration) -> io::Result<TcpStream> {
    let addresses: Vec<SocketAddr> = lookup_host((host, port)).await?.collect();
    let share = within / u32::try_from(addresses.len().max(1)).unwrap_or(u32::MAX);
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in addresses {
        match timeout(share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(fault)) => last = fault,
            Err(_) => last = io::Error::new(io::ErrorKind::TimedOut, RelayFault::late(share)),
        }
    }
    Err(last)
}

/// From the connection to the greeting, under TLS where that is configured. `hostname`: the name in our own greeting.
pub(super) async fn greet(
    stream: TcpStream,
    host: &str,
    settings: &HostSettings,
    client: SocketAddr,
    hostname: &str,
) -> Result<Greeted, RelayFault> {
    let stream = introduce(stream, settings.client_address, client).await?;
    let mut dialogue = match &settings.tls {
        BackEndTls::Implicit(tls) => HostDialogue::new(Box::new(handshake(tls, host, stream).await?)),
        BackEndTls::Stls(_) | BackEndTls::None => HostDialogue::new(Box::new(stream)),
    };
    let greeting = match dialogue.reply().await.map_err(|fault| unreachable("greeting", &fault))? {
        HostReply::Ok(text) => text,
        other => return Err(RelayFault::Unreachable(format!("greeting: unexpected {other:?}"))),
    };
    // Only our own service has our name; a machine behind a balancer that leads back here has no other mark.
    if greeting.split(' ').next().is_some_and(|name| name.eq_ignore_ascii_case(hostname)) {
        return Err(RelayFault::Loop("the host greets with this service's own name"));
    }
    if let BackEndTls::Stls(tls) = &settings.tls {
        dialogue = begin_tls(dialogue, tls, host).await?;
    }
    Ok(Greeted { dialogue, greeting })
}

async fn introduce(mut stream: TcpStream, way: ClientAddress, client: SocketAddr) -> Result<TcpStream, RelayFault> {
    if way != ClientAddress::ProxyV2 {
        return Ok(stream);
    }
    let failed = |fault: io::Error| unreachable("PROXY header", &fault);
    let (ours, theirs) = (stream.local_addr().map_err(failed)?, stream.peer_addr().map_err(failed)?);
    stream.write_all(&header(client, ours, theirs)?).await.map_err(failed)?;
    Ok(stream)
}

/// "… the server MUST discard any knowledge obtained from the client …" (RFC 2595 §4); so do we: what the host sent in clear
/// behind its reply must not be used under TLS.
async fn begin_tls(
    mut dialogue: HostDialogue,
    tls: &Arc<ClientConfig>,
    host: &str,
) -> Result<HostDialogue, RelayFault> {
    let failed = |fault: io::Error| unreachable("STLS", &fault);
    dialogue.send(Zeroizing::new(b"STLS\r\n".to_vec())).await.map_err(failed)?;
    match dialogue.reply().await.map_err(failed)? {
        HostReply::Ok(_) => {}
        other => return Err(RelayFault::Unreachable(format!("STLS: unexpected {other:?}"))),
    }
    let (stream, injected) = dialogue.into_parts();
    if !injected.is_empty() {
        return Err(RelayFault::Unreachable("STLS: the host sent more in clear behind its reply".to_owned()));
    }
    Ok(HostDialogue::new(Box::new(handshake(tls, host, stream).await?)))
}

async fn handshake<S: HostStream + 'static>(
    tls: &Arc<ClientConfig>,
    host: &str,
    stream: S,
) -> Result<tokio_rustls::client::TlsStream<S>, RelayFault> {
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| RelayFault::Unreachable(format!("TLS: {host:?} cannot be the name in a certificate")))?;
    let connected = TlsConnector::from(Arc::clone(tls)).connect(name, stream).await;
    connected.map_err(|fault| unreachable("TLS", &fault))
}

/// A fault of the connection at some step.
fn unreachable(step: &str, fault: &io::Error) -> RelayFault {
    RelayFault::Unreachable(format!("{step}: {fault}"))
}

//! The TLS handshake with a client.

use std::io;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{Error, PeerIncompatible};

use super::report::Closed;
use super::stream::Stream;

/// Puts a socket under TLS, within its time.
pub(super) async fn handshake(acceptor: &TlsAcceptor, socket: TcpStream, limit: Duration) -> Result<Stream, Closed> {
    match timeout(limit, acceptor.accept(socket)).await {
        Ok(Ok(stream)) => Ok(Stream::Tls(Box::new(stream))),
        Ok(Err(fault)) => Err(Closed::Handshake(told(&fault))),
        Err(_) => Err(Closed::Handshake(format!("not done within {limit:?}"))),
    }
}

/// Old devices deserve words that an administrator can act on.
fn told(fault: &io::Error) -> String {
    let tls = fault.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    match tls {
        // The signature algorithms came with TLS 1.2: a client that sends none is older.
        Some(Error::PeerIncompatible(
            PeerIncompatible::SignatureAlgorithmsExtensionRequired
            | PeerIncompatible::SupportedVersionsExtensionRequired
            | PeerIncompatible::Tls12NotOffered
            | PeerIncompatible::Tls12NotOfferedOrEnabled,
        )) => "the client speaks only TLS 1.1 or older, which is not safe any more".to_owned(),
        Some(Error::InvalidMessage(why)) => format!("what the client sent is no TLS ({why:?})"),
        Some(Error::AlertReceived(alert)) => format!("the client broke off with the alert {alert:?}"),
        _ if fault.kind() == io::ErrorKind::UnexpectedEof => "the client closed the connection".to_owned(),
        _ => fault.to_string(),
    }
}

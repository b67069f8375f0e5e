//! The TLS handshake with a client.

use std::io::{self, Write as _};
use std::time::Duration;

use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{Error, PeerIncompatible, ServerConnection};

use super::certificate::ClientCertificateFault;
use super::stream::ClientStream;
use super::transport::Transport;
use crate::connection::report::{CloseReason, HandshakeFailure};

/// Does the handshake within its time. The first octets are sent together with the end of the handshake.
pub(crate) async fn handshake<T: Transport>(
    acceptor: &TlsAcceptor,
    transport: T,
    limit: Duration,
    first: &[u8],
) -> Result<ClientStream<T>, CloseReason> {
    // rustls buffers it until the keys are there; its limit is many times a greeting.
    let say = |tls: &mut ServerConnection| drop(tls.writer().write_all(first));
    match timeout(limit, acceptor.accept_with(transport, say)).await {
        Ok(Ok(stream)) => Ok(ClientStream::Tls(Box::new(stream))),
        Ok(Err(fault)) => Err(CloseReason::Handshake(failure_of(&fault), describe(&fault))),
        Err(_) => Err(CloseReason::Handshake(HandshakeFailure::Timeout, format!("not done within {limit:?}"))),
    }
}

/// Which kind of failure it is.
fn failure_of(fault: &io::Error) -> HandshakeFailure {
    let tls = fault.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    match tls {
        Some(Error::PeerIncompatible(
            PeerIncompatible::NoSignatureSchemesInCommon
            | PeerIncompatible::NoCipherSuitesInCommon
            | PeerIncompatible::NoKxGroupsInCommon,
        )) => HandshakeFailure::NoCommonAlgorithm,
        Some(Error::PeerIncompatible(_)) => HandshakeFailure::TooOld,
        Some(Error::InvalidMessage(_)) => HandshakeFailure::NotTls,
        Some(Error::AlertReceived(_)) => HandshakeFailure::Alert,
        Some(Error::InvalidCertificate(_) | Error::NoCertificatesPresented) => HandshakeFailure::ClientCertificate,
        None if fault.kind() == io::ErrorKind::UnexpectedEof => HandshakeFailure::ClosedByClient,
        _ => HandshakeFailure::Other,
    }
}

/// Why a handshake failed, in words that an administrator can act on.
fn describe(fault: &io::Error) -> String {
    let tls = fault.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    match tls {
        // The signature algorithms came with TLS 1.2: a client that sends none is older.
        Some(Error::PeerIncompatible(
            PeerIncompatible::SignatureAlgorithmsExtensionRequired
            | PeerIncompatible::SupportedVersionsExtensionRequired
            | PeerIncompatible::Tls12NotOffered
            | PeerIncompatible::Tls12NotOfferedOrEnabled,
        )) => "the client speaks only TLS 1.1 or older, which is no longer safe".to_owned(),
        Some(Error::PeerIncompatible(PeerIncompatible::NoSignatureSchemesInCommon)) => {
            "the client cannot verify signatures by the key of any certificate".to_owned()
        }
        Some(Error::PeerIncompatible(PeerIncompatible::NoCipherSuitesInCommon)) => {
            "the client offers no cipher suite that is safe and fits the key of a certificate (RSA or ECDSA)".to_owned()
        }
        Some(Error::InvalidMessage(why)) => format!("the client does not speak TLS ({why:?})"),
        Some(Error::AlertReceived(alert)) => format!("the client broke off with the alert {alert:?}"),
        Some(fault @ (Error::InvalidCertificate(_) | Error::NoCertificatesPresented)) => {
            ClientCertificateFault::Rejected(fault.clone()).to_string()
        }
        _ if fault.kind() == io::ErrorKind::UnexpectedEof => "the client closed the connection".to_owned(),
        _ => fault.to_string(),
    }
}

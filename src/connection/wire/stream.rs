//! A client's connection, in clear or under TLS.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use rustls_pki_types::CertificateDer;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::rustls::{HandshakeKind, ProtocolVersion};
use tokio_rustls::server::TlsStream;

use super::transport::Transport;
use crate::pop3::ChannelBinding;

/// Octets to and from one client.
pub(crate) enum ClientStream<T> {
    Clear(T),
    Tls(Box<TlsStream<T>>),
    /// A handshake has taken the connection, and has not returned it.
    Gone,
}

impl<T: Transport> ClientStream<T> {
    /// The connection beneath.
    pub(crate) fn transport(&self) -> Option<&T> {
        match self {
            Self::Clear(transport) => Some(transport),
            Self::Tls(stream) => Some(stream.get_ref().0),
            Self::Gone => None,
        }
    }

    /// Whether octets are sent without encryption.
    pub(super) fn is_clear(&self) -> bool {
        matches!(self, Self::Clear(_))
    }

    /// The chain that the client sent, or that a resumed TLS session remembers.
    pub(super) fn peer_certificates(&self) -> Option<&[CertificateDer<'static>]> {
        let Self::Tls(stream) = self else { return None };
        stream.get_ref().1.peer_certificates()
    }

    /// What identifies this TLS connection on both ends of it: `tls-exporter`, with no context (RFC 9266 §2). There is
    /// none below TLS 1.3, where it would be unique only with an extension that not every client has (RFC 9266 §3).
    pub(crate) fn channel_binding(&self) -> Option<ChannelBinding> {
        let Self::Tls(stream) = self else { return None };
        let session = stream.get_ref().1;
        if session.protocol_version() != Some(ProtocolVersion::TLSv1_3) {
            return None;
        }
        session.export_keying_material(ChannelBinding::default(), b"EXPORTER-Channel-Binding", None).ok()
    }

    /// Whether the client resumed an earlier TLS session.
    pub(super) fn is_resumed(&self) -> bool {
        let Self::Tls(stream) = self else { return false };
        stream.get_ref().1.handshake_kind() == Some(HandshakeKind::Resumed)
    }

    /// What the log calls the protection of this connection.
    pub(crate) fn protection(&self) -> &'static str {
        let Self::Tls(stream) = self else { return "none" };
        match stream.get_ref().1.protocol_version() {
            Some(ProtocolVersion::TLSv1_2) => "TLS 1.2",
            Some(ProtocolVersion::TLSv1_3) => "TLS 1.3",
            _ => "TLS",
        }
    }
}

impl<T: Transport> AsyncRead for ClientStream<T> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Clear(transport) => Pin::new(transport).poll_read(cx, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Gone => Poll::Ready(Ok(())),
        }
    }
}

impl<T: Transport> AsyncWrite for ClientStream<T> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Clear(transport) => Pin::new(transport).poll_write(cx, octets),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, octets),
            Self::Gone => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Clear(transport) => Pin::new(transport).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
            Self::Gone => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Clear(transport) => Pin::new(transport).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Gone => Poll::Ready(Ok(())),
        }
    }
}

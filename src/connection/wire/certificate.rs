//! What a client's certificate is worth on a connection.

use std::sync::Arc;

use rustls_pki_types::CertificateDer;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{CertificateError, Error};

use super::stream::ClientStream;
use crate::certificate::Certificate;
use crate::connection::Service;
use crate::connection::report::{CloseReason, SessionReport};
use crate::pop3::{Access, Expire};

/// How a port does TLS, and what it makes of clients' certificates.
#[derive(Clone)]
pub struct PortTls {
    /// Does the handshakes.
    pub acceptor: TlsAcceptor,
    /// None if clients are not asked for certificates.
    pub client_certificates: Option<ClientCertificates>,
}

/// What a port makes of clients' certificates.
#[derive(Clone)]
pub struct ClientCertificates {
    /// Nobody is served without one that counts.
    pub required: bool,
    /// One that counts logs in by itself (SASL EXTERNAL), without name and password.
    pub is_enough: bool,
    /// Judges whether a chain counts now.
    pub judge: ChainVerifier,
}

/// Tells why a chain, the client's own certificate first, does not count now.
pub type ChainVerifier = Arc<dyn Fn(&[CertificateDer<'_>]) -> Result<(), String> + Send + Sync>;

impl ClientCertificates {
    /// The certificate that counts on this connection, if the client showed one. Asked after the handshake and again at
    /// each login: a session that was resumed, or is old, may rest on a certificate that has expired or was revoked.
    ///
    /// # Errors
    /// Why the one shown, if any, does not count.
    pub(super) fn look(&self, stream: &ClientStream) -> Result<Option<Certificate>, String> {
        let Some((chain, own)) = stream.peer_certificates().and_then(|chain| Some((chain, chain.first()?))) else {
            return Ok(None);
        };
        (self.judge)(chain)?;
        Certificate::read(own).map(Some).map_err(|fault| format!("the client's certificate cannot be read: {fault}"))
    }
}

/// What clients are offered by the people there are, and by the settings.
#[derive(Clone, Copy)]
pub(crate) struct LoginOffer {
    /// Somebody has SCRAM credentials.
    pub(crate) scram: bool,
    /// Somebody's tokens count.
    pub(crate) tokens: bool,
    /// How long mail is left on the server.
    pub(crate) expire: Expire,
}

impl LoginOffer {
    /// On every connection of a service.
    pub(crate) fn by(service: &Service) -> Self {
        let (identities, expire) = (&service.identities, service.settings.expire);
        Self { scram: identities.knows_scram(), tokens: identities.takes_tokens(), expire }
    }
}

/// What a client may do under TLS. Where certificates are required, a resumed session without one that still counts ends
/// as a full handshake would have ended.
pub(crate) fn under_tls(
    tls: Option<&PortTls>,
    stream: &ClientStream,
    report: &SessionReport,
    offered: LoginOffer,
) -> Result<Access, CloseReason> {
    let LoginOffer { scram, tokens, expire } = offered;
    let channel_binding = if scram { stream.channel_binding() } else { None };
    let mut access = Access { stls: false, passwords: true, external: false, scram, channel_binding, tokens, expire };
    if let Some(policy) = tls.and_then(|tls| tls.client_certificates.as_ref()) {
        let certificate = shown(policy, stream, report).map_err(CloseReason::Handshake)?;
        access.external = policy.is_enough && certificate.is_some();
    }
    Ok(access)
}

/// The certificate that counts. Where none is required, one that does not is as good as none, and logged.
pub(crate) fn shown(
    policy: &ClientCertificates,
    stream: &ClientStream,
    report: &SessionReport,
) -> Result<Option<Certificate>, String> {
    match policy.look(stream) {
        Ok(None) if policy.required => Err("the client showed no certificate".to_owned()),
        Err(reason) if !policy.required => {
            report.certificate_does_not_count(&reason);
            Ok(None)
        }
        other => other,
    }
}

/// Why TLS holds a client's certificate for none, in words for an administrator.
#[must_use]
pub fn describe_certificate_fault(fault: &Error) -> String {
    use CertificateError as Of;
    let Error::InvalidCertificate(doubt) = fault else {
        return match fault {
            Error::NoCertificatesPresented => "the client showed no certificate".to_owned(),
            other => other.to_string(),
        };
    };
    let what = match doubt {
        Of::Expired | Of::ExpiredContext { .. } => "has expired",
        Of::NotValidYet | Of::NotValidYetContext { .. } => "does not hold yet",
        Of::Revoked => "is revoked",
        Of::UnknownIssuer => "is not signed by an authority in tls.client_ca",
        Of::UnknownRevocationStatus => "has an issuer whose revocation list is not among tls.crls",
        Of::ExpiredRevocationList | Of::ExpiredRevocationListContext { .. } => {
            "has an issuer whose revocation list in tls.crls is out of date"
        }
        Of::InvalidPurpose | Of::InvalidPurposeContext { .. } => "is not made for clients (extended key usage)",
        Of::BadSignature => "has a wrong signature",
        other => return format!("the client's certificate does not count: {other}"),
    };
    format!("the client's certificate {what}")
}

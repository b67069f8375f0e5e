//! What a client's certificate is worth on a connection.

use std::sync::Arc;

use rustls_pki_types::CertificateDer;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{CertificateError, Error};

use super::stream::ClientStream;
use super::transport::Transport;
use crate::certificate::Certificate;
use crate::connection::report::SessionReport;

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
    fn look<T: Transport>(&self, stream: &ClientStream<T>) -> Result<Option<Certificate>, String> {
        let Some((chain, own)) = stream.peer_certificates().and_then(|chain| Some((chain, chain.first()?))) else {
            return Ok(None);
        };
        (self.judge)(chain)?;
        Certificate::read(own).map(Some).map_err(|fault| format!("the client's certificate cannot be read: {fault}"))
    }
}

/// The certificate that counts. Where none is required, one that does not is as good as none, and logged.
pub(crate) fn shown<T: Transport>(
    policy: &ClientCertificates,
    stream: &ClientStream<T>,
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

//! Whether a client's certificate is accepted.

use std::fmt;
use std::sync::Arc;

use rustls_pki_types::CertificateDer;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{CertificateError, Error};

use super::stream::ClientStream;
use super::transport::Transport;
use crate::certificate::{Certificate, MalformedCertificate};
use crate::connection::report::SessionReport;

/// How a port does TLS, and how it treats clients' certificates.
#[derive(Clone)]
pub struct PortTls {
    /// Does the handshakes.
    pub acceptor: TlsAcceptor,
    /// None if clients are not asked for certificates.
    pub client_certificates: Option<ClientCertificates>,
}

/// How a port treats clients' certificates.
#[derive(Clone)]
pub struct ClientCertificates {
    /// Clients without a valid one are not served.
    pub required: bool,
    /// A valid one is enough to log in (SASL EXTERNAL), without name and password.
    pub is_enough: bool,
    /// Checks whether a chain is valid now.
    pub judge: ChainVerifier,
    /// What the proxy that terminated TLS says about the client's certificate, where that counts; TLS here does not then.
    pub forwarded: Option<ForwardedCertificate>,
}

/// What a proxy that terminated TLS says about a client's certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ForwardedCertificate {
    /// The client sent none.
    NotSent,
    /// The proxy did not find it valid.
    Unverified,
    /// The proxy found it valid, but says no more than names in it.
    NameOnly,
    /// The proxy found it valid: the client's own certificate, without those between it and the authority.
    Whole(CertificateDer<'static>),
}

/// Says why a chain, the client's own certificate first, is not valid now.
pub type ChainVerifier = Arc<dyn Fn(&[CertificateDer<'_>]) -> Result<(), ClientCertificateFault> + Send + Sync>;

/// Why a client has no certificate that is valid now.
#[derive(Clone, Debug, PartialEq)]
pub enum ClientCertificateFault {
    /// It sent none.
    NotSent,
    /// There is no authority whose certificates are accepted.
    NoAuthority,
    /// The proxy that terminated TLS did not find it valid.
    Unverified,
    /// The proxy that terminated TLS found it valid, but forwarded no more than names in it.
    NameOnly,
    /// It was valid when the session began.
    NoLongerValid,
    /// TLS rejects it.
    Rejected(Error),
    /// TLS accepts it, but it cannot be read.
    Malformed(MalformedCertificate),
}

impl ClientCertificates {
    /// The valid certificate of this connection, if the client sent one. Checked after the handshake and again at each
    /// login: the certificate of a resumed or an old TLS session may have expired or been revoked.
    ///
    /// # Errors
    /// Why the certificate is not valid.
    fn look<T: Transport>(&self, stream: &ClientStream<T>) -> Result<Option<Certificate>, ClientCertificateFault> {
        let chain = match &self.forwarded {
            None => stream.peer_certificates(),
            Some(ForwardedCertificate::NotSent) => None,
            Some(ForwardedCertificate::Unverified) => return Err(ClientCertificateFault::Unverified),
            Some(ForwardedCertificate::NameOnly) => return Err(ClientCertificateFault::NameOnly),
            Some(ForwardedCertificate::Whole(own)) => Some(std::slice::from_ref(own)),
        };
        let Some((chain, own)) = chain.and_then(|chain| Some((chain, chain.first()?))) else { return Ok(None) };
        (self.judge)(chain)?;
        Certificate::read(own).map(Some).map_err(ClientCertificateFault::Malformed)
    }
}

/// The valid certificate. Where none is required, an invalid one is logged and ignored.
pub(crate) fn shown<T: Transport>(
    policy: &ClientCertificates,
    stream: &ClientStream<T>,
    report: &SessionReport,
) -> Result<Option<Certificate>, ClientCertificateFault> {
    match policy.look(stream) {
        Ok(None) if policy.required => Err(ClientCertificateFault::NotSent),
        Err(fault) if !policy.required => {
            report.certificate_ignored(&fault.to_string());
            Ok(None)
        }
        other => other,
    }
}

/// In words for an administrator.
impl fmt::Display for ClientCertificateFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSent | Self::Rejected(Error::NoCertificatesPresented) => {
                f.write_str("the client sent no certificate")
            }
            Self::Unverified => f.write_str("the proxy could not verify the client's certificate"),
            Self::NameOnly => {
                f.write_str("the proxy forwards only the name in the client's certificate, not the whole of it")
            }
            Self::NoAuthority => f.write_str("no authority is configured"),
            Self::NoLongerValid => f.write_str("the client's certificate is no longer valid"),
            Self::Rejected(Error::InvalidCertificate(doubt)) => match describe(doubt) {
                Some(what) => write!(f, "the client's certificate {what}"),
                None => write!(f, "the client's certificate is not valid: {doubt}"),
            },
            Self::Rejected(fault) => fault.fmt(f),
            Self::Malformed(fault) => write!(f, "the client's certificate cannot be read: {fault}"),
        }
    }
}

fn describe(doubt: &CertificateError) -> Option<&'static str> {
    use CertificateError as Of;
    Some(match doubt {
        Of::Expired | Of::ExpiredContext { .. } => "has expired",
        Of::NotValidYet | Of::NotValidYetContext { .. } => "is not valid yet",
        Of::Revoked => "is revoked",
        Of::UnknownIssuer => "is not signed by an authority in tls.client_ca",
        Of::UnknownRevocationStatus => "has an issuer whose revocation list is not among tls.crls",
        Of::ExpiredRevocationList | Of::ExpiredRevocationListContext { .. } => {
            "has an issuer whose revocation list in tls.crls is out of date"
        }
        Of::InvalidPurpose | Of::InvalidPurposeContext { .. } => "is not for clients (extended key usage)",
        Of::BadSignature => "has an invalid signature",
        _ => return None,
    })
}

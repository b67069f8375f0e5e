//! The certificate chain that a server presents, read before anything is trusted or sent.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto;
use tokio_rustls::rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme};

use super::connect::connect;
use super::trust::roots;
use crate::directory::fault::Fault;
use crate::directory::settings::{ServerTrust, Settings};

/// A chain as the server presented it, and whether it is trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PresentedChain {
    /// The server's certificate first, in DER.
    pub certificates: Vec<Vec<u8>>,
    /// Why it is not trusted; none if it is.
    pub distrust: Option<Distrust>,
}

/// Why a chain is not trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Distrust {
    /// No trusted authority has signed it.
    UnknownAuthority,
    /// It is for another host name.
    OtherName,
    /// It, or an authority's certificate in it, is not valid now.
    NotValidNow,
    /// Another fault; the library's message.
    Other(String),
}

impl Distrust {
    fn of(error: &Error) -> Self {
        use CertificateError as Of;
        match error {
            Error::InvalidCertificate(Of::UnknownIssuer | Of::BadSignature) => Self::UnknownAuthority,
            Error::InvalidCertificate(Of::NotValidForName | Of::NotValidForNameContext { .. }) => Self::OtherName,
            Error::InvalidCertificate(
                Of::Expired | Of::ExpiredContext { .. } | Of::NotValidYet | Of::NotValidYetContext { .. },
            ) => Self::NotValidNow,
            other => Self::Other(other.to_string()),
        }
    }
}

/// Begins TLS with the directory's first server, and judges its chain by the authorities in a PEM file, or by those of
/// the system. A chain that is not trusted ends the handshake, so that nothing is sent to that server.
///
/// # Errors
/// A sentence about the file, or why there is no connection or no TLS.
pub(crate) async fn presented(settings: &Settings, ca: Option<&Path>) -> Result<PresentedChain, Fault> {
    let recorder = Arc::new(Recorder { judge: judge(ca)?, seen: Mutex::default() });
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|fault| Fault::Misconfigured(fault.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(recorder.clone())
        .with_no_client_auth();
    let settings =
        Settings { tls: ServerTrust { configuration: Arc::new(config), ..settings.tls.clone() }, ..settings.clone() };
    let connected = connect(&settings, 0).await;
    let seen = recorder.seen.lock().unwrap_or_else(PoisonError::into_inner).take();
    match (connected, seen) {
        (Err(fault), Some(PresentedChain { distrust: None, .. }) | None) => Err(fault),
        (_, Some(chain)) => Ok(chain),
        (Ok(_), None) => Err(Fault::Misconfigured("the connection has no TLS".to_owned())),
    }
}

fn provider() -> Arc<crypto::CryptoProvider> {
    Arc::new(crypto::aws_lc_rs::default_provider())
}

/// None if no authority is trusted at all.
fn judge(ca: Option<&Path>) -> Result<Option<Arc<WebPkiServerVerifier>>, Fault> {
    let roots = roots(ca).map_err(Fault::Misconfigured)?;
    if roots.is_empty() {
        return Ok(None);
    }
    let built = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider()).build();
    built.map(Some).map_err(|fault| Fault::Misconfigured(fault.to_string()))
}

/// Judges as every other connection does, and keeps the chain.
#[derive(Debug)]
struct Recorder {
    judge: Option<Arc<WebPkiServerVerifier>>,
    seen: Mutex<Option<PresentedChain>>,
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verdict = match &self.judge {
            Some(judge) => judge.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now),
            None => Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)),
        };
        let certificates = std::iter::once(end_entity).chain(intermediates).map(|own| own.to_vec()).collect();
        let chain = PresentedChain { certificates, distrust: verdict.as_ref().err().map(Distrust::of) };
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(chain);
        verdict
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = provider().signature_verification_algorithms;
        crypto::verify_tls12_signature(message, cert, dss, &algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = provider().signature_verification_algorithms;
        crypto::verify_tls13_signature(message, cert, dss, &algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider().signature_verification_algorithms.supported_schemes()
    }
}

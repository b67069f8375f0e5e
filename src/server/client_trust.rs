//! Which client certificates are valid: those signed by the configured authorities, and not revoked by them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime};
use tokio_rustls::rustls::client::danger::HandshakeSignatureValid;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use tokio_rustls::rustls::{DigitallySignedStruct, DistinguishedName, Error, RootCertStore, SignatureScheme, crypto};

use super::pem::certificates_of;
use crate::connection::ClientCertificateFault;
use crate::file_stamps::FileStamps;

/// The authorities that sign clients' certificates, and what they revoked, as read from their files at one moment.
#[derive(Clone, Debug)]
pub struct ClientTrust {
    authorities: PathBuf,
    revocations: Vec<PathBuf>,
    stamps: FileStamps,
    names: AuthorityNames,
    verifier: Arc<dyn ClientCertVerifier>,
}

/// The authorities' names, by which a client chooses among its certificates.
#[derive(Clone, Copy, Debug)]
struct AuthorityNames {
    count: usize,
    /// Their length in a request for certificates.
    octets: usize,
}

/// A request for certificates lists the authorities' names up to this length, in octets. TLS has room for 64 KiB (RFC
/// 8446 §4.2.4; beyond that no handshake succeeds), but clients with small buffers reject a handshake message that is
/// longer than one record.
const LONGEST_NAMES: usize = 16 * 1024;

/// Accepts every certificate whose key the client has. Whether it is valid is judged after the handshake, so that an
/// expired one locks out nobody who also has a password.
#[derive(Debug)]
struct AnyCertificate(Arc<dyn ClientCertVerifier>);

impl ClientTrust {
    /// Reads the authorities (PEM) and the revocation lists (PEM or DER).
    ///
    /// If there are lists, every certificate below a configured authority, intermediate ones included, needs a list of
    /// its issuer that is not out of date: a certificate without a list is not assumed to be valid.
    ///
    /// # Errors
    /// The file that is wrong, and a sentence that says how.
    pub fn read(authorities: &Path, revocations: &[PathBuf]) -> Result<Self, (PathBuf, String)> {
        let stamps = FileStamps::of(files(authorities, revocations));
        let roots = roots(authorities).map_err(|fault| (authorities.to_owned(), fault))?;
        let mut lists = Vec::new();
        for file in revocations {
            lists.extend(lists_of(file).map_err(|fault| (file.clone(), fault))?);
        }
        let names = AuthorityNames::of(&roots);
        let provider = Arc::new(crypto::aws_lc_rs::default_provider());
        let mut builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        if names.are_too_long() {
            builder = builder.clear_root_hint_subjects();
        }
        let built = builder.with_crls(lists).enforce_revocation_expiration().build();
        let suspect = revocations.first().map_or(authorities, PathBuf::as_path);
        let verifier = built.map_err(|fault| (suspect.to_owned(), fault.to_string()))?;
        Ok(Self { authorities: authorities.to_owned(), revocations: revocations.to_vec(), stamps, names, verifier })
    }

    /// Why clients are not sent the authorities' names; none if they are.
    #[must_use]
    pub fn names_left_out(&self) -> Option<String> {
        let AuthorityNames { count, octets } = self.names;
        self.names.are_too_long().then(|| {
            format!(
                "{} holds {count} authorities; their names are not sent to clients, since {} KiB are more than many clients \
                 accept ({} KiB): a client with several certificates may have to ask its user which to show",
                self.authorities.display(),
                octets.div_ceil(1024),
                LONGEST_NAMES / 1024
            )
        })
    }

    /// The file of the authorities.
    #[must_use]
    pub fn authorities_file(&self) -> &Path {
        &self.authorities
    }

    /// The files of their revocation lists.
    #[must_use]
    pub fn list_files(&self) -> &[PathBuf] {
        &self.revocations
    }

    /// Whether a file has changed since it was read.
    pub(super) fn is_outdated(&self) -> bool {
        self.stamps.are_outdated(files(&self.authorities, &self.revocations))
    }

    /// Whether the same files were read, in the same state.
    pub(super) fn is_as(&self, other: &Self) -> bool {
        let files = |trust: &Self| (trust.authorities.clone(), trust.revocations.clone());
        files(self) == files(other) && self.stamps == other.stamps
    }

    /// Reads the files again.
    pub(super) fn read_anew(&self) -> Result<Self, (PathBuf, String)> {
        Self::read(&self.authorities, &self.revocations)
    }

    /// For a listener that requires a valid certificate.
    pub(super) fn required(&self) -> Arc<dyn ClientCertVerifier> {
        self.verifier.clone()
    }

    /// For a listener that also serves clients without a valid certificate.
    pub(super) fn optional(&self) -> Arc<dyn ClientCertVerifier> {
        Arc::new(AnyCertificate(self.verifier.clone()))
    }

    /// Whether a chain is valid now, or why not; its first certificate is the client's own.
    pub(super) fn judge(&self, chain: &[CertificateDer<'_>]) -> Result<(), ClientCertificateFault> {
        let (own, between) = chain.split_first().ok_or(ClientCertificateFault::NotSent)?;
        self.verifier
            .verify_client_cert(own, between, UnixTime::now())
            .map(drop)
            .map_err(ClientCertificateFault::Rejected)
    }
}

impl AuthorityNames {
    fn of(roots: &RootCertStore) -> Self {
        // Each has two octets of length before it.
        let octets = roots.subjects().iter().map(|name| name.as_ref().len() + 2).sum();
        Self { count: roots.len(), octets }
    }

    fn are_too_long(self) -> bool {
        self.octets > LONGEST_NAMES
    }
}

impl ClientCertVerifier for AnyCertificate {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.0.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

fn files<'f>(authorities: &'f Path, revocations: &'f [PathBuf]) -> impl Iterator<Item = &'f Path> {
    std::iter::once(authorities).chain(revocations.iter().map(PathBuf::as_path))
}

fn roots(file: &Path) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates_of(file)? {
        roots.add(certificate).map_err(|fault| fault.to_string())?;
    }
    Ok(roots)
}

/// Authorities publish their lists in DER, tools like PEM.
pub(super) fn lists_of(file: &Path) -> Result<Vec<CertificateRevocationListDer<'static>>, String> {
    const SEQUENCE: u8 = 0x30;
    let octets = fs::read(file).map_err(|fault| fault.to_string())?;
    if octets.first() == Some(&SEQUENCE) {
        return Ok(vec![octets.into()]);
    }
    let lists: Result<Vec<_>, _> = CertificateRevocationListDer::pem_slice_iter(&octets).collect();
    let lists = lists.map_err(|fault| fault.to_string())?;
    if lists.is_empty() {
        return Err("holds no revocation list (a block that begins with BEGIN X509 CRL)".to_owned());
    }
    Ok(lists)
}

//! The server's own certificates: read, checked, and chosen by the name that a client asks for and by what it can verify.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use rustls_pki_types::CertificateDer;
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{Error, InconsistentKeys, crypto};

use super::abilities::Abilities;
use super::pem::{certificates_of, private_key};
use crate::certificate::{Certificate, CertificateFields, host_match};
use crate::file_stamps::FileStamps;

const RIGHT_CHAIN: &str = "expected a PEM file of the server's certificate, followed by the intermediate certificates";

/// The certificates a server may show. A client gets one for the host it names, and of those the first that it can verify;
/// clients that name no host or an unknown one get the first of all that they can verify.
#[derive(Clone, Debug, Default)]
pub struct Certificates {
    pub(super) keys: Vec<ServerCertificate>,
}

/// A certificate with the host names that it is for (RFC 6125: subject alternative names), in lower case.
#[derive(Clone, Debug)]
pub(super) struct ServerCertificate {
    /// The file of the chain.
    pub(super) chain: PathBuf,
    /// The file of the key.
    key_file: PathBuf,
    /// The state of both files when they were read.
    stamps: FileStamps,
    pub(super) names: Vec<String>,
    /// When the first certificate of the chain expires; none if one of them cannot be read.
    pub(super) valid_until: Option<SystemTime>,
    pub(super) key: Arc<CertifiedKey>,
}

/// A file that is wrong, and a sentence: what is wrong, and what is expected.
pub type FileFault = (PathBuf, String);

impl Certificates {
    /// Reads one chain and its key (both PEM) and adds them.
    ///
    /// # Errors
    /// Which file is wrong, and how: it cannot be read, has no PEM block of that kind, or the key cannot be used or does
    /// not belong to the certificate.
    pub fn add(&mut self, chain: &Path, key: &Path) -> Result<(), FileFault> {
        self.keys.push(ServerCertificate::read(chain, key)?);
        Ok(())
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Whether others are from the same files, and have the same content.
    pub(super) fn are(&self, others: &Self) -> bool {
        let parts = |pair: &ServerCertificate| (pair.chain.clone(), pair.key_file.clone(), pair.key.cert.clone());
        self.keys.iter().map(parts).eq(others.keys.iter().map(parts))
    }

    /// The best match; of equal ones the first. A certificate that the client can verify is preferred to one for its
    /// host: a client may ignore the name, but not the signature.
    pub(super) fn choose(&self, host: Option<&str>, client: &Abilities<'_>) -> Option<Arc<CertifiedKey>> {
        if let [only] = self.keys.as_slice() {
            return Some(only.key.clone());
        }
        let host = host.unwrap_or_default().to_ascii_lowercase();
        let rank = |named: &&ServerCertificate| (!client.can_verify(&named.key), host_match(&named.names, &host));
        self.keys.iter().min_by_key(rank).map(|named| named.key.clone())
    }
}

impl ServerCertificate {
    /// The stamps are taken first: a file that is replaced while it is read is read once more.
    fn read(chain: &Path, key: &Path) -> Result<Self, FileFault> {
        let of_chain = |fault: String| (chain.to_owned(), format!("{fault}; {RIGHT_CHAIN}"));
        let of_key = |fault: String| (key.to_owned(), fault);
        let stamps = FileStamps::of([chain, key]);
        let certificates = certificates_of(chain).map_err(of_chain)?;
        let own = certificates
            .first()
            .map(|own| Certificate::read(own))
            .transpose()
            .map_err(|fault| of_chain(fault.to_string()))?;
        let names = own.map(|own| own.host_names).unwrap_or_default();
        let private = private_key(key).map_err(of_key)?;
        let loaded = crypto::aws_lc_rs::default_provider().key_provider.load_private_key(private);
        let private = loaded.map_err(|fault| of_key(unusable(&fault, &certificates)))?;
        let certified = CertifiedKey::new(certificates, private);
        if matches!(certified.keys_match(), Err(Error::InconsistentKeys(InconsistentKeys::KeyMismatch))) {
            return Err(of_key(foreign(&certified, chain)));
        }
        let (chain, key_file, key) = (chain.to_owned(), key.to_owned(), Arc::new(certified));
        let mut pair = Self { chain, key_file, stamps, names, valid_until: None, key };
        let fields = pair.fields().unwrap_or_default();
        pair.valid_until = fields.iter().map(|certificate| certificate.valid_until).min();
        Ok(pair)
    }

    /// Reads the same files again.
    pub(super) fn read_anew(&self) -> Result<Self, FileFault> {
        Self::read(&self.chain, &self.key_file)
    }

    /// Whether one of the files has changed since they were read.
    pub(super) fn is_outdated(&self) -> bool {
        self.stamps.are_outdated([&self.chain, &self.key_file])
    }

    /// The fields of each certificate of the chain, its own first.
    pub(super) fn fields(&self) -> Result<Vec<CertificateFields>, String> {
        let read = |(number, certificate): (usize, &CertificateDer<'_>)| {
            CertificateFields::read(certificate).map_err(|fault| {
                format!("certificate {number} of the file cannot be read: {fault}; expected a sound one")
            })
        };
        (1..).zip(&self.key.cert).map(read).collect()
    }
}

/// Why a key cannot be used: usually its certificate's kind of key explains it.
fn unusable(fault: &Error, chain: &[CertificateDer<'_>]) -> String {
    let own = chain.first().and_then(|own| CertificateFields::read(own).ok());
    match own.as_ref().and_then(|own| Some((own.name(), own.weakness.as_ref()?))) {
        Some((name, weakness)) => format!("cannot be used: {name} {weakness}"),
        None => format!("cannot be used: {fault}; expected the PEM file of an RSA, ECDSA or Ed25519 key"),
    }
}

/// Whose key it is, if it is not that of the chain's first certificate.
fn foreign(certified: &CertifiedKey, chain: &Path) -> String {
    let what = format!("the key does not belong to the first certificate in {}", chain.display());
    let fits = |certificate: &CertificateDer<'_>| {
        CertifiedKey::new(vec![certificate.clone().into_owned()], certified.key.clone()).keys_match().is_ok()
    };
    match certified.cert.iter().position(fits) {
        Some(before) => format!(
            "{what}, but to the one at place {}; expected a chain that begins with the server's own certificate",
            before + 1
        ),
        None => format!("{what}; expected the key with which this certificate was requested"),
    }
}

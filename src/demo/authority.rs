//! A throw-away certificate authority, for the demonstration and for tests.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, Error, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, date_time_ymd,
};

use crate::date::Date;

/// The names of the demonstration's own server.
pub const SERVER_NAMES: [&str; 4] = ["localhost", "127.0.0.1", "::1", "mail.renovations.example"];

const DAY: Duration = Duration::from_secs(86_400);
/// How long the certificates are valid.
const DAYS: u32 = 90;

/// An authority whose key exists in this process only: nothing can be signed with it afterwards.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A server's certificate chain and its key, both PEM.
pub struct Certified {
    /// The server's certificate, followed by the authority's.
    pub chain: String,
    /// Its key, PKCS #8.
    pub key: String,
}

impl Authority {
    /// Creates an authority with a P-256 key; it and its certificates are valid from yesterday for 90 days.
    ///
    /// # Errors
    /// Those of the cryptographic library.
    pub fn new() -> Result<Self, Error> {
        let mut params = params("Restante demonstration CA", &[])?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        Ok(Self { issuer: CertifiedIssuer::self_signed(params, key)? })
    }

    /// The authority's own certificate, PEM: what a client must trust.
    #[must_use]
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// Signs a certificate for a server's names, host names or IP addresses; the first is its common name too.
    ///
    /// # Errors
    /// A name that a certificate cannot contain, or an error of the cryptographic library.
    pub fn certify(&self, names: &[&str]) -> Result<Certified, Error> {
        let mut params = params(names.first().copied().unwrap_or_default(), names)?;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(Certified { chain: certificate.pem() + &self.issuer.pem(), key: key.serialize_pem() })
    }
}

impl Certified {
    /// Writes `NAME.pem` and `NAME.key` (readable by its owner only) into an existing folder; returns both paths.
    ///
    /// # Errors
    /// The system's.
    pub fn write(&self, folder: &Path, name: &str) -> io::Result<(PathBuf, PathBuf)> {
        let (chain, key) = (folder.join(format!("{name}.pem")), folder.join(format!("{name}.key")));
        std::fs::write(&chain, &self.chain)?;
        write_secret(&key, &self.key)?;
        Ok((chain, key))
    }
}

/// Writes a file that only its owner may read.
pub(super) fn write_secret(path: &Path, content: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(content.as_bytes())
}

fn params(common_name: &str, names: &[&str]) -> Result<CertificateParams, Error> {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name.push(DnType::CommonName, common_name);
    let now = SystemTime::now();
    let ((year, month, day), (last_year, last_month, last_day)) =
        (Date::of(now - DAY).day(), Date::of(now + DAY * DAYS).day());
    params.not_before = date_time_ymd(year, month, day);
    params.not_after = date_time_ymd(last_year, last_month, last_day);
    Ok(params)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;
    use std::sync::Arc;
    use tokio_rustls::rustls::RootCertStore;
    use tokio_rustls::rustls::client::WebPkiServerVerifier;
    use tokio_rustls::rustls::client::danger::ServerCertVerifier;
    use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
    use tokio_rustls::rustls::pki_types::pem::PemObject;
    use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};

    #[test]
    fn a_client_that_trusts_the_authority_trusts_its_servers_under_their_names() {
        let authority = Authority::new().unwrap();
        let server = authority.certify(&SERVER_NAMES).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap()).unwrap();
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::new(default_provider()));
        let verifier = verifier.build().unwrap();
        let shown = CertificateDer::from_pem_slice(server.chain.as_bytes()).unwrap();
        let trusts = |name: &'static str| {
            let name = ServerName::try_from(name).unwrap();
            verifier.verify_server_cert(&shown, &[], &name, &[], UnixTime::now()).is_ok()
        };
        assert!(SERVER_NAMES.into_iter().all(trusts));
        assert!(!trusts("pop.renovations.example"));
    }

    #[test]
    fn only_the_owner_may_read_the_key() {
        let folder = tempfile::tempdir().unwrap();
        let (_, key) =
            Authority::new().unwrap().certify(&["localhost"]).unwrap().write(folder.path(), "server").unwrap();
        assert_eq!(std::fs::metadata(key).unwrap().mode() & 0o777, 0o600);
    }
}

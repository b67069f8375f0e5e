//! The server's certificates: read, checked, and chosen by the name that a client asks for and by what it can verify.

use std::path::Path;
use std::sync::Arc;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::crypto;
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;

use super::abilities::Abilities;
use crate::certificate::Certificate;

/// The certificates a server may show. A client gets one for the host it names, and of those the first that it can verify;
/// clients that name no host or an unknown one get the first of all that they can verify.
#[derive(Clone, Debug, Default)]
pub struct Certificates {
    keys: Vec<Named>,
}

/// A certificate with the host names it is for (RFC 6125: subject alternative names), in lower case.
#[derive(Clone, Debug)]
struct Named {
    names: Vec<String>,
    key: Arc<CertifiedKey>,
}

impl Certificates {
    /// Reads one chain and its key (both PEM) and adds them.
    ///
    /// # Errors
    /// A sentence that says which file is wrong, and how: not to be read, no PEM block of that kind, or a key that does
    /// not belong to the certificate.
    pub fn add(&mut self, chain: &Path, key: &Path) -> Result<(), String> {
        let told = |file: &Path, fault: &dyn std::fmt::Display| format!("{}: {fault}", file.display());
        let certificates = CertificateDer::pem_file_iter(chain)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|fault| told(chain, &fault))?;
        let Some(own) = certificates.first() else {
            return Err(told(chain, &"holds no certificate (a block that begins with BEGIN CERTIFICATE)"));
        };
        let names = Certificate::read(own).map(|own| own.host_names).map_err(|fault| told(chain, &fault))?;
        let private = PrivateKeyDer::from_pem_file(key).map_err(|fault| told(key, &fault))?;
        let certified = CertifiedKey::from_der(certificates, private, &crypto::aws_lc_rs::default_provider())
            .map_err(|fault| told(key, &format!("is not the key of {}: {fault}", chain.display())))?;
        self.keys.push(Named { names, key: Arc::new(certified) });
        Ok(())
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The best match; of equal ones the first. What a client can verify goes before what is for its host: it may not
    /// look at the name, but it cannot go on without the signature.
    fn choose(&self, host: Option<&str>, client: &Abilities<'_>) -> Option<Arc<CertifiedKey>> {
        if let [only] = self.keys.as_slice() {
            return Some(only.key.clone());
        }
        let host = host.unwrap_or_default().to_ascii_lowercase();
        let rank = |named: &&Named| (!client.can_verify(&named.key), named.match_of(&host));
        self.keys.iter().min_by_key(rank).map(|named| named.key.clone())
    }
}

/// How well a certificate fits a host name, the best first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Match {
    Exact,
    Wildcard,
    None,
}

impl Named {
    fn match_of(&self, host: &str) -> Match {
        let is_among = |name: &str| self.names.iter().any(|own| own == name);
        // A wildcard stands for exactly one label (RFC 6125 §6.4.3).
        let wildcard = || host.split_once('.').map(|(_, rest)| format!("*.{rest}"));
        if is_among(host) {
            return Match::Exact;
        }
        if wildcard().is_some_and(|pattern| is_among(&pattern)) { Match::Wildcard } else { Match::None }
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.choose(hello.server_name(), &Abilities::of(&hello))
    }
}

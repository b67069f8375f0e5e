//! The server's certificates: read, checked, and chosen by the name a client asks for.

use std::path::Path;
use std::sync::Arc;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert, ServerSessionMemoryCache};
use tokio_rustls::rustls::sign::CertifiedKey;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

/// The certificates a server may show, the first of them to clients that name no host or an unknown one.
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

/// Sessions kept for clients of TLS 1.2 that know no tickets.
const KEPT_SESSIONS: usize = 4096;

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
        let names = host_names(own).map_err(|fault| told(chain, &fault))?;
        let private = PrivateKeyDer::from_pem_file(key).map_err(|fault| told(key, &fault))?;
        let certified = CertifiedKey::from_der(certificates, private, &aws_lc_rs::default_provider())
            .map_err(|fault| told(key, &format!("is not the key of {}: {fault}", chain.display())))?;
        self.keys.push(Named { names, key: Arc::new(certified) });
        Ok(())
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// TLS 1.2 and 1.3 with these certificates. Sessions are resumed on every listener that shares the result.
    ///
    /// # Errors
    /// The crypto library cannot make keys for session tickets.
    pub fn into_tls(self) -> Result<Arc<ServerConfig>, String> {
        let told = |fault: tokio_rustls::rustls::Error| fault.to_string();
        let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(told)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(self));
        config.ticketer = aws_lc_rs::Ticketer::new().map_err(told)?;
        config.session_storage = ServerSessionMemoryCache::new(KEPT_SESSIONS);
        Ok(Arc::new(config))
    }

    fn choose(&self, host: Option<&str>) -> Option<Arc<CertifiedKey>> {
        let host = host.unwrap_or_default().to_ascii_lowercase();
        let exact = || self.keys.iter().find(|named| named.names.contains(&host));
        // A wildcard stands for exactly one label (RFC 6125 §6.4.3).
        let wildcard = || {
            let (_, rest) = host.split_once('.')?;
            let pattern = format!("*.{rest}");
            self.keys.iter().find(|named| named.names.contains(&pattern))
        };
        exact().or_else(wildcard).or(self.keys.first()).map(|named| named.key.clone())
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.choose(hello.server_name())
    }
}

fn host_names(certificate: &CertificateDer<'_>) -> Result<Vec<String>, String> {
    let (_, parsed) = X509Certificate::from_der(certificate).map_err(|fault| fault.to_string())?;
    let alternative = parsed.subject_alternative_name().map_err(|fault| fault.to_string())?;
    let names = alternative.iter().flat_map(|extension| &extension.value.general_names);
    Ok(names
        .filter_map(|name| match name {
            GeneralName::DNSName(host) => Some(host.to_ascii_lowercase()),
            _ => None,
        })
        .collect())
}

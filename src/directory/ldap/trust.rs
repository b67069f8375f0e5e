//! The certificate authorities that the servers of a directory are verified by.

use std::path::Path;
use std::sync::Arc;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::crypto;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::directory::settings::ServerTrust;

/// TLS that trusts the authorities in a PEM file, or the system's if none is given.
///
/// # Errors
/// A sentence that says what is wrong with the file.
pub fn trust(ca: Option<&Path>) -> Result<ServerTrust, String> {
    let roots = Arc::new(roots(ca)?);
    ClientConfig::builder_with_provider(Arc::new(crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map(|builder| builder.with_root_certificates(roots.clone()).with_no_client_auth())
        .map(|configuration| ServerTrust { configuration: Arc::new(configuration), authorities: roots })
        .map_err(|fault| fault.to_string())
}

/// The same, with a client certificate and its key, each a PEM file.
///
/// # Errors
/// A sentence that says what is wrong with one of the files.
pub fn trust_showing(ca: Option<&Path>, certificate: &Path, key: &Path) -> Result<Arc<ClientConfig>, String> {
    let of_file = |file: &Path, fault: &dyn std::fmt::Display| format!("{}: {fault}", file.display());
    let chain = CertificateDer::pem_file_iter(certificate).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let chain = chain.map_err(|fault| of_file(certificate, &fault))?;
    let own = PrivateKeyDer::from_pem_file(key).map_err(|fault| of_file(key, &fault))?;
    let builder = ClientConfig::builder_with_provider(Arc::new(crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|fault| fault.to_string())?;
    let shown = builder.with_root_certificates(roots(ca)?).with_client_auth_cert(chain, own);
    shown.map(Arc::new).map_err(|fault| of_file(certificate, &fault))
}

/// The authorities in a PEM file, or those of the system.
pub(super) fn roots(ca: Option<&Path>) -> Result<RootCertStore, String> {
    match ca {
        Some(file) => own_roots(file),
        None => Ok(system_roots()),
    }
}

fn own_roots(file: &Path) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(file).map_err(|fault| format!("{}: {fault}", file.display()))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|fault| format!("{}: {fault}", file.display()))?;
        roots.add(certificate).map_err(|fault| format!("{}: {fault}", file.display()))?;
    }
    if roots.is_empty() {
        return Err(format!("{} holds no certificate (a block that begins with BEGIN CERTIFICATE)", file.display()));
    }
    Ok(roots)
}

fn system_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(system_authorities());
    roots
}

/// The certificates of the authorities that this system trusts. A bad file among them is skipped.
#[must_use]
pub fn system_authorities() -> Vec<CertificateDer<'static>> {
    rustls_native_certs::load_native_certs().certs
}

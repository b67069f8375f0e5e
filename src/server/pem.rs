//! Reading certificates and keys from PEM files (RFC 7468).

use std::fs;
use std::path::Path;

use rustls_pki_types::pem::{self, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

/// The certificates of a file; at least one.
pub(super) fn certificates_of(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let certificates = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|fault| fault.to_string())?;
    if certificates.is_empty() {
        return Err("holds no certificate (a block that begins with BEGIN CERTIFICATE)".to_owned());
    }
    Ok(certificates)
}

/// The first private key of a file.
pub(super) fn private_key(file: &Path) -> Result<PrivateKeyDer<'static>, String> {
    let right = "expected a PEM file of the certificate's key";
    PrivateKeyDer::from_pem_file(file).map_err(|fault| match fault {
        pem::Error::NoItemsFound if is_encrypted(file) => {
            let plain = "openssl pkey -in FILE -out PLAIN";
            format!("holds a key that is encrypted with a passphrase; expected the same key without one ({plain})")
        }
        pem::Error::NoItemsFound => {
            format!("holds no private key (a block that begins with BEGIN PRIVATE KEY); {right}")
        }
        fault => format!("{fault}; {right}"),
    })
}

fn is_encrypted(file: &Path) -> bool {
    fs::read(file).is_ok_and(|octets| String::from_utf8_lossy(&octets).contains("BEGIN ENCRYPTED PRIVATE KEY"))
}

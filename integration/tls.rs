//! TLS as clients meet it: versions, certificates, resumption, and what must never pass from before it to behind it.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a fault here is a failed test")]

#[path = "tls/certificates.rs"]
mod certificates;
#[path = "tls/handshakes.rs"]
mod handshakes;
#[path = "tls/injection.rs"]
mod injection;
#[path = "tls/kinds_of_key.rs"]
mod kinds_of_key;
mod support;
#[path = "tls/versions.rs"]
mod versions;

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};

/// A client that trusts one authority and speaks one version only.
fn speaking(version: &'static SupportedProtocolVersion, authority: &Path) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_protocol_versions(&[version]).unwrap();
    Arc::new(builder.with_root_certificates(roots).with_no_client_auth())
}

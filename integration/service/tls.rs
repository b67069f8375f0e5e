//! TLS as clients meet it: versions, certificates, resumption, and what must never pass from before it to behind it.

mod handshakes;
mod injection;
mod kinds_of_key;
mod renewal;
mod server_name;
mod versions;

use std::path::Path;
use std::sync::Arc;

use rustls::{ClientConfig, SupportedProtocolVersion};

use crate::support::certificates::showing_by;

/// A client that trusts one authority and speaks one version only.
fn speaking(version: &'static SupportedProtocolVersion, authority: &Path) -> Arc<ClientConfig> {
    showing_by(&[version], authority, None)
}

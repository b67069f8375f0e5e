//! What the configuration would be: the settings that the service itself would make of the answers so far.

use std::fs;
use std::path::Path;

use super::fault::InitFault;
use super::yaml::quoted;
use crate::config::{self, Configuration};
use crate::directory::{self, LdapUrl};

/// How the directory server is reached.
#[derive(Clone, Copy)]
pub(super) struct ServerAddress<'a> {
    pub(super) url: &'a LdapUrl,
    pub(super) starttls: bool,
}

/// The settings of the directory, without the service's entry and its authority, which no file holds yet.
pub(super) fn directory(
    server: ServerAddress<'_>,
    base: &str,
    schema: &str,
    filter: Option<&str>,
) -> Result<directory::Settings, InitFault> {
    let filter = filter.map(|filter| format!("    filter: {}\n", quoted(filter))).unwrap_or_default();
    let loaded = load(&format!("{}{filter}", section(server, base, schema)))?;
    loaded.directories.into_iter().next().ok_or_else(|| InitFault::Option("URL", "names no directory".to_owned()))
}

/// The settings of mail and people's paths.
pub(super) fn mail(
    server: ServerAddress<'_>,
    base: &str,
    schema: &str,
    root: &Path,
    path: &str,
) -> Result<Configuration, InitFault> {
    let root = quoted(&root.display().to_string());
    load(&format!("{}mailboxes:\n  root: {root}\n  path: {}\n", section(server, base, schema), quoted(path)))
}

fn section(server: ServerAddress<'_>, base: &str, schema: &str) -> String {
    format!(
        "directories:\n  - urls: [{}]\n    starttls: {}\n    allow_clear_text: true\n    base: {}\n    schema: {schema}\n",
        quoted(&server.url.to_string()),
        server.starttls,
        quoted(base)
    )
}

/// Without TLS for clients, no certificate is needed; nothing is served by these settings.
fn load(directories_and_mail: &str) -> Result<Configuration, InitFault> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("restante.yaml");
    fs::write(&file, format!("listeners:\n  - {{ address: \"127.0.0.1:0\", tls: none }}\n{directories_and_mail}"))?;
    config::load(&file).map_err(InitFault::Draft)
}

//! What the configuration would be: the settings that the service itself would make of the answers so far.

use std::fs;
use std::path::Path;

use super::document::yaml;
use super::fault::InitFault;
use super::link::DirectoryLink;
use crate::config::{self, Configuration};
use crate::directory;

/// The settings of the directory, without the service's entry and its authority, which no file holds yet.
pub(super) fn directory(
    link: &DirectoryLink,
    base: &str,
    schema: &str,
    filter: Option<&str>,
) -> Result<directory::Settings, InitFault> {
    let filter = filter.map(|filter| format!("    filter: {}\n", yaml(filter))).unwrap_or_default();
    let loaded = load(&format!("{}{filter}", section(link, base, schema)))?;
    loaded.directories.into_iter().next().ok_or_else(|| InitFault::Option("URL", "names no directory".to_owned()))
}

/// The settings of mail and people's paths.
pub(super) fn mail(
    link: &DirectoryLink,
    base: &str,
    schema: &str,
    root: &Path,
    path: &str,
) -> Result<Configuration, InitFault> {
    let root = yaml(&root.display().to_string());
    load(&format!("{}mailboxes:\n  root: {root}\n  path: {}\n", section(link, base, schema), yaml(path)))
}

fn section(link: &DirectoryLink, base: &str, schema: &str) -> String {
    format!(
        "directories:\n  - urls: [{}]\n    starttls: {}\n    allow_clear_text: true\n    base: {}\n    schema: {schema}\n",
        yaml(&link.url.to_string()),
        link.starttls,
        yaml(base)
    )
}

/// Without TLS for clients, no certificate is needed; nothing is served by these settings.
fn load(directories_and_mail: &str) -> Result<Configuration, InitFault> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("restante.yaml");
    fs::write(&file, format!("listeners:\n  - {{ address: \"127.0.0.1:0\", tls: none }}\n{directories_and_mail}"))?;
    config::load(&file).map_err(InitFault::Draft)
}

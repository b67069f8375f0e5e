//! `restante check`: everything that is wrong, before anybody depends on it.

use std::path::Path;

use super::{Ended, complain};
use crate::config;
use crate::directory::Directory;
use crate::maildir::Store;
use crate::server::TlsPolicies;

#[allow(clippy::print_stdout, reason = "the result of the command")]
pub(super) fn check(file: &Path) -> Ended {
    let configuration = match config::load(file) {
        Ok(configuration) => configuration,
        Err(faults) => {
            complain(&faults);
            return Ended::BadConfiguration;
        }
    };
    let mut faults: Vec<String> = Vec::new();
    if let Some(certificates) = configuration.server.certificates {
        faults.extend(
            TlsPolicies::new(certificates, configuration.server.client_trust)
                .err()
                .map(|fault| format!("tls: {fault}")),
        );
    }
    faults.extend(Store::new(configuration.maildir).err().map(|fault| format!("mailboxes.root: {fault}")));
    faults.extend(probe(&Directory::new(configuration.directory)).err());
    for fault in &faults {
        complain(fault);
    }
    if !faults.is_empty() {
        return Ended::FoundWrong;
    }
    println!("{}: configuration, certificates, mail root and directory are fine", file.display());
    Ended::Fine
}

fn probe(directory: &Directory) -> Result<(), String> {
    let name = directory.settings().name.clone();
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|fault| fault.to_string())?;
    runtime.block_on(directory.probe()).map_err(|fault| format!("directory {name}: {fault}"))
}

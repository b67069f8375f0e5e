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
    faults.extend(configuration.directories.into_iter().flat_map(|directory| probe(&Directory::new(directory))));
    for fault in &faults {
        complain(fault);
    }
    if !faults.is_empty() {
        return Ended::FoundWrong;
    }
    println!("{}: configuration, certificates, mail root and directories are fine", file.display());
    Ended::Fine
}

/// What is wrong with a directory: that it gives no answer, or what it does not let the service read.
fn probe(directory: &Directory) -> Vec<String> {
    let told = |fault: &dyn std::fmt::Display| format!("directory {}: {fault}", directory.settings().name);
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(fault) => return vec![told(&fault)],
    };
    let asked = runtime.block_on(async {
        directory.probe().await?;
        directory.unreadable_states().await
    });
    match asked {
        Ok(unreadable) if unreadable.is_empty() => Vec::new(),
        Ok(unreadable) => vec![told(&format!(
            "the service's entry may not read {}, which tell of an account's state; right would be to let it read them",
            unreadable.join(", ")
        ))],
        Err(fault) => vec![told(&fault)],
    }
}

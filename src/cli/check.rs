//! `restante check`: everything that is wrong, before anybody depends on it.

use std::path::Path;

use super::{Ended, act_as_service, complain};
use crate::config;
use crate::directory::{Directory, Fault};
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
    // As in `serve`, keys are read first, and the mail with the rights of the service.
    faults.extend(act_as_service(configuration.server.user.as_deref()).err().map(|fault| format!("user: {fault}")));
    faults.extend(Store::new(configuration.maildir).err().map(|fault| format!("mailboxes.root: {fault}")));
    let by_person = configuration.identity.ageing.by_person;
    let wanted: Vec<_> = by_person
        .into_iter()
        .map(|by_person| (by_person.attribute, "expire.attribute says how long mail stays"))
        .collect();
    let directories = configuration.directories.into_iter().map(Directory::new);
    faults.extend(directories.flat_map(|directory| probe(&directory, &wanted)));
    for fault in &faults {
        complain(fault);
    }
    if !faults.is_empty() {
        return Ended::FoundWrong;
    }
    println!("{}: configuration, certificates, mail root and directories are fine", file.display());
    Ended::Fine
}

/// What is wrong with a directory: that it gives no answer, or what it does not let the service read; `wanted`: attributes
/// that settings name, each with what for.
fn probe(directory: &Directory, wanted: &[(String, &str)]) -> Vec<String> {
    let told = |fault: &dyn std::fmt::Display| format!("directory {}: {fault}", directory.settings().name);
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(fault) => return vec![told(&fault)],
    };
    match runtime.block_on(unreadable(directory, wanted)) {
        Ok(faults) => faults.iter().map(|fault| told(fault)).collect(),
        Err(fault) => vec![told(&fault)],
    }
}

async fn unreadable(directory: &Directory, wanted: &[(String, &str)]) -> Result<Vec<String>, Fault> {
    directory.probe().await?;
    let mut faults = Vec::new();
    let states = directory.unreadable_states().await?;
    if !states.is_empty() {
        faults.push(format!(
            "the service's entry may not read {}, which tell of an account's state; right would be to let it read them",
            states.join(", ")
        ));
    }
    let scram = directory
        .settings()
        .attributes
        .scram
        .clone()
        .map(|attribute| (attribute, "attributes.scram says that SCRAM credentials are"));
    for (attribute, what_for) in scram.iter().chain(wanted) {
        if directory.is_unreadable(attribute.clone()).await? {
            faults.push(format!(
                "the service's entry may not read {attribute}, where {what_for}; right would be to let it read them, or an \
                 attribute of the directory's schema"
            ));
        }
    }
    Ok(faults)
}

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
        Ok::<_, Fault>((directory.unreadable_states().await?, directory.unreadable_scram().await?))
    });
    let (states, scram) = match asked {
        Ok(unreadable) => unreadable,
        Err(fault) => return vec![told(&fault)],
    };
    let states = (!states.is_empty()).then(|| {
        told(&format!(
            "the service's entry may not read {}, which tell of an account's state; right would be to let it read them",
            states.join(", ")
        ))
    });
    let scram = scram.map(|attribute| {
        told(&format!(
            "the service's entry may not read {attribute}, where attributes.scram says that SCRAM credentials are; right \
             would be to let it read them, or an attribute of the directory's schema"
        ))
    });
    states.into_iter().chain(scram).collect()
}

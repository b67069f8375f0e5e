//! `restante check`: everything that is wrong, before anybody depends on it.

mod certificates;

use std::path::Path;

use super::maildrops::{Owner, next_owner};
use super::{Ended, act_as_service, complain};
use crate::config;
use crate::directory::{Directory, Fault};
use crate::identity;
use crate::maildir::{Condition, Store};

/// People of each directory whose Maildirs are looked at. An audit looks at everybody's, which takes its time.
const LOOKED_AT: usize = 1_000;

/// How many of those are named whose mail cannot be served.
const NAMED: usize = 5;

#[allow(clippy::print_stdout, reason = "the result of the command")]
pub(super) fn check(file: &Path) -> Ended {
    let configuration = match config::load(file) {
        Ok(configuration) => configuration,
        Err(faults) => {
            complain(&faults);
            return Ended::BadConfiguration;
        }
    };
    let certificates = certificates::inspect(&configuration);
    let mut faults = certificates.faults;
    for note in certificates.notes {
        println!("note: {note}");
    }
    // As in `serve`, keys are read first, and the mail with the rights of the service.
    faults.extend(act_as_service(configuration.server.user.as_deref()).err().map(|fault| format!("user: {fault}")));
    let store = Store::new(configuration.maildir).map_err(|fault| faults.push(format!("mailboxes.root: {fault}"))).ok();
    for directory in configuration.directories.into_iter().map(Directory::new) {
        match probe(&directory, &configuration.identity) {
            Ok(found) => {
                faults.extend(found.faults.iter().map(|fault| told(&directory, fault)));
                faults.extend(store.as_ref().and_then(|store| unserved(store, &found.people)));
            }
            Err(fault) => faults.push(told(&directory, &fault)),
        }
    }
    for fault in &faults {
        complain(fault);
    }
    if !faults.is_empty() {
        return Ended::FoundWrong;
    }
    println!("{}: configuration, certificates, mail root and directories are fine", file.display());
    Ended::Fine
}

/// What a directory lets the service see.
struct Found {
    /// What it does not let it read.
    faults: Vec<String>,
    /// Some people, and where their mail is.
    people: Vec<Owner>,
}

fn told(directory: &Directory, fault: &dyn std::fmt::Display) -> String {
    format!("directory {}: {fault}", directory.settings().name)
}

/// Asks a directory, whose answer is none or a fault.
fn probe(directory: &Directory, settings: &identity::Settings) -> Result<Found, anyhow::Error> {
    let wanted: Vec<_> = settings
        .ageing
        .by_person
        .iter()
        .map(|by_person| (by_person.attribute.clone(), "expire.attribute says how long mail stays"))
        .collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let faults = unreadable(directory, &wanted).await?;
        Ok(Found { faults, people: people(directory, settings).await })
    })
}

/// The first people that a directory tells of, as far as they have a place for their mail; for what else may be wrong with
/// them, there is the audit.
async fn people(directory: &Directory, settings: &identity::Settings) -> Vec<Owner> {
    let (mut walk, attributes) = (directory.walk(), &directory.settings().attributes);
    let mut people = Vec::new();
    while people.len() < LOOKED_AT
        && let Some(owner) = next_owner(&mut walk, attributes, settings).await
    {
        people.extend(owner.ok());
    }
    people
}

/// Whose Maildirs may not be read or not be written; none if all are fine.
fn unserved(store: &Store, people: &[Owner]) -> Option<String> {
    let why = |Owner { person, path, .. }: &Owner| match store.inspect(path) {
        Condition::Fine(_) | Condition::Missing => None,
        Condition::Forbidden(why) | Condition::Unusable(_, why) => Some(format!("{person}: {why}")),
    };
    let unserved: Vec<String> = people.iter().filter_map(why).collect();
    let named = unserved.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join("; ");
    (!unserved.is_empty()).then(|| {
        format!(
            "mailboxes: the mail of {} of the {} people looked at cannot be served ({named}); `restante audit` looks at \
             everybody's",
            unserved.len(),
            people.len()
        )
    })
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

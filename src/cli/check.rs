//! `restante check`: reports everything that is wrong with configuration, certificates, directories, mail root and machine.
//!
//! | file | what is checked |
//! |---|---|
//! | `certificates`, `rights` | files that the configuration names |
//! | `directories` | the directories, and which people they have |
//! | `machine` | what follows, put into the report |
//! | `running` | the running service: is its configuration this one? |
//! | `ports`, `listening` | whether the addresses can be bound, and who has them |
//! | `limits`, `clock`, `space` | limits of the process, the time, room on the file systems of mail |

mod certificates;
mod clock;
mod directories;
mod hosts;
mod limits;
mod listening;
mod machine;
mod ports;
mod rights;
mod running;
mod space;

use std::collections::HashSet;
use std::path::Path;

use serde_json::{Value, json};

use self::directories::{Probed, not_found_by_name, probe};
use self::listening::ListeningSockets;
use super::acting::{self, ActingUser};
use super::maildrops::serves_here;
use super::{ExitStatus, act_as_service, load_outside_unit, report_error};
use crate::audit::{Coverage, Sample};
use crate::config::Configuration;
use crate::directory::Directory;
use crate::identity::{self, IdentityMap};
use crate::maildir::Store;

/// The largest number of people named whose mail cannot be served.
const NAMED: usize = 5;

/// The largest number of messages inspected.
const FILES: usize = 10_000;

/// What was found.
#[derive(Default)]
struct Checked {
    /// A sentence for each thing that is wrong.
    faults: Vec<String>,
    /// A sentence for each note.
    notes: Vec<String>,
    /// A sentence for each thing that exists.
    seen: Vec<String>,
    directories: Vec<Value>,
    mailboxes: Option<Value>,
    service: Value,
    listeners: Vec<Value>,
    rooms: Vec<Value>,
}

/// Checks as `user`, if given, or else as the user of the service.
pub(super) fn check(file: &Path, user: Option<&str>, json: bool) -> ExitStatus {
    // Before the user is changed: only root sees whose they are.
    let sockets = ListeningSockets::read();
    let reader = match acting::begin(file, user) {
        Ok(reader) => reader,
        Err(fault) => {
            report_error(&fault);
            return ExitStatus::ProblemFound;
        }
    };
    let configuration = match load_outside_unit(file) {
        Ok(configuration) => configuration,
        Err(ended) => return ended,
    };
    let mut checked = Checked::default();
    checked.machine(file, &configuration, &sockets);
    checked.everything(configuration, &reader);
    checked.report(file, json);
    if checked.faults.is_empty() { ExitStatus::Success } else { ExitStatus::ProblemFound }
}

impl Checked {
    fn everything(&mut self, configuration: Configuration, reader: &ActingUser) {
        self.notes.extend(reader.note());
        let of_clients = configuration.server.client_trust.is_some();
        let certificates = certificates::inspect(&configuration);
        self.faults.extend(certificates.faults);
        self.notes.extend(certificates.notes);
        // As in `serve`, keys are read first, and the mail with the rights of the service.
        self.note_fault("user", act_as_service(configuration.server.user.as_deref()));
        self.faults.extend(rights::inspect(&configuration, reader.name()));
        let root = configuration.maildir.root.clone();
        self.hosts(&configuration.identity, &configuration.connection.hostname);
        let store = serves_here(&configuration.identity).then(|| Store::new(configuration.maildir));
        let store = store.and_then(|store| self.note_fault("mailboxes.root", store));
        let directories: Vec<Directory> = configuration.directories.into_iter().map(Directory::new).collect();
        let count = directories.len();
        let samples = match self.directories(directories, &configuration.identity, of_clients) {
            Ok(samples) => samples,
            Err(fault) => return self.faults.push(fault.to_string()),
        };
        self.room(&root, &samples);
        if let Some(store) = store {
            self.mail(&Coverage::compare(&store, &root, &samples, count));
            self.unreadable_mail(&store, &samples);
        }
    }

    /// Files that cannot be read as mail, among as many as can be looked at quickly.
    fn unreadable_mail(&mut self, store: &Store, samples: &[Sample]) {
        let (mut count, mut looked_at, mut first, mut seen) = (0, 0, None, HashSet::new());
        let people = samples.iter().flat_map(Sample::here);
        for path in people.filter_map(|person| person.maildrop.as_ref().ok()).filter(|path| seen.insert(*path)) {
            // What cannot be entered was reported.
            let Ok(unreadable) = store.unreadable(path, FILES - looked_at) else { continue };
            count += unreadable.count;
            looked_at += unreadable.looked_at;
            first = first.or(unreadable.first.map(|(file, why)| format!("{path}/{}: {why}", file.display())));
        }
        if let Some(first) = first {
            self.notes.push(format!(
                "mailboxes: {count} of {looked_at} messages inspected cannot be read as mail, and are neither sent nor \
                 deleted ({first}); `restante audit` inspects all"
            ));
        }
        if let Some(mailboxes) = self.mailboxes.as_mut().and_then(Value::as_object_mut) {
            mailboxes.insert("unreadable_messages".to_owned(), json!(count));
        }
    }

    fn note_fault<T, Fault: std::fmt::Display>(&mut self, what: &str, outcome: Result<T, Fault>) -> Option<T> {
        outcome.map_err(|fault| self.faults.push(format!("{what}: {fault}"))).ok()
    }

    fn directories(
        &mut self,
        directories: Vec<Directory>,
        settings: &identity::Settings,
        certificates: bool,
    ) -> anyhow::Result<Vec<Sample>> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let identities = IdentityMap::new(directories.clone(), settings.clone()).map_err(anyhow::Error::msg)?;
        let mut samples = Vec::new();
        for directory in directories {
            let mut probed = runtime.block_on(probe(&directory, settings, certificates));
            if let (Some(sample), true) = (&probed.sample, probed.faults.is_empty()) {
                probed.faults.extend(runtime.block_on(not_found_by_name(&identities, sample)));
            }
            self.take(&directory, probed, &mut samples);
        }
        Ok(samples)
    }

    fn take(&mut self, directory: &Directory, probed: Probed, samples: &mut Vec<Sample>) {
        let of = directory.settings();
        let named = |sentence: &String| format!("directory {}: {sentence}", of.name);
        self.faults.extend(probed.faults.iter().map(named));
        self.notes.extend(probed.notes.iter().map(named));
        self.seen.extend(probed.counted(of));
        if let Some(found) = probed.clock {
            self.clock(&of.name, found);
        }
        let people = probed.sample.as_ref().map(|sample| sample.people.len());
        let is_complete = probed.sample.as_ref().map(Sample::is_complete);
        self.directories.push(json!({ "name": &*of.name, "people": people, "complete": is_complete }));
        samples.extend(probed.sample);
    }

    fn mail(&mut self, mail: &Coverage) {
        let (people, with_maildir) = (mail.people(), mail.with_maildir());
        if people > 0 {
            self.seen.push(format!("mailboxes: {with_maildir} of {people} people have a Maildir"));
        }
        let unserved = &mail.unserved;
        if !unserved.is_empty() {
            let named = unserved.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join("; ");
            self.faults.push(format!(
                "mailboxes: the mail of {} of {people} people inspected cannot be served ({named}); `restante audit` \
                 inspects everybody's",
                unserved.len(),
            ));
        }
        match mail.doubt() {
            Some(doubt) => self.faults.push(format!("mailboxes: {doubt}")),
            None => self.notes.extend(mail.note().map(|note| format!("mailboxes: {note}"))),
        }
        self.mailboxes = Some(json!({
            "people": people, "with_maildir": with_maildir, "other_maildirs": mail.others(), "unusable": unserved.len(),
        }));
    }

    #[allow(clippy::print_stdout, reason = "the result of the command")]
    fn report(&self, file: &Path, json: bool) {
        if json {
            let whole = json!({
                "clean": self.faults.is_empty(), "faults": self.faults, "notes": self.notes,
                "directories": self.directories, "mailboxes": self.mailboxes, "service": self.service,
                "listeners": self.listeners, "file_systems": self.rooms,
            });
            println!("{whole:#}");
            return;
        }
        self.seen.iter().for_each(|seen| println!("{}", super::sanitized(seen)));
        self.notes.iter().for_each(|note| println!("note: {}", super::sanitized(note)));
        self.faults.iter().for_each(|fault| report_error(&super::sanitized(fault)));
        if self.faults.is_empty() {
            println!("{}: configuration, certificates, mail root and directories are in order", file.display());
        }
    }
}

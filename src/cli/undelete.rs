//! `restante undelete`: restores what a mail program deleted.

use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::layout::wrapped;
use super::maildrops::{self, MaildropOwner, Maildrops};
use super::{ExitStatus, report_error, sanitized};
use crate::maildir::{Deleted, DeletedMail};

/// The options of the command.
pub(super) struct UndeleteOptions {
    pub(super) login: String,
    /// The names of the messages; empty for all.
    pub(super) names: Vec<String>,
    pub(super) since: Option<Duration>,
    pub(super) list: bool,
    pub(super) same_id: bool,
    pub(super) json: bool,
}

/// The results.
#[derive(Default)]
struct UndeleteReport {
    person: String,
    /// The number of messages that could be restored.
    there: usize,
    listed: Vec<ListedMessage>,
    back: Vec<String>,
    /// Names, each with the reason why it was not restored.
    not_back: Vec<(String, String)>,
}

/// A deleted message, for somebody who looks for it.
struct ListedMessage {
    name: String,
    octets: u64,
    folder: Option<String>,
    age: Duration,
    subject: String,
}

pub(super) fn undelete(file: &Path, wanted: &UndeleteOptions) -> ExitStatus {
    maildrops::run(file, |maildrops| {
        let outcome = restore(maildrops, wanted)?;
        outcome.report(wanted, maildrops.keeps_deleted);
        Ok(outcome.not_back.is_empty())
    })
}

fn restore(maildrops: &Maildrops, wanted: &UndeleteOptions) -> anyhow::Result<UndeleteReport> {
    let MaildropOwner { person, path, .. } = maildrops.of(&wanted.login)?;
    let path = maildrops.store.choose(&path)?;
    let mut mail = maildrops.store.deleted(&path)?;
    let deleted = match &mut mail {
        Some(mail) => mail.list()?,
        None => Vec::new(),
    };
    let not_back = wanted.names.iter().filter_map(|name| Some((name.clone(), wanted.why_not(name, &deleted)?)));
    let mut outcome =
        UndeleteReport { person, there: deleted.len(), not_back: not_back.collect(), ..UndeleteReport::default() };
    let Some(mail) = mail else { return Ok(outcome) };
    for one in deleted.iter().filter(|one| wanted.is(one)) {
        if wanted.list {
            outcome.listed.push(ListedMessage::of(&mail, one));
            continue;
        }
        match mail.undelete(one, wanted.same_id) {
            Ok(()) => outcome.back.push(one.name()),
            Err(fault) => outcome.not_back.push((one.name(), format!("not restored: {fault}"))),
        }
    }
    Ok(outcome)
}

impl UndeleteOptions {
    fn is(&self, deleted: &Deleted) -> bool {
        self.is_recent(deleted) && (self.names.is_empty() || self.names.contains(&deleted.name()))
    }

    fn is_recent(&self, deleted: &Deleted) -> bool {
        let age = age(deleted);
        self.since.is_none_or(|since| age <= since)
    }

    /// Why a given name matches no message; none if it matches one.
    fn why_not(&self, name: &str, deleted: &[Deleted]) -> Option<String> {
        let mut of_name = deleted.iter().filter(|one| one.name() == name).peekable();
        if of_name.peek().is_none() {
            return Some("is not a deleted message; --list shows their names".to_owned());
        }
        (!of_name.any(|one| self.is_recent(one))).then(|| "was deleted longer ago than --since allows".to_owned())
    }
}

impl UndeleteReport {
    #[allow(clippy::print_stdout, reason = "the result of the command")]
    fn report(&self, wanted: &UndeleteOptions, keeps_deleted: bool) {
        if wanted.json {
            println!("{:#}", self.json(wanted.list));
            return;
        }
        for (name, why) in &self.not_back {
            report_error(&sanitized(&format!("{name} {why}")));
        }
        for one in &self.listed {
            print!("{}", one.text());
        }
        if self.there == 0 && !keeps_deleted {
            report_error(&"note: mailboxes.deletion is `remove`, so deleted messages are not kept");
        }
        let asked = self.back.len() + self.not_back.len();
        if asked > 0 && !wanted.list {
            println!("{}", sanitized(&format!("restored {} of {asked} messages of {}", self.back.len(), self.person)));
        } else if self.listed.is_empty() {
            println!("{}", sanitized(&format!("{} has no deleted messages that can be restored", self.person)));
        }
    }

    fn json(&self, is_list: bool) -> Value {
        let not_back = self.not_back.iter().map(|(name, why)| json!({ "name": name, "reason": why }));
        let mut whole = json!({
            "clean": self.not_back.is_empty(),
            "person": self.person,
            "not_restored": not_back.collect::<Vec<_>>(),
        });
        let (key, value) = if is_list {
            ("deleted", self.listed.iter().map(ListedMessage::json).collect())
        } else {
            ("restored", Value::from(self.back.clone()))
        };
        if let Some(object) = whole.as_object_mut() {
            object.insert(key.to_owned(), value);
        }
        whole
    }
}

impl ListedMessage {
    fn of(mail: &DeletedMail<'_>, one: &Deleted) -> Self {
        let subject = mail.head(one).ok().and_then(|head| subject(&head)).unwrap_or_default();
        let folder = one.folder().map(|folder| folder.display().to_string());
        Self { name: one.name(), octets: one.size, folder, age: age(one), subject }
    }

    fn text(&self) -> String {
        let folder = self.folder.as_ref().map(|folder| format!(", in {folder}")).unwrap_or_default();
        let first = format!("deleted {}, {} octets{folder}", ago(self.age), self.octets);
        let lines = [(first, 0), (self.name.clone(), 4), (format!("Subject: {}", self.subject), 4)];
        lines.iter().map(|(line, indent)| wrapped(&sanitized(line), *indent)).collect()
    }

    fn json(&self) -> Value {
        json!({
            "name": self.name, "octets": self.octets, "folder": self.folder, "seconds_ago": self.age.as_secs(),
            "subject": self.subject,
        })
    }
}

fn age(deleted: &Deleted) -> Duration {
    SystemTime::now().duration_since(deleted.moment()).unwrap_or_default()
}

/// The first line of the subject, as in the header.
fn subject(head: &[u8]) -> Option<String> {
    let is_subject = |line: &&[u8]| line.get(..8).is_some_and(|name| name.eq_ignore_ascii_case(b"subject:"));
    let header = head.split(|octet| *octet == b'\n').take_while(|line| !matches!(line, [] | [b'\r']));
    let line = header.into_iter().find(|line| is_subject(line))?.get(8..)?;
    Some(String::from_utf8_lossy(line).trim().to_owned())
}

/// In the largest unit that gives a number above zero.
fn ago(age: Duration) -> String {
    let seconds = age.as_secs();
    let units = [("d", 24 * 60 * 60), ("h", 60 * 60), ("m", 60)];
    let unit = units.iter().find(|(_, length)| seconds >= *length);
    unit.map_or_else(|| format!("{seconds}s ago"), |(unit, length)| format!("{}{unit} ago", seconds / length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_stands_in_the_header() {
        for (head, expected) in [
            ("From: a\r\nSubject:  Hello \r\n\r\nSubject: no\r\n", Some("Hello")),
            ("SUBJECT: x\n y\n\n", Some("x")),
            ("From: a\n\nSubject: no\n", None),
            ("", None),
        ] {
            assert_eq!(subject(head.as_bytes()).as_deref(), expected);
        }
    }

    #[test]
    fn an_age_has_one_unit() {
        for (seconds, expected) in [(0, "0s ago"), (59, "59s ago"), (3_599, "59m ago"), (90_000, "1d ago")] {
            assert_eq!(ago(Duration::from_secs(seconds)), expected);
        }
    }
}

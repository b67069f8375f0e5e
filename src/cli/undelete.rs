//! `restante undelete`: brings back what a mail program deleted.

use std::path::Path;
use std::time::{Duration, SystemTime};

use comfy_table::{Table, presets};

use super::maildrops::{self, Maildrops, Owner};
use super::{Ended, complain, harmless};
use crate::maildir::{Deleted, DeletedMail};

/// What is wanted back.
pub(super) struct Wanted {
    pub(super) login: String,
    /// Of all messages, if there are none.
    pub(super) names: Vec<String>,
    pub(super) since: Option<Duration>,
    pub(super) list: bool,
    pub(super) same_id: bool,
}

pub(super) fn undelete(file: &Path, wanted: &Wanted) -> Ended {
    maildrops::run(file, |maildrops| bring_back(maildrops, wanted))
}

#[allow(clippy::print_stdout, reason = "the result of the command")]
fn bring_back(maildrops: &Maildrops, wanted: &Wanted) -> anyhow::Result<bool> {
    let Owner { person, path, .. } = maildrops.of(&wanted.login)?;
    let mut mail = maildrops.store.deleted(&path)?;
    let deleted = match &mut mail {
        Some(mail) => mail.list()?,
        None => Vec::new(),
    };
    let missing = wanted.names.iter().filter(|name| !deleted.iter().any(|one| one.name() == **name));
    let missing: Vec<&String> =
        missing.inspect(|name| complain(&format!("no deleted message is called {name}"))).collect();
    let chosen: Vec<&Deleted> = deleted.iter().filter(|one| wanted.is(one)).collect();
    let Some(mail) = mail.filter(|_| !chosen.is_empty()) else {
        println!("nothing that {person} deleted can be brought back");
        return Ok(missing.is_empty());
    };
    if wanted.list {
        println!("{}", harmless(&table(&mail, &chosen).to_string()));
        return Ok(missing.is_empty());
    }
    let mut back = 0;
    for one in &chosen {
        match mail.undelete(one, wanted.same_id) {
            Ok(()) => back += 1,
            Err(fault) => complain(&format!("{} is not brought back: {fault}", harmless(&one.name()))),
        }
    }
    println!("brought back {back} of {} messages of {person}", chosen.len());
    Ok(back == chosen.len() && missing.is_empty())
}

impl Wanted {
    fn is(&self, deleted: &Deleted) -> bool {
        let age = age(deleted);
        self.since.is_none_or(|since| age <= since) && (self.names.is_empty() || self.names.contains(&deleted.name()))
    }
}

fn age(deleted: &Deleted) -> Duration {
    SystemTime::now().duration_since(deleted.moment()).unwrap_or_default()
}

fn table(mail: &DeletedMail<'_>, deleted: &[&Deleted]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_header(["deleted", "octets", "lies in", "name", "subject"]);
    for one in deleted {
        let lies_in = one.folder().map_or("-".to_owned(), |folder| folder.display().to_string());
        let subject = mail.head(one).ok().and_then(|head| subject(&head)).unwrap_or_default();
        table.add_row([ago(age(one)), one.size.to_string(), lies_in, one.name(), subject]);
    }
    table
}

/// The first line of the subject, as it stands in the header.
fn subject(head: &[u8]) -> Option<String> {
    let is_subject = |line: &&[u8]| line.get(..8).is_some_and(|name| name.eq_ignore_ascii_case(b"subject:"));
    let header = head.split(|octet| *octet == b'\n').take_while(|line| !matches!(line, [] | [b'\r']));
    let line = header.into_iter().find(|line| is_subject(line))?.get(8..)?;
    Some(String::from_utf8_lossy(line).trim().to_owned())
}

/// In the greatest unit that leaves a number.
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
        for (head, told) in [
            ("From: a\r\nSubject:  Hello \r\n\r\nSubject: no\r\n", Some("Hello")),
            ("SUBJECT: x\n y\n\n", Some("x")),
            ("From: a\n\nSubject: no\n", None),
            ("", None),
        ] {
            assert_eq!(subject(head.as_bytes()).as_deref(), told);
        }
    }

    #[test]
    fn an_age_has_one_unit() {
        for (seconds, told) in [(0, "0s ago"), (59, "59s ago"), (3_599, "59m ago"), (90_000, "1d ago")] {
            assert_eq!(ago(Duration::from_secs(seconds)), told);
        }
    }
}

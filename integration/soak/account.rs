//! Which messages there are, which were deleted by whom, and under which unique-id each was seen.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

use super::mail::{number_in, text, unpacked};
use crate::support::conversation::Conversation;
use crate::support::maildir;

/// What the test knows. A message is known by the number in its subject.
#[derive(Default)]
pub(super) struct Account(Mutex<Known>);

#[derive(Default)]
struct Known {
    delivered: BTreeSet<usize>,
    /// Marked in a session whose QUIT was answered by `+OK`.
    deleted: BTreeSet<usize>,
    /// Marked in a session of which nobody knows how it ended.
    perhaps_deleted: BTreeSet<usize>,
    by_id: HashMap<String, usize>,
    by_number: HashMap<usize, String>,
}

/// A message as a client sees it.
pub(super) struct Seen {
    /// Its message-number.
    pub(super) at: usize,
    pub(super) unique_id: String,
}

impl Account {
    /// Delivers one more message.
    pub(super) fn deliver(&self, maildrop: &Path) {
        let number = self.number();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let name = format!("new/{}.M{}P1Q{number}.soak", now.as_secs(), now.subsec_micros());
        maildir::deliver(maildrop, &name, &text(number));
    }

    /// The number of a message that is about to be delivered.
    pub(super) fn number(&self) -> usize {
        let mut known = self.0.lock().unwrap();
        let number = known.delivered.len();
        known.delivered.insert(number);
        number
    }

    /// Notes under which unique-id a message was seen: it never changes, and never stands for another message.
    pub(super) fn saw(&self, number: usize, unique_id: &str) {
        let mut known = self.0.lock().unwrap();
        let first = known.by_id.entry(unique_id.to_owned()).or_insert(number);
        assert_eq!(*first, number, "{unique_id} stood for another message");
        let first = known.by_number.entry(number).or_insert_with(|| unique_id.to_owned());
        assert_eq!(first, unique_id, "the unique-id of message {number} changed");
    }

    /// The end of a session that had marked these.
    pub(super) fn quit(&self, marked: &BTreeSet<usize>, reply: Option<&str>) {
        let mut known = self.0.lock().unwrap();
        match reply {
            Some(reply) if reply.starts_with("+OK") => known.deleted.extend(marked),
            _ => known.perhaps_deleted.extend(marked),
        }
    }

    /// How many messages there should be now, at most.
    pub(super) fn left(&self) -> usize {
        let known = self.0.lock().unwrap();
        known.delivered.len() - known.deleted.len()
    }

    /// delivered = kept + deleted by its user.
    pub(super) fn settle(&self, kept: &BTreeMap<usize, usize>) {
        let known = self.0.lock().unwrap();
        let twice: Vec<&usize> = kept.iter().filter(|(_, times)| **times > 1).map(|(number, _)| number).collect();
        assert!(twice.is_empty(), "there twice: {twice:?}");
        let kept: BTreeSet<usize> = kept.keys().copied().collect();
        let foreign: Vec<&usize> = kept.difference(&known.delivered).collect();
        assert!(foreign.is_empty(), "never delivered: {foreign:?}");
        let back: Vec<&usize> = kept.intersection(&known.deleted).collect();
        assert!(back.is_empty(), "deleted and still there: {back:?}");
        let gone: BTreeSet<usize> = known.deleted.union(&known.perhaps_deleted).copied().collect();
        let accounted: BTreeSet<usize> = kept.union(&gone).copied().collect();
        let lost: Vec<&usize> = known.delivered.difference(&accounted).collect();
        assert!(lost.is_empty(), "lost: {lost:?}");
        eprintln!(
            "{} delivered, {} kept, {} deleted, {} of which nobody knows, {} unique-ids",
            known.delivered.len(),
            kept.len(),
            known.deleted.len(),
            known.perhaps_deleted.difference(&known.deleted).count(),
            known.by_id.len(),
        );
    }

    /// Where deleted mail is kept, nothing is ever gone.
    pub(super) fn settle_kept(&self, everywhere: &BTreeMap<usize, usize>) {
        let known = self.0.lock().unwrap();
        let missing: Vec<&usize> = known.delivered.iter().filter(|number| !everywhere.contains_key(number)).collect();
        assert!(missing.is_empty(), "neither kept nor there: {missing:?}");
    }
}

/// The messages that a session lists.
pub(super) fn listed(client: &mut Conversation) -> Vec<Seen> {
    client.ask("UIDL", "+OK");
    let lines = String::from_utf8(client.multiline()).unwrap();
    let seen = lines.lines().filter_map(|line| {
        let (at, unique_id) = line.split_once(' ')?;
        Some(Seen { at: at.parse().unwrap(), unique_id: unique_id.to_owned() })
    });
    seen.collect()
}

/// Retrieves a message; its number, or none if others have deleted it.
pub(super) fn retrieve(client: &mut Conversation, at: usize) -> Option<usize> {
    client.send(&format!("RETR {at}"));
    let reply = client.line();
    if reply.starts_with("-ERR") {
        return None;
    }
    let octets: usize = reply.split(' ').nth(1).unwrap().parse().unwrap();
    let message = client.message();
    assert_eq!(message.len(), octets, "other octets than told");
    Some(number_in(&message))
}

/// How often each message lies in `new` and `cur` of Maildirs, and in further directories.
pub(super) fn on_disk(directories: &[std::path::PathBuf]) -> BTreeMap<usize, usize> {
    let mut found = BTreeMap::new();
    for directory in directories {
        for file in std::fs::read_dir(directory).into_iter().flatten().map(Result::unwrap) {
            let octets = std::fs::read(file.path()).unwrap();
            if !octets.is_empty() {
                *found.entry(number_in(&unpacked(&octets))).or_insert(0) += 1;
            }
        }
    }
    found
}

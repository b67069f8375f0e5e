//! A dry run of a move: which unique-ids clients would see, and which of them the old server's list does not have.
//! Nothing is pinned, and nothing written.

use std::time::Duration;

use crate::maildir::fault::EnterFault;
use crate::maildir::files::{MessageFile, Parts};
use crate::maildir::mail_root::MaildropPath;
use crate::maildir::missing;
use crate::maildir::snapshot::{RemovedFiles, SharedNames, last_change};
use crate::maildir::store::Store;
use crate::maildir::unique_ids::{AssignedMessage, ListKind, UidAssigner, UidSources, UidlOrigin};

/// A message, and the unique-id that clients would see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedMessage {
    /// Its base name.
    pub base: String,
    /// Its unique-id.
    pub unique_id: String,
    /// Where it comes from.
    pub origin: UidlOrigin,
}

/// The preview of a move for one maildrop.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Planned {
    /// The number of messages.
    pub messages: usize,
    /// Those whose unique-id clients have seen already; it stays.
    pub pinned: usize,
    /// Those that get the unique-id that the old server's list has.
    pub listed: usize,
    /// Those that no list has: they get unique-ids by our own rule. Normal for mail that the old server has not seen
    /// yet.
    pub unlisted: usize,
    /// Those left out until the old server has listed them, or `follow_wait` has passed.
    pub waiting: usize,
    /// The base name of each whose listed unique-id cannot be used: not printable, or too long.
    pub invalid: Vec<String>,
    /// The base name of each whose listed unique-id another message has.
    pub duplicate: Vec<String>,
    /// Unique-ids of over 70 characters that are used all the same.
    pub over_long: usize,
    /// Records of the lists without a message. Normal: servers drop them late.
    pub dead: usize,
    /// The lists found, by the names of their files.
    pub lists: Vec<&'static str>,
    /// Dovecot's list and Courier's were both found, and Dovecot's does not show whether its POP3 server ever ran.
    pub both: bool,
    /// What is wrong with the lists.
    pub faults: Vec<String>,
    /// The messages that clients would see, in order.
    pub shown: Vec<PlannedMessage>,
    /// There are messages, and no list of them.
    pub without_list: bool,
}

/// The number of samples: enough to notice a wrong format.
const SAMPLES: usize = 3;

impl Planned {
    /// Some messages with a listed unique-id, to compare with the old server.
    pub fn samples(&self) -> impl Iterator<Item = &PlannedMessage> {
        self.shown.iter().filter(|message| message.origin == UidlOrigin::List).take(SAMPLES)
    }

    /// Whether some client would download something again, or an administrator must decide which list to use.
    #[must_use]
    pub fn is_wrong(&self) -> bool {
        self.both
            || self.without_list
            || !(self.invalid.is_empty() && self.duplicate.is_empty() && self.faults.is_empty())
    }
}

impl Store {
    /// Plans the move of one maildrop: with settings by which lists are read (`Settings::for_trial`).
    /// Blocks while the disk answers; no message is opened.
    ///
    /// # Errors
    /// See [`EnterFault`].
    pub fn plan(&self, path: &MaildropPath) -> Result<Planned, EnterFault> {
        let (settings, path) = (self.site().unique_ids(), &*self.choose(path)?);
        self.site().require_markers(path)?;
        let root = self.site().root().open()?;
        let parts = Parts::open(&root, path.as_ref())?;
        let sources =
            UidSources::read(&root, self.site().lists(), path, settings, &self.site().settings().mount_table)?;
        missing::check(&root, path, &parts, self.site().settings())?;
        if parts.are_missing() {
            return Ok(Planned::default());
        }
        let names = parts.names(Duration::ZERO).map_err(|error| EnterFault::unavailable(path, &error))?;
        let (assigner, removed) = (sources.assigner(settings), RemovedFiles::default());
        let resolved = SharedNames::new(&parts, assigner.pins, &removed).resolve(names.found);
        let (found, _) = resolved.map_err(|error| EnterFault::unavailable(path, &error))?;
        Ok(planned(&assigner, found, &parts))
    }
}

fn planned(assigner: &UidAssigner<'_>, found: Vec<MessageFile>, parts: &Parts) -> Planned {
    let Some(lists) = &assigner.lists else { return Planned::default() };
    let messages = found.len();
    let dead = lists.dead(&found.iter().map(MessageFile::base).collect());
    let assignment = assigner.assign(found, |_| None, |found| last_change(parts, found));
    let shown: Vec<PlannedMessage> = assignment.messages.iter().map(planned_message).collect();
    let count = |origin| shown.iter().filter(|message| message.origin == origin).count();
    let bases = |origin| {
        let those = shown.iter().filter(|message| message.origin == origin);
        those.map(|message| message.base.clone()).collect()
    };
    let pinned = count(UidlOrigin::Pin);
    let has_rule = assigner.settings.precedence.contains(&ListKind::BaseName);
    Planned {
        messages,
        pinned,
        listed: count(UidlOrigin::List),
        unlisted: count(UidlOrigin::Own),
        waiting: messages - shown.len(),
        invalid: bases(UidlOrigin::Invalid),
        duplicate: bases(UidlOrigin::Duplicate),
        over_long: assignment.messages.iter().filter(|message| message.unique_id.is_over_long()).count(),
        dead,
        lists: lists.found(),
        both: lists.is_doubtful(),
        faults: lists.faults.clone(),
        without_list: messages > pinned && !lists.is_any() && !has_rule,
        shown,
    }
}

fn planned_message(assigned: &AssignedMessage) -> PlannedMessage {
    PlannedMessage {
        base: String::from_utf8_lossy(assigned.found.base()).into_owned(),
        unique_id: assigned.unique_id.as_str().to_owned(),
        origin: assigned.origin,
    }
}

//! What the mail store must be told.

use std::path::PathBuf;
use std::time::Duration;

use super::expiry::Expiry;
use super::import::UniqueIdSettings;
use super::removal::Deletion;

/// Where mail lies, and how it is watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The directory below which every Maildir lies; nothing outside it is ever opened.
    pub root: PathBuf,
    /// A file below the root, relative to it, that must be there: guards against an unmounted disk.
    pub marker: Option<PathBuf>,
    /// A change of `new` or `cur` younger than this is not yet settled: another may share its time stamp.
    pub settling: Duration,
    /// The most messages whose names, sizes and unique-ids are kept in memory between sessions.
    pub kept_messages: u64,
    /// What decides unique-ids besides the names of the files.
    pub unique_ids: UniqueIdSettings,
    /// What becomes of a message that a client deleted.
    pub deletion: Deletion,
    /// What is marked as seen for the mail programs that share the Maildir.
    pub mark_seen: MarkSeen,
    /// Which messages clients are offered.
    pub offer: Offer,
    /// When mail that was left on the server is removed; none for never.
    pub expiry: Option<Expiry>,
}

/// Which messages clients are offered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Offer {
    /// Every one.
    #[default]
    All,
    /// Those that are not flagged as seen, nor retrieved before by the same person.
    Unread,
}

/// What is marked as seen at the end of a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MarkSeen {
    /// Nothing.
    #[default]
    None,
    /// Every message that the client has got whole.
    Retrieved,
}

impl Settings {
    /// A mail root with everything else at its default.
    #[must_use]
    pub fn new(root: PathBuf) -> Self {
        Self {
            root,
            marker: None,
            settling: Duration::from_secs(2),
            kept_messages: 4_000_000,
            unique_ids: UniqueIdSettings::default(),
            deletion: Deletion::Remove,
            mark_seen: MarkSeen::None,
            offer: Offer::All,
            expiry: None,
        }
    }
}

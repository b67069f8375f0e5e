//! The settings of the mail store.

use std::path::PathBuf;
use std::time::Duration;

use crate::maildir::files::FolderName;
use crate::maildir::mail_root::PathTemplate;
use crate::maildir::unique_ids::{ImportMode, UniqueIdSettings};

/// Where mail is, and how it is treated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The directory that contains every Maildir; nothing outside it is ever opened.
    pub root: PathBuf,
    /// Files below the root that must exist: they guard against an unmounted disk. Those with fields are each person's
    /// own, and come with the paths of their template; the others are checked at the start, too.
    pub markers: Vec<PathTemplate>,
    /// What a missing Maildir means.
    pub missing: Missing,
    /// The table of file systems that should be mounted, such as `/etc/fstab`.
    pub mount_table: PathBuf,
    /// How old a change of `new` or `cur` must be before a snapshot is reused: a younger one may share its time stamp
    /// with another.
    pub timestamp_granularity: Duration,
    /// The most octets of memory that names, sizes and unique-ids may take between sessions.
    pub kept_octets: u64,
    /// The most octets of one message, on disk and uncompressed; a larger one is listed, but not read.
    pub largest_message: u64,
    /// How messages with octets beyond ASCII in their header are offered to clients that did not send UTF8.
    pub eight_bit_headers: EightBitHeaders,
    /// What determines unique-ids, apart from file names.
    pub unique_ids: UniqueIdSettings,
    /// What becomes of a message that a client deleted.
    pub deletion: Deletion,
    /// What is marked as seen for the mail programs that share the Maildir.
    pub mark_seen: MarkSeen,
    /// Which messages clients are offered.
    pub offer: Offer,
    /// Whether anybody's mail may expire. Then retrievals are recorded.
    pub ageing: bool,
    /// Whether the time for which mail stays differs from person to person. Then each person's time is recorded in
    /// their maildrop.
    pub terms_differ: bool,
}

/// What a missing Maildir means, if nothing shows that something was unmounted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Missing {
    /// No mail yet: an empty maildrop.
    #[default]
    Empty,
    /// That something is wrong, since every Maildir is made before its first login.
    Refuse,
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

/// What becomes of a message that a client deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Deletion {
    /// It is gone.
    #[default]
    Remove,
    /// It is kept for this long beside the mail, where neither a mail program nor a quota sees it.
    Keep(Duration),
    /// It is moved to a folder of the same Maildir, and removed from there after this long, if it is still there.
    Move(FolderName, Option<Duration>),
}

/// How messages with octets beyond ASCII in their header are offered to clients that did not send UTF8.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EightBitHeaders {
    /// As they are on disk.
    #[default]
    AsTheyAre,
    /// Wrapped into a message whose header is ASCII. Every message's header is read once for that.
    Wrapped,
}

/// What is marked as seen at the end of a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MarkSeen {
    /// Nothing.
    #[default]
    None,
    /// Every message that the client has received whole.
    Retrieved,
}

impl Settings {
    /// The same, but with other servers' lists read, whatever the settings say: for a trial before a move.
    #[must_use]
    pub fn for_trial(mut self) -> Self {
        if !self.unique_ids.import.reads() {
            self.unique_ids.import = ImportMode::Read;
        }
        self
    }

    /// A mail root with everything else at its default.
    #[must_use]
    pub fn new(root: PathBuf) -> Self {
        Self {
            root,
            markers: Vec::new(),
            missing: Missing::Empty,
            mount_table: PathBuf::from("/etc/fstab"),
            timestamp_granularity: Duration::from_secs(2),
            kept_octets: 256 << 20,
            largest_message: 1 << 30,
            eight_bit_headers: EightBitHeaders::default(),
            unique_ids: UniqueIdSettings::default(),
            deletion: Deletion::Remove,
            mark_seen: MarkSeen::None,
            offer: Offer::All,
            ageing: false,
            terms_differ: false,
        }
    }
}

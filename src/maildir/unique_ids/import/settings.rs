//! How unique-ids of another server are taken over.

use std::path::PathBuf;
use std::time::Duration;

use super::format::UidlFormat;
use crate::maildir::mail_root::PathTemplate;

/// Whether another server's lists are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportMode {
    /// They are not: there was no other server.
    Off,
    /// They are, whenever they have changed, for messages whose unique-id no client has seen.
    Read,
    /// They are; and a message is left out until the other server, which still runs, has listed it.
    Follow,
    /// They are no longer read; unique-ids that clients have seen stay.
    Done,
}

/// Where an old unique-id can come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListKind {
    /// The file `restante-import`, which an administrator wrote.
    ImportFile,
    /// A unique-id that is stored in `dovecot-uidlist` itself.
    DovecotSaved,
    /// What Dovecot's format makes from a record of `dovecot-uidlist`.
    Dovecot,
    /// Courier's `courierpop3dsizelist`.
    Courier,
    /// The base name of each file, whatever its length: qmail's rule.
    BaseName,
}

/// What happens to another server's unique-ids of more than 70 characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverLong {
    /// They are kept as they are: clients know them.
    Keep,
    /// They are replaced by our own.
    Replace,
}

/// What determines unique-ids, apart from file names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UniqueIdSettings {
    /// Whether another server's lists are read.
    pub import: ImportMode,
    /// Which of them are used, in order of precedence.
    pub precedence: Vec<ListKind>,
    /// `pop3_uidl_format` of the old Dovecot.
    pub dovecot_format: UidlFormat,
    /// What happens to those that are too long for the standard.
    pub over_long: OverLong,
    /// How long a message is left out at most while the other server has not listed it.
    pub follow_wait: Duration,
    /// The directory that contains the lists, if they are not beside the mail; each person's path below it comes with
    /// the path of their mail.
    pub lists_root: Option<PathBuf>,
    /// Files below that directory that must exist, like those of the mail root.
    pub list_markers: Vec<PathTemplate>,
}

impl UniqueIdSettings {
    /// Whether any of these are used.
    pub(super) fn counts(&self, kinds: &[ListKind]) -> bool {
        kinds.iter().any(|kind| self.precedence.contains(kind))
    }
}

impl ImportMode {
    /// Whether lists are read.
    #[must_use]
    pub fn reads(self) -> bool {
        matches!(self, Self::Read | Self::Follow)
    }
}

impl Default for UniqueIdSettings {
    fn default() -> Self {
        use ListKind::{Courier, Dovecot, DovecotSaved, ImportFile};
        Self {
            import: ImportMode::Off,
            precedence: vec![ImportFile, DovecotSaved, Dovecot, Courier],
            dovecot_format: UidlFormat::default(),
            over_long: OverLong::Keep,
            follow_wait: Duration::from_secs(15 * 60),
            lists_root: None,
            list_markers: Vec::new(),
        }
    }
}

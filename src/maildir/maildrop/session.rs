//! A maildrop as one session sees it.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Instant;

use super::lock::MaildropLock;
use crate::maildir::files::{FileList, FileState, Stamps, Subdirectory};
use crate::maildir::mail_root::{FileSystems, MaildropPath};
use crate::maildir::removal::Expiry;
use crate::maildir::site::Site;
use crate::maildir::snapshot::{CachedMaildrop, Snapshot, SnapshotEntry, Snapshots};
use crate::pop3::Listing;

/// A snapshot of a Maildir, taken at login. No file or directory stays open between calls, except while messages are
/// fetched from memory one after the other.
pub struct Maildrop {
    pub(super) snapshots: Arc<Snapshots>,
    pub(in crate::maildir) path: MaildropPath,
    pub(in crate::maildir) cached: Arc<CachedMaildrop>,
    pub(in crate::maildir) snapshot: Arc<Snapshot>,
    /// The names as they were read again because a message was not where the snapshot had it, and the time.
    pub(super) rescanned: Option<(FileList, Instant)>,
    /// How many messages this session has pinned.
    pub(in crate::maildir) pinned: usize,
    /// The files that were fetched without having been counted, by the places of their messages in the snapshot.
    pub(super) fetched: HashMap<usize, FileState>,
    pub(super) open_directory: Option<OpenDirectory>,
    /// The places in the snapshot of the messages that the client received whole; filled at the end of the session.
    pub(in crate::maildir) read: HashSet<usize>,
    /// Whose session it is.
    pub(in crate::maildir) person: Box<str>,
    /// When what that person leaves is removed; none for never.
    pub(in crate::maildir) expiry: Option<Expiry>,
    /// The places in the snapshot of those messages that are offered; none for all.
    pub(in crate::maildir) offered: Option<Arc<[usize]>>,
    /// Kept until the end of the last call, whether or not a caller waits for it.
    _lock: Option<MaildropLock>,
}

/// `new` or `cur`, kept open while one message after the other is fetched.
pub(in crate::maildir) struct OpenDirectory {
    pub(super) place: Subdirectory,
    pub(super) directory: OwnedFd,
}

impl Maildrop {
    pub(super) fn site(&self) -> &Site {
        self.snapshots.site()
    }

    pub(in crate::maildir) fn new(
        snapshots: Arc<Snapshots>,
        path: MaildropPath,
        cached: Arc<CachedMaildrop>,
        snapshot: Arc<Snapshot>,
    ) -> Self {
        Self {
            snapshots,
            path,
            cached,
            snapshot,
            rescanned: None,
            pinned: 0,
            fetched: HashMap::new(),
            open_directory: None,
            read: HashSet::new(),
            person: Box::default(),
            expiry: None,
            offered: None,
            _lock: None,
        }
    }

    /// Keeps the maildrop locked as long as this value lives.
    #[must_use]
    pub fn locked_by(self, lock: Option<MaildropLock>) -> Self {
        Self { _lock: lock, ..self }
    }

    /// Whether neither `new` nor `cur` exists: the Maildir was never made.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        self.snapshot.stamps == Stamps { new: None, cur: None }
    }

    /// The messages in order, as seen by a client that accepts UTF-8 in headers (`utf8`) or does not. Sessions share
    /// them as long as the Maildir does not change.
    #[must_use]
    pub fn listing(&self, utf8: bool) -> Listing {
        let surrogates = self.snapshot.surrogates.as_ref().filter(|_| !utf8).map(|surrogates| &surrogates.listed);
        let all = surrogates.unwrap_or(&self.snapshot.listed);
        let messages = match &self.offered {
            None => Arc::clone(all),
            Some(offered) => Arc::new(offered.iter().filter_map(|place| all.get(*place)).cloned().collect()),
        };
        Listing::new(messages).with_unpinned(self.snapshot.ids.needs_pins())
    }

    /// Whether the message at an index of the listing is offered wrapped to clients that do not accept UTF-8 in
    /// headers.
    #[must_use]
    pub fn wraps(&self, index: usize) -> bool {
        self.snapshot.surrogates.as_ref().is_some_and(|surrogates| surrogates.has(self.place(index)))
    }

    /// Whether messages in memory can be read without asking another machine.
    pub(in crate::maildir) fn is_local(&self) -> bool {
        self.snapshot.local && self.site().root().answers_at_once()
    }

    /// The file systems of other machines that contain the opened directories, by their devices.
    #[must_use]
    pub fn file_systems(&self) -> FileSystems {
        self.snapshot.file_systems()
    }

    pub(in crate::maildir) fn entry(&self, index: usize) -> Option<&SnapshotEntry> {
        self.snapshot.entries.get(index)
    }

    /// Whether another message's base name differs in `,U=<n>` alone.
    pub(super) fn shares_name(&self, index: usize) -> bool {
        self.snapshot.ids.name_sharers.contains(&index)
    }
}

impl fmt::Debug for Maildrop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let messages = self.snapshot.entries.len();
        f.debug_struct("Maildrop").field("path", &self.path).field("messages", &messages).finish_non_exhaustive()
    }
}

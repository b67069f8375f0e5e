//! The mail store: the interface of this module. Each request is a few lines.

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use crate::maildir::clock::ClockFault;
use crate::maildir::fault::{EnterFault, StoreFault};
use crate::maildir::mail_root::{FileSystems, MaildropPath};
use crate::maildir::maildrop::{LockResult, Maildrop};
use crate::maildir::removal::{self, DeletedMail, Expired, Expiry};
use crate::maildir::settings::{Deletion, Offer, Settings};
use crate::maildir::site::Site;
use crate::maildir::snapshot::Snapshots;
use crate::maildir::unique_ids::{Pins, Retrieval};

/// All Maildirs below the mail root. Cloning gives the same store.
#[derive(Clone)]
pub struct Store {
    snapshots: Arc<Snapshots>,
}

impl Store {
    /// Opens the mail root, and remembers which directory it is. Blocks while the disk answers.
    ///
    /// # Errors
    /// The root is not a readable directory, or the marker is missing.
    pub fn new(settings: Settings) -> Result<Self, StoreFault> {
        Ok(Self { snapshots: Arc::new(Snapshots::new(Site::new(settings)?)) })
    }

    /// Locks a maildrop for one session, if no other has locked it; does not wait. Blocks while the disk answers.
    #[must_use]
    pub fn lock(&self, path: &MaildropPath) -> LockResult {
        match self.choose(path).and_then(|path| self.site().directory(&path)) {
            Ok(Some(maildir)) => LockResult::of(&maildir),
            Ok(None) => LockResult::NoMaildir,
            Err(fault) => LockResult::Impossible(fault.to_string()),
        }
    }

    /// Takes the snapshot that one session works with. Blocks while the disk answers; if nothing has changed since the
    /// last session, that is two `stat` calls, and one more for the marker.
    ///
    /// A Maildir that was never made is an empty maildrop, but only if its disk is certainly mounted: after an empty
    /// list every client would forget its unique-ids, and download everything again.
    ///
    /// # Errors
    /// See [`EnterFault`].
    pub fn enter(&self, path: &MaildropPath) -> Result<Maildrop, EnterFault> {
        let path = &*self.choose(path)?;
        self.site().require_markers(path)?;
        let cached = self.snapshots.cached(path);
        let snapshot = self.snapshots.take(path, &cached)?;
        Ok(Maildrop::new(Arc::clone(&self.snapshots), path.clone(), cached, snapshot))
    }

    /// Where mail for a person must be delivered, so that a session finds it: the absolute path of the Maildir that
    /// [`Self::enter`] would read. It may not exist yet. Blocks while the disk answers.
    ///
    /// # Errors
    /// See [`EnterFault`]: for example, the disk is not mounted, and mail would be lost below the mount point.
    pub fn delivery_path(&self, path: &MaildropPath) -> Result<PathBuf, EnterFault> {
        let path = &*self.choose(path)?;
        self.site().require_markers(path)?;
        Ok(self.site().settings().root.join(path.to_string()))
    }

    /// The same as [`Self::enter`] if nothing has changed since the last session, by those few `stat` calls; none if more is needed, or if
    /// a `stat` call may wait for another machine. So it may be called where nothing may block.
    #[must_use]
    pub fn enter_unchanged(&self, path: &MaildropPath) -> Option<Maildrop> {
        // The pins show what is unread, so they must be read.
        if path.as_stored().is_some() || self.site().settings().offer == Offer::Unread {
            return None;
        }
        let cached = self.snapshots.cached_already(path)?;
        if !self.snapshots.is_local_still(&cached) {
            return None;
        }
        // Only snapshots of local file systems are reused.
        let snapshot = self.snapshots.unchanged(path, &cached)?;
        self.site().require_markers(path).ok()?;
        Some(Maildrop::new(Arc::clone(&self.snapshots), path.clone(), cached, snapshot))
    }

    /// The file systems of a maildrop's files, of the path to them, and of other servers' lists if those are read.
    /// Links are followed. Blocks while the disks of this machine answer, never for another machine.
    #[must_use]
    pub fn file_systems(&self, path: &MaildropPath) -> FileSystems {
        let generation = self.site().mounts_generation();
        let found = self.site().file_systems(path);
        if found.are_local() {
            self.snapshots.cached(path).set_local_at(generation);
        }
        found
    }

    /// Whether the time for which mail stays differs from person to person.
    #[must_use]
    pub fn terms_differ(&self) -> bool {
        self.site().settings().terms_differ
    }

    /// Records the time, if mail expires or deleted mail is kept, so that a later jump of the clock is noticed. Blocks
    /// while the disk answers.
    ///
    /// # Errors
    /// The clock is not plausible, or the time cannot be recorded; then nothing is removed by age.
    pub fn note_time(&self) -> Result<(), ClockFault> {
        let settings = self.site().settings();
        let removes_by_age = settings.ageing || settings.deletion != Deletion::Remove;
        if removes_by_age { self.site().clock().now().map(drop) } else { Ok(()) }
    }

    /// Accepts this machine's clock after it jumped; returns the latest time seen before, if one was recorded.
    ///
    /// # Errors
    /// The time cannot be recorded.
    pub fn confirm_clock(&self) -> Result<Option<SystemTime>, ClockFault> {
        self.site().clock().confirm()
    }

    /// Removes expired mail from a person's maildrop, and deleted mail whose time is over; or only reports what would
    /// be removed. Opens only messages that share a name with another. Blocks while the disk answers.
    ///
    /// # Errors
    /// See [`EnterFault`].
    pub fn expire(
        &self,
        path: &MaildropPath,
        person: &str,
        expiry: Option<Expiry>,
        really: bool,
    ) -> Result<Expired, EnterFault> {
        let path = &*self.choose(path)?;
        self.site().require_markers(path)?;
        removal::expire(self.site(), path, person, expiry, really)
    }

    /// Opens the deleted mail of a maildrop; none if nothing was ever kept. Blocks while the disk answers.
    ///
    /// # Errors
    /// See [`EnterFault`].
    pub fn deleted<'a>(&'a self, path: &'a MaildropPath) -> Result<Option<DeletedMail<'a>>, EnterFault> {
        DeletedMail::open(self.site(), path)
    }

    /// Removes deleted mail whose time is over for good; returns how many messages. That includes mail kept under
    /// earlier settings. Blocks while the disk answers.
    ///
    /// # Errors
    /// See [`EnterFault`].
    pub fn clean_up(&self, path: &MaildropPath) -> Result<usize, EnterFault> {
        removal::clean_up(self.site(), path)
    }

    /// Who retrieved the messages of a maildrop, by each message's key: its base name without `,U=<n>`. Blocks while
    /// the disk answers.
    ///
    /// # Errors
    /// The records cannot be read.
    pub fn retrievals(&self, path: &MaildropPath) -> io::Result<HashMap<Box<[u8]>, Vec<Retrieval>>> {
        self.site().pins(path).map(Pins::into_retrieved)
    }

    pub(in crate::maildir) fn site(&self) -> &Site {
        self.snapshots.site()
    }

    /// Whether there were messages when the maildrop was last seen, as far as that is cached.
    pub(in crate::maildir) fn had_messages(&self, path: &MaildropPath) -> bool {
        self.snapshots.had_messages(path)
    }
}

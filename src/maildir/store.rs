//! The mail store: what everything outside this module asks of Maildirs, each request in a few lines.

use std::collections::HashMap;
use std::io;
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
    /// Looks at the mail root, and remembers which directory it is. Blocks while the disk answers.
    ///
    /// # Errors
    /// The root is no directory that can be read, or the marker is not there.
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

    /// Takes the snapshot that one session works with. Blocks while the disk answers; where nothing has changed since
    /// the last session, that is two `stat` calls, and one more for the marker.
    ///
    /// A Maildir that was never made is an empty maildrop, but only where it is sure that its disk is mounted: after an
    /// empty answer every client would forget its unique-ids, and download everything again.
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

    /// The same where nothing has changed since the last session, by those few `stat` calls; none where it takes more, or
    /// where a `stat` call may wait for another machine. So it may be called where nothing may block.
    #[must_use]
    pub fn enter_unchanged(&self, path: &MaildropPath) -> Option<Maildrop> {
        // The pins say what is unread, and must be read for that.
        if path.as_stored().is_some() || self.site().settings().offer == Offer::Unread {
            return None;
        }
        let cached = self.snapshots.cached_already(path)?;
        if !self.snapshots.is_local_still(&cached) {
            return None;
        }
        // Only snapshots of local file systems are used again.
        let snapshot = self.snapshots.unchanged(path, &cached)?;
        self.site().require_markers(path).ok()?;
        Some(Maildrop::new(Arc::clone(&self.snapshots), path.clone(), cached, snapshot))
    }

    /// The file systems on which the files of a maildrop lie, those on the way to them, and those of other servers' lists
    /// where these are read. Links are followed. Blocks while the disks of this machine answer, never for another machine.
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

    /// Notes the time, where mail ages or what was deleted is kept: a clock that jumps later is then known to have jumped.
    /// Blocks while the disk answers.
    ///
    /// # Errors
    /// The clock can't be believed, or the time can't be noted; then nothing is removed for its age.
    pub fn note_time(&self) -> Result<(), ClockFault> {
        let settings = self.site().settings();
        let removes_by_age = settings.ageing || settings.deletion != Deletion::Remove;
        if removes_by_age { self.site().clock().now().map(drop) } else { Ok(()) }
    }

    /// Accepts this machine's clock after it jumped; returns the latest time seen before, if one was recorded.
    ///
    /// # Errors
    /// The time can't be noted.
    pub fn confirm_clock(&self) -> Result<Option<SystemTime>, ClockFault> {
        self.site().clock().confirm()
    }

    /// Removes aged mail from a person's maildrop, and for good what clients deleted long ago; or just reports what that
    /// would be. Opens no message but those that share a name with another. Blocks while the disk answers.
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

    /// Looks at what clients deleted from a maildrop; none if nothing was ever kept. Blocks while the disk answers.
    ///
    /// # Errors
    /// See [`EnterFault`].
    pub fn deleted<'a>(&'a self, path: &'a MaildropPath) -> Result<Option<DeletedMail<'a>>, EnterFault> {
        DeletedMail::open(self.site(), path)
    }

    /// Removes for good what was kept for long enough; returns how many messages. What was kept under earlier settings is
    /// looked for as well. Blocks while the disk answers.
    ///
    /// # Errors
    /// See [`EnterFault`].
    pub fn clean_up(&self, path: &MaildropPath) -> Result<usize, EnterFault> {
        removal::clean_up(self.site(), path)
    }

    /// Who retrieved the messages of a maildrop, by what each is known by: its base name without `,U=<n>`. Blocks while
    /// the disk answers.
    ///
    /// # Errors
    /// The marks cannot be read.
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

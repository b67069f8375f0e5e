//! What it means that a message is removed: gone, kept for a while, or moved to a folder.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::fs::{AtFlags, OFlags, fsync, statat, unlinkat};
use rustix::io::Errno;

use super::count::FileState;
use super::deleted::Batch;
use super::folder::{self, FolderName};
use super::name;
use super::path::MaildropPath;
use super::quota::QuotaChange;
use super::reach::Refusal;
use super::renaming::{fresh_base, rename};
use super::scan::{Found, Parts, Place};
use super::store::Store;

/// What becomes of a message that a client deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Deletion {
    /// It is gone.
    #[default]
    Remove,
    /// It is kept for so long beside the mail, where neither a mail program nor a quota sees it.
    Keep(Duration),
    /// It is moved to a folder of the same Maildir, and removed from there after so long, if it is still there.
    Move(FolderName, Option<Duration>),
}

/// The removal of some messages of one maildrop.
pub(super) struct Removal<'a> {
    store: &'a Store,
    path: &'a MaildropPath,
    /// Where they go, from the first one on; none if they are just removed.
    place: Option<Destination>,
    /// What is no longer among the mail that counts against a quota.
    quota: QuotaChange,
}

/// Where removed messages go.
enum Destination {
    Kept(Batch),
    Folder { batch: Batch, new: OwnedFd, cur: OwnedFd },
}

impl<'a> Removal<'a> {
    pub(super) fn begin(store: &'a Store, path: &'a MaildropPath) -> Self {
        Self { store, path, place: None, quota: QuotaChange::default() }
    }

    /// Removes a message, but only while its file is the one whose octets were told.
    pub(super) fn remove(&mut self, parts: &Parts, found: &Found, counted: Option<FileState>) -> Result<(), Refusal> {
        let part = parts.get(found.place).ok_or(Errno::NOENT)?;
        let state = FileState::of(&statat(part, &*found.name, AtFlags::SYMLINK_NOFOLLOW)?);
        if state.is_none_or(|state| counted.is_some_and(|counted| counted != state)) {
            return Err(Refusal::Changed);
        }
        if self.store.settings().deletion == Deletion::Remove {
            unlinkat(part, &*found.name, AtFlags::empty())?;
        } else {
            match self.destination()? {
                Destination::Kept(batch) => rename(part, &found.name, batch.directory(), &found.name)?,
                Destination::Folder { batch, new, cur } => {
                    let to = if found.place == Place::New { new } else { cur };
                    // It is still in a folder of this Maildir, and counts as before.
                    return move_to(batch, part, &found.name, to.as_fd());
                }
            }
        }
        self.quota.take_away(&found.name, state.map_or(0, |state| state.size));
        Ok(())
    }

    /// Makes what was moved last through a crash: the kernel may have written that it left before where it is.
    pub(super) fn settle(self) -> Result<(), Errno> {
        self.store.record_quota(self.path, self.quota);
        match self.place {
            None => Ok(()),
            Some(Destination::Kept(batch)) => fsync(batch.directory()),
            Some(Destination::Folder { new, cur, .. }) => fsync(new).and(fsync(cur)),
        }
    }

    /// How long after the deletion the message is removed for good.
    fn term(&self) -> Option<Duration> {
        match self.store.settings().deletion {
            Deletion::Remove => None,
            Deletion::Keep(time) => Some(time),
            Deletion::Move(_, time) => time,
        }
    }

    fn destination(&mut self) -> Result<&Destination, Refusal> {
        if self.place.is_none() {
            self.place = Some(self.make().map_err(Refusal::Hindered)?);
        }
        self.place.as_ref().ok_or(Refusal::Kernel(Errno::NOENT))
    }

    fn make(&self) -> Result<Destination, String> {
        let maildir = self.store.directory(self.path).map_err(|fault| fault.to_string())?;
        let maildir = maildir.ok_or_else(|| format!("{} is missing", self.path))?;
        let moment = self.store.clock().moment_of_note();
        let Deletion::Move(name, _) = &self.store.settings().deletion else {
            return Batch::begin(&maildir, moment, self.term(), None).map(Destination::Kept);
        };
        let told = |errno: Errno| format!("the folder {name}: {errno}");
        let directory = name.directory();
        folder::make(maildir.as_fd(), &directory).map_err(told)?;
        let open = |place: Place| {
            let root = self.store.root().open().map_err(|fault| fault.to_string())?;
            let part = AsRef::<std::path::Path>::as_ref(self.path).join(&directory).join(place.directory());
            root.beneath(&part, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC).map_err(told)
        };
        let (new, cur) = (open(Place::New)?, open(Place::Cur)?);
        let batch = Batch::begin(&maildir, moment, self.term(), Some(&directory))?;
        Ok(Destination::Folder { batch, new, cur })
    }
}

/// Moves a message to a folder, noted before that, so that it can be found there again. Its name is kept, unless the
/// folder has a file of that name.
fn move_to(batch: &Batch, part: BorrowedFd<'_>, old: &[u8], to: BorrowedFd<'_>) -> Result<(), Refusal> {
    let mut name = old.to_vec();
    loop {
        batch.note(&name).map_err(Refusal::Hindered)?;
        let moved = rename(part, old, to, &name);
        if moved.is_ok() {
            return Ok(());
        }
        batch.forget(&name);
        if moved != Err(Errno::EXIST) {
            return Ok(moved?);
        }
        let base = name::base(old);
        name = [&*fresh_base(base), old.get(base.len()..).unwrap_or_default()].concat();
    }
}

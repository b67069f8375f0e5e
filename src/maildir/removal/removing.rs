//! Removing a message for good, keeping it for a while, or moving it to a folder.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::fs::{AtFlags, OFlags, Stat, fsync, statat};
use rustix::io::Errno;

use super::batch::DeletedBatch;
use super::message_fault::{DestinationFault, MessageFault};
use super::quota::QuotaChange;
use crate::maildir::files::{FileState, MessageFile, Parts, Subdirectory, TakenFile, folder, fresh, fresh_name};
use crate::maildir::mail_root::MaildropPath;
use crate::maildir::settings::Deletion;
use crate::maildir::site::Site;
use crate::maildir::snapshot::DuplicateFile;

/// How often a file is taken again that another session has put back.
const TRIES: usize = 10;

/// The removal of some messages of one maildrop.
pub(in crate::maildir) struct Removal<'a> {
    site: &'a Site,
    path: &'a MaildropPath,
    /// Where they go; none if they are just removed, or before the first one.
    place: Option<Destination>,
    /// The removed mail that no longer counts against a quota.
    quota: QuotaChange,
    /// Whether the mail is on local file systems; none until something is removed.
    local: Option<bool>,
}

/// Where removed messages go.
enum Destination {
    Kept(DeletedBatch),
    Folder { batch: DeletedBatch, new: OwnedFd, cur: OwnedFd },
}

impl<'a> Removal<'a> {
    pub(in crate::maildir) fn begin(site: &'a Site, path: &'a MaildropPath) -> Self {
        Self { site, path, place: None, quota: QuotaChange::default(), local: None }
    }

    /// Removes a message, but only while its file is the one that was listed, in the state whose octets were listed.
    /// `found`: where it is now. `is_alone`: no other file has its base name, so none can get its name while it is removed.
    pub(in crate::maildir) fn remove(
        &mut self,
        parts: &Parts,
        listed: &MessageFile,
        found: &MessageFile,
        counted: Option<FileState>,
        is_alone: bool,
    ) -> Result<LinkCount, MessageFault> {
        if self.site.settings().deletion == Deletion::Remove {
            return self.take((parts, is_alone), listed, found, counted, Self::unlink);
        }
        if self.place.is_none() {
            // Before the file is taken, since it should be without its name for a moment only.
            self.require_same(parts, listed, found, counted)?;
        }
        self.destination()?;
        self.take((parts, is_alone), listed, found, counted, |removal, taken, name, state| {
            let is_new = found.place == Subdirectory::New;
            removal.put_away(taken, name, is_new, state)
        })
    }

    /// Removes a further file of a message that was removed, or a further name of its file.
    pub(in crate::maildir) fn remove_further(
        &mut self,
        parts: &Parts,
        listed: &MessageFile,
        found: &MessageFile,
        counted: Option<FileState>,
    ) -> Result<LinkCount, MessageFault> {
        self.take((parts, false), listed, found, counted, Self::unlink)
    }

    fn unlink(&mut self, taken: TakenFile<'_>, name: &[u8], state: FileState) -> Result<(), MessageFault> {
        taken.remove()?;
        self.quota.take_away(name, state.size);
        Ok(())
    }

    /// Removes a message under its listed name, with its further files: all of them or none.
    pub(super) fn remove_whole(
        &mut self,
        parts: &Parts,
        found: &MessageFile,
        copies: &[DuplicateFile],
    ) -> Result<(), MessageFault> {
        for DuplicateFile { found, state } in copies {
            self.require_same(parts, found, found, Some(*state))?;
        }
        self.remove(parts, found, found, None, false)?;
        copies.iter().try_for_each(|DuplicateFile { found, state }| {
            self.remove_further(parts, found, found, Some(*state)).map(drop)
        })
    }

    /// Requires that a file is the one that was listed, in the state whose octets were compared.
    pub(in crate::maildir) fn require_same(
        &mut self,
        parts: &Parts,
        listed: &MessageFile,
        found: &MessageFile,
        counted: Option<FileState>,
    ) -> Result<(), MessageFault> {
        let part = parts.get(found.place).ok_or(Errno::NOENT)?;
        self.look_up(parts, part, &found.name)?;
        state(parts, listed, found, counted).map(drop)
    }

    /// Takes a file from its name, if it is the one that was listed, in the state whose octets clients know, and does
    /// something with it. Returns whether it has further names.
    fn take(
        &mut self,
        (parts, is_alone): (&Parts, bool),
        listed: &MessageFile,
        found: &MessageFile,
        counted: Option<FileState>,
        act: impl Fn(&mut Self, TakenFile<'_>, &[u8], FileState) -> Result<(), MessageFault>,
    ) -> Result<LinkCount, MessageFault> {
        let mut at = found.clone();
        for _ in 0..TRIES {
            let part = parts.get(at.place).ok_or(Errno::NOENT)?;
            self.look_up(parts, part, &at.name)?;
            let (before, links) = state(parts, listed, &at, counted)?;
            if is_alone {
                return act(self, TakenFile::in_place(parts, &at)?, &at.name, before).map(|()| links);
            }
            let taken = TakenFile::take_message(parts, &at)?;
            // Another program may have given the name to another file meanwhile.
            let done = match self.look_at_taken(parts, &taken, before, counted.is_some()) {
                Ok((state, links)) => act(self, taken, &at.name, state).map(|()| links),
                Err(fault) => taken.done_or_back(Err(fault)),
            };
            match done {
                // Another session took it for one that was left behind.
                Err(MessageFault::Kernel(Errno::NOENT)) => at = put_back_by_others(parts, before)?,
                done => return done,
            }
        }
        Err(MessageFault::Elusive)
    }

    /// Keeps a message, or moves it to a folder.
    fn put_away(
        &mut self,
        taken: TakenFile<'_>,
        name: &[u8],
        is_new: bool,
        state: FileState,
    ) -> Result<(), MessageFault> {
        match self.destination()? {
            Destination::Kept(batch) => {
                let kept = keep(batch, &taken, name);
                taken.done_or_back(kept)?;
                self.quota.take_away(name, state.size);
            }
            Destination::Folder { batch, new, cur } => {
                // It is still in a folder of this Maildir, and counts as before.
                let moved = move_to(batch, &taken, name, if is_new { new } else { cur }.as_fd());
                taken.done_or_back(moved)?;
            }
        }
        Ok(())
    }

    /// `before`: the state in which the file was under its name.
    fn look_at_taken(
        &mut self,
        parts: &Parts,
        taken: &TakenFile<'_>,
        before: FileState,
        is_counted: bool,
    ) -> Result<(FileState, LinkCount), MessageFault> {
        let (part, name) = taken.place();
        self.look_up(parts, part, name)?;
        let stat = taken.stat()?;
        let state = FileState::of(&stat).ok_or(MessageFault::Replaced)?;
        if state.inode != before.inode {
            return Err(MessageFault::Replaced);
        }
        if is_counted && state != before {
            return Err(MessageFault::Changed);
        }
        Ok((state, LinkCount::of(&stat)))
    }

    /// A file is removed by its name, so the name must be looked up now, not in this machine's cache.
    fn look_up(&mut self, parts: &Parts, part: BorrowedFd<'_>, name: &[u8]) -> Result<(), Errno> {
        let is_local = *self.local.get_or_insert_with(|| parts.are_local());
        if is_local { Ok(()) } else { fresh::look_up(part, name) }
    }

    /// Syncs the directories that messages were moved to: otherwise a crash could lose them, since the kernel may have
    /// written their removal first.
    pub(in crate::maildir) fn sync(self) -> Result<(), Errno> {
        self.quota.record(self.site, self.path);
        match self.place {
            None => Ok(()),
            Some(Destination::Kept(batch)) => fsync(batch.directory()),
            Some(Destination::Folder { new, cur, .. }) => fsync(new).and(fsync(cur)),
        }
    }

    /// How long after the deletion the message is removed for good.
    fn term(&self) -> Option<Duration> {
        match self.site.settings().deletion {
            Deletion::Remove => None,
            Deletion::Keep(time) => Some(time),
            Deletion::Move(_, time) => time,
        }
    }

    fn destination(&mut self) -> Result<&Destination, MessageFault> {
        if self.place.is_none() {
            self.place = Some(self.make()?);
        }
        self.place.as_ref().ok_or(MessageFault::Kernel(Errno::NOENT))
    }

    fn make(&self) -> Result<Destination, DestinationFault> {
        let maildir = self.site.directory(self.path).map_err(DestinationFault::Maildrop)?;
        let maildir = maildir.ok_or_else(|| DestinationFault::Missing(self.path.clone()))?;
        let moment = self.site.clock().time_to_record();
        let Deletion::Move(name, _) = &self.site.settings().deletion else {
            return DeletedBatch::begin(&maildir, moment, self.term(), None).map(Destination::Kept);
        };
        let fault = |errno: Errno| DestinationFault::Folder(name.clone(), errno);
        let directory = name.directory();
        folder::make(maildir.as_fd(), &directory).map_err(fault)?;
        let open = |place: Subdirectory| {
            let root = self.site.root().open().map_err(DestinationFault::Maildrop)?;
            let part = AsRef::<std::path::Path>::as_ref(self.path).join(&directory).join(place.directory());
            root.beneath(&part, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC).map_err(fault)
        };
        let (new, cur) = (open(Subdirectory::New)?, open(Subdirectory::Cur)?);
        let batch = DeletedBatch::begin(&maildir, moment, self.term(), Some(&directory))?;
        Ok(Destination::Folder { batch, new, cur })
    }
}

/// Where another session has put a file back that was taken from its name: perhaps under a new one.
fn put_back_by_others(parts: &Parts, file: FileState) -> Result<MessageFile, MessageFault> {
    let mut found = None;
    parts.each(|now| {
        if now.inode == file.inode {
            found = Some(now);
        }
        Ok(())
    })?;
    found.ok_or(MessageFault::Kernel(Errno::NOENT))
}

/// Whether a file had names beside the one that was removed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::maildir) enum LinkCount {
    One,
    Several,
}

impl LinkCount {
    fn of(stat: &Stat) -> Self {
        if stat.st_nlink > 1 { Self::Several } else { Self::One }
    }
}

/// Requires that a file is the one that was listed, whatever its state.
pub(in crate::maildir) fn require_listed(
    parts: &Parts,
    listed: &MessageFile,
    found: &MessageFile,
) -> Result<(), MessageFault> {
    state(parts, listed, found, None).map(drop)
}

/// The state of a file, if it is the one that was listed, in the state that was counted.
fn state(
    parts: &Parts,
    listed: &MessageFile,
    found: &MessageFile,
    counted: Option<FileState>,
) -> Result<(FileState, LinkCount), MessageFault> {
    let stat = statat(parts.get(found.place).ok_or(Errno::NOENT)?, &*found.name, AtFlags::SYMLINK_NOFOLLOW)?;
    let state = FileState::of(&stat).ok_or(MessageFault::Changed)?;
    let is_it = match counted {
        Some(counted) => counted.inode == state.inode,
        None => listed.inode == 0 || state.inode == listed.inode || directory_agrees(parts, listed, found)?,
    };
    if !is_it {
        return Err(MessageFault::Replaced);
    }
    if counted.is_some_and(|counted| counted != state) {
        return Err(MessageFault::Changed);
    }
    Ok((state, LinkCount::of(&stat)))
}

/// Whether the directory lists the same inode for a name as before: on some file systems it differs from that of
/// `stat`.
fn directory_agrees(parts: &Parts, listed: &MessageFile, found: &MessageFile) -> Result<bool, MessageFault> {
    let mut is_same = false;
    let looked = parts.each(|now| {
        is_same |= (now.place, &now.name, now.inode) == (found.place, &found.name, listed.inode);
        Ok(())
    });
    looked?;
    Ok(is_same)
}

/// Moves a message to those that can be restored. Its name is kept, unless another one of the batch has it.
fn keep(batch: &DeletedBatch, taken: &TakenFile<'_>, old: &[u8]) -> Result<(), MessageFault> {
    let mut name = old.to_vec();
    loop {
        match taken.move_to(batch.directory(), &name) {
            Err(Errno::EXIST) => name = fresh_name(old),
            moved => return Ok(moved?),
        }
    }
}

/// Moves a message to a folder; that is recorded first, so that it can be found there again. Its name is kept, unless
/// the folder has a file of that name.
fn move_to(batch: &DeletedBatch, taken: &TakenFile<'_>, old: &[u8], to: BorrowedFd<'_>) -> Result<(), MessageFault> {
    let mut name = old.to_vec();
    loop {
        batch.note(&name)?;
        let moved = taken.move_to(to, &name);
        if moved.is_ok() {
            return Ok(());
        }
        batch.forget(&name);
        if moved != Err(Errno::EXIST) {
            return Ok(moved?);
        }
        name = fresh_name(old);
    }
}

//! Removing a message: it is gone, kept for a while, or moved to a folder.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::fs::{AtFlags, OFlags, fsync, statat, unlinkat};
use rustix::io::Errno;

use super::batch::DeletedBatch;
use super::message_fault::MessageFault;
use super::quota::QuotaChange;
use crate::maildir::files::{
    FileState, MessageFile, Parts, Subdirectory, file_name, folder, fresh, fresh_base, rename,
};
use crate::maildir::mail_root::MaildropPath;
use crate::maildir::settings::Deletion;
use crate::maildir::site::Site;
use crate::maildir::snapshot::DuplicateFile;

/// The removal of some messages of one maildrop.
pub(in crate::maildir) struct Removal<'a> {
    site: &'a Site,
    path: &'a MaildropPath,
    /// Where they go, from the first one on; none if they are just removed.
    place: Option<Destination>,
    /// What is no longer among the mail that counts against a quota.
    quota: QuotaChange,
    /// Whether the mail lies on local file systems; none until something is removed.
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
    /// `found`: where it lies now.
    pub(in crate::maildir) fn remove(
        &mut self,
        parts: &Parts,
        listed: &MessageFile,
        found: &MessageFile,
        counted: Option<FileState>,
    ) -> Result<LinkCount, MessageFault> {
        let (part, state, links) = self.verified(parts, listed, found, counted)?;
        if self.site.settings().deletion == Deletion::Remove {
            unlinkat(part, &*found.name, AtFlags::empty())?;
        } else {
            match self.destination()? {
                Destination::Kept(batch) => rename(part, &found.name, batch.directory(), &found.name)?,
                Destination::Folder { batch, new, cur } => {
                    let to = if found.place == Subdirectory::New { new } else { cur };
                    // It is still in a folder of this Maildir, and counts as before.
                    move_to(batch, part, &found.name, to.as_fd())?;
                    return Ok(links);
                }
            }
        }
        self.quota.take_away(&found.name, state.size);
        Ok(links)
    }

    /// Removes a further file of a message that was removed, or a further name of its file.
    pub(in crate::maildir) fn remove_further(
        &mut self,
        parts: &Parts,
        listed: &MessageFile,
        found: &MessageFile,
        counted: Option<FileState>,
    ) -> Result<LinkCount, MessageFault> {
        let (part, state, links) = self.verified(parts, listed, found, counted)?;
        unlinkat(part, &*found.name, AtFlags::empty())?;
        self.quota.take_away(&found.name, state.size);
        Ok(links)
    }

    /// Removes a message where it was listed, with its further files: all of them or none.
    pub(super) fn remove_whole(
        &mut self,
        parts: &Parts,
        found: &MessageFile,
        copies: &[DuplicateFile],
    ) -> Result<(), MessageFault> {
        for DuplicateFile { found, state } in copies {
            self.require_same(parts, found, found, Some(*state))?;
        }
        self.remove(parts, found, found, None)?;
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
        self.verified(parts, listed, found, counted).map(drop)
    }

    /// Where a file lies, its state, and whether it has further names; if it is the one that was listed, in the state whose
    /// octets clients know.
    fn verified<'p>(
        &mut self,
        parts: &'p Parts,
        listed: &MessageFile,
        found: &MessageFile,
        counted: Option<FileState>,
    ) -> Result<(BorrowedFd<'p>, FileState, LinkCount), MessageFault> {
        let part = parts.get(found.place).ok_or(Errno::NOENT)?;
        self.look_up(parts, found)?;
        let (state, links) = state(parts, listed, found, counted)?;
        Ok((part, state, links))
    }

    /// A file is removed by its name, so the name must be looked up now, not in this machine's cache.
    fn look_up(&mut self, parts: &Parts, found: &MessageFile) -> Result<(), Errno> {
        match parts.get(found.place) {
            Some(part) if !*self.local.get_or_insert_with(|| parts.are_local()) => fresh::look_up(part, &found.name),
            _ => Ok(()),
        }
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
            self.place = Some(self.make().map_err(MessageFault::Hindered)?);
        }
        self.place.as_ref().ok_or(MessageFault::Kernel(Errno::NOENT))
    }

    fn make(&self) -> Result<Destination, String> {
        let maildir = self.site.directory(self.path).map_err(|fault| fault.to_string())?;
        let maildir = maildir.ok_or_else(|| format!("{} is missing", self.path))?;
        let moment = self.site.clock().time_to_record();
        let Deletion::Move(name, _) = &self.site.settings().deletion else {
            return DeletedBatch::begin(&maildir, moment, self.term(), None).map(Destination::Kept);
        };
        let fault = |errno: Errno| format!("the folder {name}: {errno}");
        let directory = name.directory();
        folder::make(maildir.as_fd(), &directory).map_err(fault)?;
        let open = |place: Subdirectory| {
            let root = self.site.root().open().map_err(|fault| fault.to_string())?;
            let part = AsRef::<std::path::Path>::as_ref(self.path).join(&directory).join(place.directory());
            root.beneath(&part, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC).map_err(fault)
        };
        let (new, cur) = (open(Subdirectory::New)?, open(Subdirectory::Cur)?);
        let batch = DeletedBatch::begin(&maildir, moment, self.term(), Some(&directory))?;
        Ok(Destination::Folder { batch, new, cur })
    }
}

/// Whether a file had names beside the one that was removed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::maildir) enum LinkCount {
    One,
    Several,
}

/// The state of a file, if it is the one that was listed.
fn state(
    parts: &Parts,
    listed: &MessageFile,
    found: &MessageFile,
    counted: Option<FileState>,
) -> Result<(FileState, LinkCount), MessageFault> {
    let stat = statat(parts.get(found.place).ok_or(Errno::NOENT)?, &*found.name, AtFlags::SYMLINK_NOFOLLOW)?;
    let state = FileState::of(&stat).ok_or(MessageFault::Changed)?;
    if counted.is_some_and(|counted| counted.inode != state.inode) {
        return Err(MessageFault::Replaced);
    }
    let is_same = match counted {
        Some(counted) => counted == state,
        None => listed.inode == 0 || stat.st_ino == listed.inode || directory_agrees(parts, listed, found)?,
    };
    let names = if stat.st_nlink > 1 { LinkCount::Several } else { LinkCount::One };
    if is_same { Ok((state, names)) } else { Err(MessageFault::Changed) }
}

/// Whether the directory itself gives a name the inode that was listed: on some file systems they differ from those of
/// `stat`.
fn directory_agrees(parts: &Parts, listed: &MessageFile, found: &MessageFile) -> Result<bool, MessageFault> {
    let mut is_same = false;
    let looked = parts.each(|now| {
        is_same |= (now.place, &now.name, now.inode) == (found.place, &found.name, listed.inode);
        Ok(())
    });
    looked.map(|()| is_same).map_err(|error| MessageFault::Hindered(error.to_string()))
}

/// Moves a message to a folder, recorded before that, so that it can be found there again. Its name is kept, unless the
/// folder has a file of that name.
fn move_to(batch: &DeletedBatch, part: BorrowedFd<'_>, old: &[u8], to: BorrowedFd<'_>) -> Result<(), MessageFault> {
    let mut name = old.to_vec();
    loop {
        batch.note(&name).map_err(MessageFault::Hindered)?;
        let moved = rename(part, old, to, &name);
        if moved.is_ok() {
            return Ok(());
        }
        batch.forget(&name);
        if moved != Err(Errno::EXIST) {
            return Ok(moved?);
        }
        let base = file_name::base(old);
        name = [&*fresh_base(base), old.get(base.len()..).unwrap_or_default()].concat();
    }
}

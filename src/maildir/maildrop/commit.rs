//! The commit: removing the marked messages at QUIT.

use std::io;
use std::sync::Arc;

use rustix::io::Errno;

use super::finding::TRIES;
use super::latecomers::Latecomers;
use super::reach::Reach;
use super::session::Maildrop;
use crate::maildir::files::{FileState, MessageFile, Parts};
use crate::maildir::removal::{LinkCount, MessageFault, Removal};
use crate::maildir::snapshot::{Correction, DuplicateFile, index_file};

/// The result of a commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Committed {
    /// How many were removed.
    pub removed: usize,
    /// How many others had removed before; they count as deleted.
    pub already_gone: usize,
    /// The file name of each message that was not removed, and the reason.
    pub failed: Vec<String>,
}

impl Maildrop {
    /// Removes the messages at these indices of the listing, each wherever it is now. A failure does not affect the
    /// others. A message whose file is no longer the one that was listed stays, and so does one that cannot be read as
    /// mail, since no client can have it. Blocks while the disk answers.
    pub fn commit(&mut self, marks: &[usize]) -> Committed {
        let mut committed = Committed::default();
        if marks.is_empty() {
            return committed;
        }
        let mut reach = match self.reach() {
            Ok(reach) => reach,
            Err(fault) => {
                committed.failed.extend(marks.iter().map(|index| self.failure(self.place(*index), &fault)));
                return committed;
            }
        };
        let (snapshots, path) = (Arc::clone(&self.snapshots), self.path.clone());
        let mut removal = Removal::begin(snapshots.site(), &path);
        let places = self.places(marks);
        self.pin_others_named_like(&places);
        let latecomers = self.latecomers(&places, &mut reach);
        let mut changed = Vec::new();
        for index in places {
            let readability = self.readability(index);
            let removed = self.remove(index, &latecomers, &mut reach, &mut removal, |parts, found| {
                readability.require(parts, found)?;
                Ok(true)
            });
            match removed {
                Ok(Some(_)) => committed.removed += 1,
                Ok(None) => committed.already_gone += 1,
                Err(fault) => {
                    changed.extend(matches!(fault, MessageFault::Changed | MessageFault::Elusive).then_some(index));
                    committed.failed.push(self.failure(index, &fault));
                }
            }
        }
        self.forget(&changed);
        if let Err(errno) = removal.sync() {
            committed.failed.push(format!("what was removed may come back after a crash: {errno}"));
        }
        committed
    }

    /// Removes a message with all its files, if `is_due` allows it for the file found now. Returns the removed file;
    /// none if it is gone, or must stay.
    pub(in crate::maildir) fn remove(
        &mut self,
        index: usize,
        latecomers: &Latecomers,
        reach: &mut Reach,
        removal: &mut Removal<'_>,
        is_due: impl Fn(&Parts, &MessageFile) -> Result<bool, MessageFault>,
    ) -> Result<Option<MessageFile>, MessageFault> {
        let Some(listed) = self.entry(index).map(|entry| entry.found.clone()) else { return Ok(None) };
        let (counted, snapshot) = (self.state_seen(index), Arc::clone(&self.snapshot));
        let is_alone = self.is_alone(index, latecomers);
        // All files of a message or none: a file that is left would come back as another message.
        for copy in snapshot.copies(index) {
            self.reach_for_file(&copy.found, reach, |parts, found| {
                removal.require_same(parts, &copy.found, found, Some(copy.state))
            })?;
        }
        let removed = self.reach_for_file(&listed, reach, |parts, found| {
            if !is_due(parts, found)? {
                return Ok(None);
            }
            let names = removal.remove(parts, &listed, found, counted, is_alone)?;
            Ok(Some((found.clone(), names)))
        })?;
        if let Some(None) = removed {
            return Ok(None);
        }
        self.cached.note_removed(&listed);
        for copy in snapshot.copies(index).iter().chain(latecomers.of(index)) {
            self.remove_copy(copy, reach, removal, &is_due)?;
        }
        let Some(Some((found, names))) = removed else { return Ok(None) };
        if names == LinkCount::Several {
            self.remove_names(&listed, reach, removal, counted)?;
        }
        Ok(Some(found))
    }

    /// Removes a further file of a message, under all its names.
    fn remove_copy(
        &mut self,
        copy: &DuplicateFile,
        reach: &mut Reach,
        removal: &mut Removal<'_>,
        is_due: impl Fn(&Parts, &MessageFile) -> Result<bool, MessageFault>,
    ) -> Result<(), MessageFault> {
        let counted = Some(copy.state);
        let removed = self.reach_for_file(&copy.found, reach, |parts, found| {
            Ok(if is_due(parts, found)? {
                removal.remove_further(parts, &copy.found, found, counted)?
            } else {
                LinkCount::One
            })
        })?;
        match removed {
            Some(LinkCount::Several) => self.remove_names(&copy.found, reach, removal, counted),
            Some(LinkCount::One) | None => Ok(()),
        }
    }

    /// Removes the further names of a file in this Maildir, if there are any. Each is removed as soon as it is found.
    fn remove_names(
        &mut self,
        listed: &MessageFile,
        reach: &mut Reach,
        removal: &mut Removal<'_>,
        counted: Option<FileState>,
    ) -> Result<(), MessageFault> {
        for _ in 0..TRIES {
            let mut removed = Ok(());
            let looked = reach.parts.each(|now| {
                if removed.is_ok() && now.is_same_message(listed) {
                    removed = or_gone(removal.remove_further(&reach.parts, listed, &now, counted));
                }
                Ok(())
            });
            looked?;
            removed?;
            self.rescan_for(reach)?;
            if self.rescanned_files().is_some_and(|names| !names.has(listed)) {
                return Ok(());
            }
        }
        Err(MessageFault::Elusive)
    }

    /// Drops the sizes of messages whose files have changed, from memory and from the index: the next session, here or
    /// after a restart, counts them again, and can remove them then.
    pub(in crate::maildir) fn forget(&self, changed: &[usize]) {
        let entries = || changed.iter().filter_map(|index| self.entry(*index));
        for entry in entries() {
            self.cached.correct(&entry.found, Correction::Forget);
        }
        if !entries().any(|entry| entry.indexed) {
            return;
        }
        let index = self.snapshot.index_without(changed);
        let written = self.site().root().open().map_err(io::Error::other);
        if let Err(error) = written.and_then(|root| index_file::write(&root, &self.path, &index)) {
            tracing::warn!(
                name: "index_cannot_be_corrected",
                maildrop = self.path.to_string(),
                reason = error.to_string(),
                "the index cannot be corrected"
            );
        }
    }
}

/// A file that no longer has the name needs no removal there.
fn or_gone(removed: Result<LinkCount, MessageFault>) -> Result<(), MessageFault> {
    match removed {
        Ok(_) | Err(MessageFault::Kernel(Errno::NOENT) | MessageFault::Replaced) => Ok(()),
        Err(fault) => Err(fault),
    }
}

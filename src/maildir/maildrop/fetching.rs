//! Opening a message for RETR or TOP: the file is found wherever it is now, and rejected unless it is the one that was
//! listed.
//!
//! The way of a message: [`Maildrop::fetch`] opens and checks it, [`Message::read`](super::message::Message::read)
//! reads it to its end, and [`Message::was_sent`](super::message::Message::was_sent) compares the octets sent with
//! those listed.

use std::fs::File;
use std::io;
use std::num::NonZeroU64;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{Advice, Stat, fadvise, fstat};
use rustix::io::Errno;

use super::finding::TRIES;
use super::message::{Message, MessageSource};
use super::session::Maildrop;
use crate::maildir::fault::{FetchFault, NoMail};
use crate::maildir::files::{FileState, MESSAGE, MessageFile};
use crate::maildir::snapshot::{Correction, log_no_mail};

/// A file that was opened under a message's name.
pub(super) struct OpenedFile {
    file: File,
    stat: Stat,
}

impl OpenedFile {
    pub(super) fn of(file: File) -> Result<Self, FetchFault> {
        let stat = fstat(&file).map_err(|errno| FetchFault::Io(errno.into()))?;
        Ok(Self { file, stat })
    }
}

impl Maildrop {
    /// Opens the message at an index of the listing. Blocks while the disk answers.
    ///
    /// # Errors
    /// See [`FetchFault`]; the session can continue after each.
    pub fn fetch(&mut self, index: usize) -> Result<Message, FetchFault> {
        let index = self.place(index);
        let file = self.open(index)?;
        let message = self.checked(index, file)?;
        let (state, largest) = (message.state(), self.site().settings().largest_message);
        // Counted with its line ends, no message has fewer octets than its file; so a counted message is within the
        // limit.
        let is_within = self.snapshot.listed.get(index).is_some_and(|listed| listed.octets <= largest);
        let is_counted = is_within && self.entry(index).is_some_and(|entry| entry.counted.is_some());
        message.begin(largest, is_counted).map_err(|error| self.note_no_mail(index, state, error.into()))
    }

    /// Records and logs that a file cannot be read as mail, if that is the fault: once for each file.
    fn note_no_mail(&self, index: usize, state: FileState, fault: FetchFault) -> FetchFault {
        if let (FetchFault::NoMail(why), Some(entry)) = (&fault, self.entry(index))
            && self.cached.correct(&entry.found, Correction::NoMail(*why, state))
        {
            log_no_mail(&self.path, &entry.found, *why);
        }
        fault
    }

    /// A file, if it is still the one whose octets were listed.
    pub(super) fn checked(&mut self, index: usize, opened: OpenedFile) -> Result<Message, FetchFault> {
        let OpenedFile { file, stat } = opened;
        let state = FileState::of(&stat);
        let (entry, seen) = (self.entry(index).ok_or(FetchFault::Gone)?, self.state_seen(index));
        let Some(state) = state.filter(|state| seen.is_none_or(|seen| seen == *state)) else {
            self.cached.correct(&entry.found, Correction::Forget);
            return Err(FetchFault::Changed);
        };
        if let Some(why) = entry.no_mail {
            return Err(FetchFault::NoMail(why));
        }
        if state.size > self.site().settings().largest_message {
            return Err(self.note_no_mail(index, state, FetchFault::NoMail(NoMail::TooLarge)));
        }
        if seen.is_none() {
            self.fetched.insert(index, state);
        }
        let source = MessageSource {
            path: self.path.clone(),
            cached: Arc::clone(&self.cached),
            snapshot: Arc::clone(&self.snapshot),
            index,
        };
        Ok(Message::new(file, state, source))
    }

    /// The state in which a message's file was counted or, if its name gave the octets, in which this session first
    /// fetched it. A file in another state is neither sent nor removed.
    pub(super) fn state_seen(&self, index: usize) -> Option<FileState> {
        let counted = self.entry(index)?.counted;
        counted.or_else(|| self.fetched.get(&index).copied())
    }

    /// Starts reading the beginning of the message at an index from the disk, without waiting: it may be fetched next.
    pub fn read_ahead(&self, index: usize) {
        const BEGINNING: NonZeroU64 = NonZeroU64::new(256 * 1024).unwrap();
        let Some(found) = self.last_seen(self.place(index)) else { return };
        if let Ok(file) = self.open_at(&found) {
            // Advice that is ignored costs nothing.
            let _ = fadvise(&file, 0, Some(BEGINNING), Advice::WillNeed);
        }
    }

    fn open(&mut self, index: usize) -> Result<OpenedFile, FetchFault> {
        let mut found = self.last_seen(index).ok_or(FetchFault::Gone)?;
        for _ in 0..TRIES {
            match self.open_at(&found) {
                Ok(file) => {
                    let opened = OpenedFile::of(file)?;
                    if self.has_known_inode(index, &found, &opened) || self.is_file_of(&found, &opened)? {
                        return Ok(opened);
                    }
                }
                Err(FetchFault::Gone) => {}
                Err(fault) => return Err(fault),
            }
            let parts = self.parts().map_err(|fault| FetchFault::Io(io::Error::other(fault)))?;
            if self.is_known_gone(index, &parts).map_err(FetchFault::Io)? {
                return Err(FetchFault::Gone);
            }
            self.rescan(&parts).map_err(FetchFault::Io)?;
            found = self.found_again(index).ok_or(FetchFault::Gone)?;
        }
        Err(FetchFault::Gone)
    }

    /// Whether a file that was opened under a message's name has an inode that is known to be the message's: messages with
    /// the same base name may get each other's names.
    pub(super) fn has_known_inode(&self, index: usize, found: &MessageFile, opened: &OpenedFile) -> bool {
        let inode = opened.stat.st_ino;
        found.inode == 0 || found.inode == inode || self.state_seen(index).is_some_and(|seen| seen.inode == inode)
    }

    /// Whether the directory says now that the file is the message's.
    fn is_file_of(&self, found: &MessageFile, opened: &OpenedFile) -> Result<bool, FetchFault> {
        let parts = self.parts().map_err(|fault| FetchFault::Io(io::Error::other(fault)))?;
        parts.is_file_of(found, opened.stat.st_ino).map_err(FetchFault::Io)
    }

    fn open_at(&self, found: &MessageFile) -> Result<File, FetchFault> {
        let root = self.site().root().open().map_err(|fault| FetchFault::Io(io::Error::other(fault)))?;
        let maildir: &Path = self.path.as_ref();
        match root.beneath(&maildir.join(found.path()), MESSAGE) {
            Ok(file) => Ok(File::from(file)),
            Err(Errno::NOENT) => Err(FetchFault::Gone),
            // A link or a socket: not a message any more.
            Err(Errno::LOOP | Errno::NXIO) => Err(FetchFault::Changed),
            Err(errno) => Err(FetchFault::Io(errno.into())),
        }
    }
}

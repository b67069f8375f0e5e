//! One message on its way out.

use std::fmt;
use std::fs::File;
use std::io::{self, IoSliceMut, Read};
use std::sync::Arc;

use rustix::io::{Errno, ReadWriteFlags, preadv2};

use super::count::FileState;
use super::kept::Kept;
use super::path::MaildropPath;
use super::snapshot::{Mend, Snapshot};

/// The octets of a message's file, as they lie on disk. Holds the file open until it is dropped.
pub struct Message {
    file: File,
    state: FileState,
    /// Octets on disk not yet read.
    left: u64,
    ended: bool,
    source: Source,
}

/// Where a message comes from, to put right what is known of it.
pub(super) struct Source {
    pub(super) path: MaildropPath,
    pub(super) kept: Arc<Kept>,
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) index: usize,
}

impl Message {
    pub(super) fn new(file: File, state: FileState, source: Source) -> Self {
        Self { file, state, left: state.size, ended: false, source }
    }

    /// Octets on disk not yet read.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.left
    }

    /// Reads the next octets into `block`, and tells how many; 0 at the end. Blocks while the disk answers.
    ///
    /// # Errors
    /// The file cannot be read, ends before the size it had when it was opened (`UnexpectedEof`), or goes on behind it
    /// (`InvalidData`). What was read so far is no whole message then.
    pub fn read(&mut self, block: &mut [u8]) -> io::Result<usize> {
        if self.ended || block.is_empty() {
            return Ok(0);
        }
        let length = self.read_once(block)?;
        self.take(length, block.len())
    }

    /// The same with octets that are in memory already; none if the disk would have to be waited for.
    ///
    /// # Errors
    /// As [`Message::read`].
    pub fn read_cached(&mut self, block: &mut [u8]) -> io::Result<Option<usize>> {
        /// Where the file was read to (preadv2(2)).
        const HERE: u64 = u64::MAX;
        if self.ended || block.is_empty() {
            return Ok(Some(0));
        }
        match preadv2(&self.file, &mut [IoSliceMut::new(block)], HERE, ReadWriteFlags::NOWAIT) {
            Ok(length) => self.take(length, block.len()).map(Some),
            // A file system may not know the question.
            Err(Errno::AGAIN | Errno::INTR | Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL | Errno::PERM) => Ok(None),
            Err(errno) => Err(errno.into()),
        }
    }

    /// All of it was sent, so many octets as RETR counts them. If others were told, the log tells, and the next session
    /// is told right.
    pub fn was_sent(&self, octets: u64) {
        self.source.compare(octets, self.state);
    }

    fn read_once(&mut self, block: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.file.read(block) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }

    /// `room`: how many octets were asked for.
    fn take(&mut self, length: usize, room: usize) -> io::Result<usize> {
        if length == 0 && self.left > 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file ended early"));
        }
        let Some(left) = self.left.checked_sub(length as u64) else {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the file grew while it was read"));
        };
        self.left = left;
        // There was room for more, and no more came.
        self.ended = left == 0 && length < room;
        Ok(length)
    }
}

impl Source {
    /// What was sent is right, whatever was told; the next session is told the same.
    fn compare(&self, sent: u64, state: FileState) {
        let Some((entry, listed)) = self.snapshot.entries.get(self.index).zip(self.snapshot.listed.get(self.index))
        else {
            return;
        };
        if listed.octets == sent {
            return;
        }
        let file = String::from_utf8_lossy(&entry.found.name);
        tracing::warn!(maildrop = %self.path, %file, told = listed.octets, sent, "wrong number of octets told");
        self.kept.mend(&entry.found, Mend::Sent(sent, state));
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message").field("state", &self.state).field("left", &self.left).finish_non_exhaustive()
    }
}

//! Whether a client can have read a message: a file that cannot be read as mail is never deleted at its request.

use rustix::fs::fstat;
use rustix::io::Errno;

use super::session::Maildrop;
use crate::maildir::fault::NoMail;
use crate::maildir::files::{FileState, MessageFile, Parts, require_mail};
use crate::maildir::removal::MessageFault;
use crate::maildir::snapshot::SnapshotEntry;

/// Whether a message may be removed at a client's request: a client that cannot have read it does not have it.
pub(in crate::maildir) enum Readability {
    /// It was read as mail, when it was counted or in this session.
    Seen,
    /// Not known yet. Octets of the largest message.
    Unknown(u64),
    None(NoMail),
}

impl Maildrop {
    /// Records which messages a client received whole; they need not be read again before they are removed.
    pub fn note_read(&mut self, indices: &[usize]) {
        self.read = self.places(indices).into_iter().collect();
    }

    pub(super) fn readability(&self, index: usize) -> Readability {
        match self.entry(index) {
            Some(SnapshotEntry { no_mail: Some(why), .. }) => Readability::None(*why),
            Some(entry) if entry.counted.is_some() || self.read.contains(&index) => Readability::Seen,
            _ => Readability::Unknown(self.site().settings().largest_message),
        }
    }
}

impl Readability {
    /// Requires that a message can be read as mail, wherever it is now.
    pub(super) fn require(&self, parts: &Parts, found: &MessageFile) -> Result<(), MessageFault> {
        let largest = match self {
            Self::Seen => return Ok(()),
            Self::None(why) => return Err(MessageFault::NoMail(*why)),
            Self::Unknown(largest) => *largest,
        };
        let file = match parts.open_file(found) {
            Ok(file) => file,
            Err(Errno::LOOP | Errno::NXIO) => return Err(MessageFault::Changed),
            Err(errno) => return Err(errno.into()),
        };
        // What is no file is in the way of the message, whatever became of that.
        let state = FileState::of(&fstat(&file)?).ok_or(MessageFault::Changed)?;
        if !parts.is_file_of(found, state.inode)? {
            return Err(MessageFault::Replaced);
        }
        require_mail(&file, largest).map_err(|error| match NoMail::of(&error) {
            Some(why) => MessageFault::NoMail(why),
            None => MessageFault::Io(error),
        })
    }
}

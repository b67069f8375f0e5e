//! Acting on a message's file wherever it is now: other programs may rename, flag and move it at any moment.

use std::fmt;
use std::io;

use rustix::io::Errno;

use super::finding::TRIES;
use super::session::Maildrop;
use crate::maildir::fault::EnterFault;
use crate::maildir::files::{MessageFile, Parts};
use crate::maildir::removal::MessageFault;

/// Access to several messages, one after the other.
pub(in crate::maildir) struct Reach {
    pub(in crate::maildir) parts: Parts,
    /// The names were read again since this began, so a message that is not among them is gone.
    rescanned: bool,
}

impl Maildrop {
    pub(super) fn reach(&self) -> Result<Reach, EnterFault> {
        Ok(Reach { parts: self.parts()?, rescanned: false })
    }

    /// Acts on a file that was listed; tries again if it has moved in between. None if it is gone.
    pub(super) fn reach_for_file<T>(
        &mut self,
        listed: &MessageFile,
        reach: &mut Reach,
        mut act: impl FnMut(&Parts, &MessageFile) -> Result<T, MessageFault>,
    ) -> Result<Option<T>, MessageFault> {
        for attempt in 0..TRIES {
            let anew = self.file_found_again(listed);
            // Something that is not a file is not among the names, but may be in the way all the same.
            let found = if attempt > 0 { anew } else { anew.or_else(|| Some(listed.clone())) };
            let Some(found) = found else { return Ok(None) };
            match act(&reach.parts, &found) {
                // The names confirm that: it was replaced, and has not moved.
                Err(MessageFault::Replaced) if reach.rescanned && found.inode != listed.inode => {
                    return Err(MessageFault::Changed);
                }
                Err(MessageFault::Kernel(Errno::NOENT) | MessageFault::Replaced) => {}
                done => return done.map(Some),
            }
            self.rescan_for(reach)?;
        }
        Err(MessageFault::Elusive)
    }

    /// Reads the names again, to follow files that have moved.
    pub(super) fn rescan_for(&mut self, reach: &mut Reach) -> io::Result<()> {
        self.rescan(&reach.parts)?;
        reach.rescanned = true;
        Ok(())
    }

    /// The log text about a message that was left alone.
    pub(super) fn failure(&self, index: usize, reason: &impl fmt::Display) -> String {
        match self.last_seen(index) {
            Some(found) => format!("{}: {reason}", found.path().display()),
            None => format!("message {index}: {reason}"),
        }
    }
}

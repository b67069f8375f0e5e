//! Doing something to a message where it lies now: others rename, flag and move it at any moment.

use std::fmt;

use rustix::io::Errno;

use super::no_mail::NoMail;
use super::session::{Maildrop, TRIES};
use crate::maildir::fault::EnterFault;
use crate::maildir::files::{MessageFile, Parts};

/// Why nothing was done to a message.
pub(in crate::maildir) enum MessageFault {
    /// Its file is no longer the one that was listed.
    Changed,
    /// Another file has the name under which it was looked for.
    Replaced,
    /// Its file cannot be read as mail, so that nobody can have it.
    NoMail(NoMail),
    /// It was elsewhere whenever it was reached for.
    Elusive,
    /// Something else than the message is in the way; what.
    Hindered(String),
    Kernel(Errno),
}

/// What can be done to several messages, one after the other.
pub(in crate::maildir) struct Reach {
    pub(in crate::maildir) parts: Parts,
    /// The names were read since this began, so a message that is not among them is gone.
    pub(in crate::maildir) reread: bool,
}

impl Maildrop {
    pub(in crate::maildir) fn reach(&self) -> Result<Reach, EnterFault> {
        Ok(Reach { parts: self.parts()?, reread: false })
    }

    /// Does something to a message, again wherever it went meanwhile. None if it is gone.
    pub(in crate::maildir) fn reach_for<T>(
        &mut self,
        index: usize,
        reach: &mut Reach,
        act: impl FnMut(&Parts, &MessageFile) -> Result<T, MessageFault>,
    ) -> Result<Option<T>, MessageFault> {
        let Some(listed) = self.entry(index).map(|entry| entry.found.clone()) else { return Ok(None) };
        self.reach_for_file(&listed, reach, act)
    }

    /// The same with a file that was listed.
    pub(in crate::maildir) fn reach_for_file<T>(
        &mut self,
        listed: &MessageFile,
        reach: &mut Reach,
        mut act: impl FnMut(&Parts, &MessageFile) -> Result<T, MessageFault>,
    ) -> Result<Option<T>, MessageFault> {
        for attempt in 0..TRIES {
            let anew = self.file_seen_anew(listed);
            // What is no file has no place among the names, and is in the way all the same.
            let found = if attempt > 0 { anew } else { anew.or_else(|| Some(listed.clone())) };
            let Some(found) = found else { return Ok(None) };
            match act(&reach.parts, &found) {
                // The names say so, too: it was replaced, and has not moved.
                Err(MessageFault::Replaced) if reach.reread && found.inode != listed.inode => {
                    return Err(MessageFault::Changed);
                }
                Err(MessageFault::Kernel(Errno::NOENT) | MessageFault::Replaced) => {}
                done => return done.map(Some),
            }
            self.reread(&reach.parts).map_err(|error| MessageFault::Hindered(error.to_string()))?;
            reach.reread = true;
        }
        Err(MessageFault::Elusive)
    }

    /// What is logged of a message to which nothing was done.
    pub(in crate::maildir) fn failure(&self, index: usize, reason: &impl fmt::Display) -> String {
        match self.last_seen(index) {
            Some(found) => format!("{}: {reason}", found.path().display()),
            None => format!("message {index}: {reason}"),
        }
    }
}

impl From<Errno> for MessageFault {
    fn from(errno: Errno) -> Self {
        Self::Kernel(errno)
    }
}

impl fmt::Display for MessageFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed | Self::Replaced => f.write_str("changed after it was listed"),
            Self::NoMail(why) => write!(f, "not removed, since nobody can have read it: {why}"),
            Self::Elusive => f.write_str("moved whenever it was reached for"),
            Self::Hindered(why) => f.write_str(why),
            Self::Kernel(errno) => errno.fmt(f),
        }
    }
}

//! Why nothing was done to a message.

use std::fmt;
use std::io;

use rustix::io::Errno;

use crate::maildir::fault::{EnterFault, NoMail};
use crate::maildir::files::FolderName;
use crate::maildir::mail_root::MaildropPath;

/// Why nothing was done to a message.
pub(in crate::maildir) enum MessageFault {
    /// Its file is no longer the one that was listed.
    Changed,
    /// Another file has the name under which it was looked for.
    Replaced,
    /// Its file cannot be read as mail, so no client can have it.
    NoMail(NoMail),
    /// It had moved at each try.
    Elusive,
    /// Removed messages have nowhere to go: the same goes for every other one.
    NoDestination(DestinationFault),
    /// There is no `cur` to which it could move.
    NoCur,
    /// The names in the Maildir, or the message, cannot be read now.
    Io(io::Error),
    Kernel(Errno),
}

/// Why removed messages have nowhere to go.
pub(in crate::maildir) enum DestinationFault {
    /// The Maildir cannot be reached now.
    Maildrop(EnterFault),
    /// There is no Maildir any more.
    Missing(MaildropPath),
    /// The folder of the settings cannot be made or opened.
    Folder(FolderName, Errno),
    /// Nothing can be written where deleted mail is kept or recorded.
    Batch(&'static str, Errno),
}

impl From<Errno> for MessageFault {
    fn from(errno: Errno) -> Self {
        Self::Kernel(errno)
    }
}

impl From<io::Error> for MessageFault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<DestinationFault> for MessageFault {
    fn from(fault: DestinationFault) -> Self {
        Self::NoDestination(fault)
    }
}

impl fmt::Display for DestinationFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Maildrop(fault) => fault.fmt(f),
            Self::Missing(path) => write!(f, "{path} is missing"),
            Self::Folder(name, errno) => write!(f, "the folder {name}: {errno}"),
            Self::Batch(directory, errno) => write!(f, "{directory}: {errno}"),
        }
    }
}

impl fmt::Display for MessageFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed | Self::Replaced => f.write_str("changed after it was listed"),
            Self::NoMail(why) => write!(f, "not removed, since no client can have read it: {why}"),
            Self::Elusive => f.write_str("moved each time it was looked for"),
            Self::NoDestination(fault) => fault.fmt(f),
            Self::NoCur => f.write_str("cur is missing"),
            Self::Io(error) => error.fmt(f),
            Self::Kernel(errno) => errno.fmt(f),
        }
    }
}

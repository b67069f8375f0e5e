//! Why nothing was done to a message.

use std::fmt;

use rustix::io::Errno;

use crate::maildir::fault::NoMail;

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
    /// Something else prevented it; what.
    Hindered(String),
    Kernel(Errno),
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

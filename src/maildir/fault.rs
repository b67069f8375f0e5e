//! What can go wrong, grouped by what the caller must do.

use std::fmt;
use std::io;
use std::path::PathBuf;

use rustix::io::Errno;

/// Why no [`Store`](crate::maildir::Store) can be made.
#[derive(Debug)]
pub enum StoreFault {
    /// The mail root is not a readable directory.
    Root(PathBuf, io::Error),
    /// The root of other servers' lists is not a readable directory.
    Lists(PathBuf, io::Error),
    /// The marker is not below the mail root: its disk is not mounted.
    Marker(PathBuf, io::Error),
}

/// Why a maildrop cannot be entered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EnterFault {
    /// The path leads out of the mail root, or is not a valid path: an administrator must fix it. Why, for the log.
    Forbidden(String),
    /// The content of the maildrop cannot be determined now, so nothing may be listed. Why, for the log.
    Unavailable(String),
}

/// Why a message cannot be fetched; each is reported before the message begins.
#[derive(Debug)]
pub enum FetchFault {
    /// Another session or program removed it.
    Gone,
    /// The file is no longer the one whose octets were listed.
    Changed,
    /// It cannot be read as mail, now or later.
    NoMail(NoMail),
    /// It cannot be read now.
    Io(io::Error),
}

impl From<io::Error> for FetchFault {
    fn from(error: io::Error) -> Self {
        NoMail::of(&error).map_or(Self::Io(error), Self::NoMail)
    }
}

impl EnterFault {
    /// Classifies the kernel's error about `what`.
    pub(super) fn of(what: impl fmt::Display, errno: Errno) -> Self {
        match errno {
            Errno::XDEV => Self::Forbidden(format!("{what}: a link leads out of the mail root")),
            Errno::LOOP => Self::Forbidden(format!(
                "{what}: too many links, or one that leads to what is not its owner's, and was made neither by root nor by \
                 the user of the service"
            )),
            Errno::NAMETOOLONG => Self::Forbidden(format!("{what}: a name is too long")),
            _ => Self::Unavailable(format!("{what}: {errno}")),
        }
    }

    pub(super) fn unavailable(what: impl fmt::Display, error: &io::Error) -> Self {
        Self::Unavailable(format!("{what}: {error}"))
    }
}

impl fmt::Display for StoreFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root(path, error) => write!(f, "the mail root {} cannot be read: {error}", path.display()),
            Self::Lists(path, error) => write!(f, "the root of lists {} cannot be read: {error}", path.display()),
            Self::Marker(path, error) => {
                write!(f, "the marker {} is not there ({error}); is the disk mounted?", path.display())
            }
        }
    }
}

impl fmt::Display for EnterFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Forbidden(why) | Self::Unavailable(why)) = self;
        f.write_str(why)
    }
}

impl fmt::Display for FetchFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gone => f.write_str("the message is gone"),
            Self::Changed => f.write_str("the message's file was changed after the maildrop was entered"),
            Self::NoMail(why) => write!(f, "the file cannot be read as mail: {why}"),
            Self::Io(error) => write!(f, "the message cannot be read: {error}"),
        }
    }
}

impl std::error::Error for StoreFault {}
impl std::error::Error for EnterFault {}
impl std::error::Error for FetchFault {}

/// Why a file cannot be read as mail, now or later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoMail {
    /// It is compressed, but not with gzip or zstd; with what.
    Compressed(&'static str),
    /// It is encrypted: `mail_crypt` of Dovecot.
    Encrypted,
    /// The compressed stream is damaged, or ends early.
    Broken,
    /// It is larger than the largest message allowed by the settings, on disk or uncompressed.
    TooLarge,
}

impl NoMail {
    /// The reason inside an error, if the file can be read but is not mail.
    pub(in crate::maildir) fn of(error: &io::Error) -> Option<Self> {
        error.get_ref()?.downcast_ref().copied()
    }
}

impl From<NoMail> for io::Error {
    fn from(why: NoMail) -> Self {
        Self::new(io::ErrorKind::InvalidData, why)
    }
}

impl fmt::Display for NoMail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compressed(way) => write!(f, "it is compressed with {way}; only gzip and zstd are read"),
            Self::Encrypted => f.write_str("it is encrypted"),
            Self::Broken => f.write_str("it is compressed, and damaged"),
            Self::TooLarge => f.write_str("it is larger than mailboxes.largest_message"),
        }
    }
}

impl std::error::Error for NoMail {}

/// Whether an error concerns only one file, and does not mean that nothing can be read now.
pub(in crate::maildir) fn concerns_one_file(error: &io::Error) -> bool {
    /// `EFSCORRUPTED` and `EFSBADCRC` of file systems are the first two.
    const DAMAGED: [Errno; 6] = [Errno::UCLEAN, Errno::BADMSG, Errno::IO, Errno::NODATA, Errno::REMOTEIO, Errno::ILSEQ];
    const CLOSED: [Errno; 5] = [Errno::ACCESS, Errno::PERM, Errno::NOKEY, Errno::STALE, Errno::OVERFLOW];
    Errno::from_io_error(error).is_some_and(|errno| DAMAGED.contains(&errno) || CLOSED.contains(&errno))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Only a link that leads out, or a name that no file system takes, can never be mail; whatever else is in the way may
    /// go away again.
    #[test]
    fn what_may_pass_is_unavailable() {
        for errno in
            [Errno::ACCESS, Errno::NOTDIR, Errno::STALE, Errno::IO, Errno::NOENT, Errno::TIMEDOUT, Errno::MFILE]
        {
            assert!(matches!(EnterFault::of("ajones", errno), EnterFault::Unavailable(_)), "{errno}");
        }
        for errno in [Errno::XDEV, Errno::LOOP, Errno::NAMETOOLONG] {
            assert!(matches!(EnterFault::of("ajones", errno), EnterFault::Forbidden(_)), "{errno}");
        }
    }
}

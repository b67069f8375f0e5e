//! Deleted messages that can be restored: `restante-deleted` in the Maildir.
//!
//! Each commit has a directory in it, named by the second of the deletion, a number, and the seconds after which the
//! messages are removed for good: `1764065700.0+1209600`. It contains the messages themselves under their old names;
//! or, if they were moved to a folder, empty files with the names that they got there, and the folder is at the end of
//! the name: `1764065700.0+1209600@.Trash`. Without seconds, as in `1764065700.0@.Archive`, they are not removed from
//! their folder. So each deletion keeps the time that was configured when it happened, whatever the settings say later.
//! No mail program mistakes any of it for a folder, since no name begins with a dot, and nothing contains `new`, `cur`
//! and `tmp`.

use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::{AtFlags, Dir, Mode, OFlags, mkdirat, openat, unlinkat};
use rustix::io::Errno;

use super::message_fault::DestinationFault;
use crate::maildir::files::{DIRECTORY, make_directory};

/// The directory in the Maildir.
pub(super) const DELETED: &str = "restante-deleted";

/// Commits of one maildrop in one second.
const MOST_IN_A_SECOND: u32 = 10_000;

/// The messages that one commit deleted.
pub(in crate::maildir) struct DeletedBatch {
    directory: OwnedFd,
}

/// The contents of a batch's name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::maildir) struct BatchName {
    /// When the messages were deleted, in seconds since 1970.
    pub(in crate::maildir) seconds: u64,
    number: u32,
    /// How long after their deletion the messages are removed for good; none if that is unspecified.
    pub(in crate::maildir) term: Option<Duration>,
    /// The directory of the folder to which the messages were moved; none if they are in the batch.
    pub(in crate::maildir) folder: Option<PathBuf>,
}

impl DeletedBatch {
    /// Begins a new batch, deleted at a time since 1970.
    pub(in crate::maildir) fn begin(
        maildir: &OwnedFd,
        moment: Duration,
        term: Option<Duration>,
        folder: Option<&Path>,
    ) -> Result<Self, DestinationFault> {
        let deleted = make_directory(maildir.as_fd(), Path::new(DELETED)).map_err(fault)?;
        let seconds = moment.as_secs();
        for number in 0..MOST_IN_A_SECOND {
            let name = BatchName { seconds, number, term, folder: folder.map(Path::to_owned) }.file_name();
            match mkdirat(&deleted, &name, Mode::RWXU) {
                Ok(()) => {
                    let directory = openat(&deleted, &name, DIRECTORY, Mode::empty()).map_err(fault)?;
                    return Ok(Self { directory });
                }
                Err(Errno::EXIST) => {}
                Err(errno) => return Err(fault(errno)),
            }
        }
        Err(fault(Errno::EXIST))
    }

    pub(in crate::maildir) fn directory(&self) -> BorrowedFd<'_> {
        self.directory.as_fd()
    }

    /// Records that a message is about to be moved to the folder under this name.
    pub(in crate::maildir) fn note(&self, name: &[u8]) -> Result<(), DestinationFault> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let made = openat(&self.directory, name, flags, Mode::RUSR | Mode::WUSR);
        made.map(drop).map_err(fault)
    }

    /// Removes that record.
    pub(in crate::maildir) fn forget(&self, name: &[u8]) {
        let _ = unlinkat(&self.directory, name, AtFlags::empty());
    }
}

fn fault(errno: Errno) -> DestinationFault {
    DestinationFault::Batch(DELETED, errno)
}

impl BatchName {
    pub(in crate::maildir) fn file_name(&self) -> PathBuf {
        let term = self.term.map(|term| format!("+{}", term.as_secs())).unwrap_or_default();
        let mut name = format!("{}.{}{term}", self.seconds, self.number).into_bytes();
        if let Some(folder) = &self.folder {
            name.push(b'@');
            name.extend_from_slice(folder.as_os_str().as_bytes());
        }
        PathBuf::from(OsStr::from_bytes(&name))
    }

    /// None if the name is not that of a batch.
    fn parse(name: &[u8]) -> Option<Self> {
        let at = name.iter().position(|octet| *octet == b'@');
        let (time, folder) = match at {
            Some(at) => (name.get(..at)?, Some(name.get(at + 1..)?)),
            None => (name, None),
        };
        let (seconds, number) = std::str::from_utf8(time).ok()?.split_once('.')?;
        let (number, term) = match number.split_once('+') {
            Some((number, term)) => (number, Some(Duration::from_secs(term.parse().ok()?))),
            None => (number, None),
        };
        let is_folder = |folder: &[u8]| folder.len() > 1 && folder.starts_with(b".") && !folder.starts_with(b"..");
        let folder = folder.map(|folder| is_folder(folder).then(|| PathBuf::from(OsStr::from_bytes(folder))));
        let folder = match folder {
            Some(None) => return None,
            other => other.flatten(),
        };
        Some(Self { seconds: seconds.parse().ok()?, number: number.parse().ok()?, term, folder })
    }

    /// When its messages were deleted.
    pub(in crate::maildir) fn moment(&self) -> SystemTime {
        UNIX_EPOCH.checked_add(Duration::from_secs(self.seconds)).unwrap_or(SystemTime::now())
    }
}

/// The directory of all batches; none if there never was one.
pub(super) fn open(maildir: BorrowedFd<'_>) -> Result<Option<OwnedFd>, Errno> {
    match openat(maildir, DELETED, DIRECTORY, Mode::empty()) {
        Ok(deleted) => Ok(Some(deleted)),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(errno),
    }
}

/// All batches, the oldest first.
pub(super) fn batches(deleted: BorrowedFd<'_>) -> Result<Vec<BatchName>, Errno> {
    let mut names: Vec<BatchName> = files(deleted)?.iter().filter_map(|name| BatchName::parse(name)).collect();
    names.sort_unstable();
    Ok(names)
}

/// The names in a directory, sorted.
pub(super) fn files(directory: BorrowedFd<'_>) -> Result<Vec<Vec<u8>>, Errno> {
    let mut names = Vec::new();
    for entry in Dir::read_from(directory)? {
        let name = entry?.file_name().to_bytes().to_vec();
        if name != b"." && name != b".." {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_tells_when_and_where_to() {
        for (seconds, number, term, folder) in [
            (1_764_065_700, 0, Some(1_209_600), None),
            (1_764_065_700, 0, None, None),
            (7, 12, Some(60), Some(".Deleted Items+7@home")),
            (7, 12, None, Some(".Archive")),
        ] {
            let name =
                BatchName { seconds, number, term: term.map(Duration::from_secs), folder: folder.map(PathBuf::from) };
            assert_eq!(BatchName::parse(name.file_name().as_os_str().as_bytes()), Some(name));
        }
        for name in ["", "7", "7.", ".7", "x.0", "7.0@", "7.0@Trash", "7.0@..", "7.0@../x", "7.0+", "7.0+x", "7+7.0"] {
            assert_eq!(BatchName::parse(name.as_bytes()), None, "{name}");
        }
    }
}

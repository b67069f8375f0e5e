//! The files that old unique-ids are read from.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use rustix::fs::{FileType, OFlags, fstat, stat};
use rustix::io::Errno;

use super::settings::{ListKind, UniqueIdSettings};
use crate::maildir::beneath;
use crate::maildir::stamp::FileStamp;

/// What the lists are called, in the order of [`ListStamps`], and what is read from each.
const LISTS: [(&str, &[ListKind]); 3] = [
    ("dovecot-uidlist", &[ListKind::Dovecot, ListKind::DovecotSaved]),
    ("courierpop3dsizelist", &[ListKind::Courier]),
    ("restante-import", &[ListKind::ImportFile]),
];

/// The files that lists are read from.
pub(in crate::maildir) const LIST_FILES: [&str; LISTS.len()] = [LISTS[0].0, LISTS[1].0, LISTS[2].0];

/// No list of a maildrop that can be served is bigger.
const LARGEST: u64 = 1 << 30;

const READ: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);

/// The state in which each list was read; none of one that was not there, or does not count.
pub(in crate::maildir) type ListStamps = [Option<FileStamp>; LISTS.len()];

/// What stands in the lists of one maildrop.
#[derive(Debug, Default)]
pub(in crate::maildir) struct Contents {
    pub(super) dovecot: Option<Vec<u8>>,
    pub(super) courier: Option<Vec<u8>>,
    pub(super) import: Option<Vec<u8>>,
    pub(in crate::maildir) stamps: ListStamps,
}

impl Contents {
    /// Whether no list was found.
    pub(in crate::maildir) fn is_none(&self) -> bool {
        self.stamps.iter().all(Option::is_none)
    }

    /// Reads the lists that count in a directory beneath `root`. Blocks while the disk answers.
    ///
    /// # Errors
    /// One of them is there and cannot be read; which.
    pub(in crate::maildir) fn read(
        root: BorrowedFd<'_>,
        directory: &Path,
        settings: &UniqueIdSettings,
    ) -> Result<Self, (&'static str, io::Error)> {
        let mut stamps = ListStamps::default();
        let mut read = LISTS.into_iter().zip(&mut stamps).map(|((name, kinds), stamp)| {
            if !settings.counts(kinds) {
                return Ok(None);
            }
            let found = whole(root, &directory.join(name)).map_err(|error| (name, error))?;
            Ok(found.map(|(octets, at)| {
                *stamp = Some(at);
                octets
            }))
        });
        let mut next = || read.next().transpose().map(Option::flatten);
        let (dovecot, courier, import) = (next()?, next()?, next()?);
        drop(read);
        Ok(Self { dovecot, courier, import, stamps })
    }
}

/// Whether a list that counts was made, changed or removed since it was read: one `stat` call for each.
pub(in crate::maildir) fn changed_since(stamps: &ListStamps, directory: &Path, settings: &UniqueIdSettings) -> bool {
    let now = |name| match stat(directory.join(name)) {
        Ok(stat) => Ok(Some(FileStamp::of(&stat))),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(errno),
    };
    let mut counted = LISTS.into_iter().zip(stamps).filter(|((_, kinds), _)| settings.counts(kinds));
    counted.any(|((name, _), stamp)| now(name) != Ok(*stamp))
}

/// A file from its beginning to its end, and its state before that.
fn whole(root: BorrowedFd<'_>, path: &Path) -> io::Result<Option<(Vec<u8>, FileStamp)>> {
    let file = match beneath::open(root.as_fd(), path, READ) {
        Ok(file) => File::from(file),
        Err(Errno::NOENT) => return Ok(None),
        Err(errno) => return Err(errno.into()),
    };
    let stat = fstat(&file)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(io::Error::other("is no regular file"));
    }
    let mut octets = Vec::new();
    (&file).take(LARGEST + 1).read_to_end(&mut octets)?;
    if octets.len() as u64 > LARGEST {
        return Err(io::Error::other("is bigger than 1 GiB"));
    }
    Ok(Some((octets, FileStamp::of(&stat))))
}

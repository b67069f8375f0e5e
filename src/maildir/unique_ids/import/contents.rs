//! The files from which old unique-ids are read.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use rustix::fs::{FileType, OFlags, fstat, stat};
use rustix::io::Errno;

use super::settings::{ListKind, UniqueIdSettings};
use crate::maildir::files::{FileBounds, FileStamp, ReadLimit, bounds};
use crate::maildir::mail_root::beneath;

/// The names of the lists, in the order of [`ListStamps`], and what is read from each.
const LISTS: [(&str, &[ListKind]); 3] = [
    ("dovecot-uidlist", &[ListKind::Dovecot, ListKind::DovecotSaved]),
    ("courierpop3dsizelist", &[ListKind::Courier]),
    ("restante-import", &[ListKind::ImportFile]),
];

/// The files from which lists are read.
pub(in crate::maildir) const LIST_FILES: [&str; LISTS.len()] = [LISTS[0].0, LISTS[1].0, LISTS[2].0];

const READ: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);

/// The state in which each list was read; none if it did not exist, or is not used.
pub(in crate::maildir) type ListStamps = [Option<FileStamp>; LISTS.len()];

/// The contents of one maildrop's lists.
#[derive(Debug, Default)]
pub(in crate::maildir) struct ListContents {
    pub(super) dovecot: Option<Vec<u8>>,
    pub(super) courier: Option<Vec<u8>>,
    pub(super) import: Option<Vec<u8>>,
    /// Lists that are far larger than the present messages explain; they are not read.
    pub(super) too_large: Vec<&'static str>,
    pub(in crate::maildir) stamps: ListStamps,
}

impl ListContents {
    /// Whether no list was found.
    pub(in crate::maildir) fn is_none(&self) -> bool {
        self.stamps.iter().all(Option::is_none)
    }

    /// Reads the lists that are used, in a directory beneath `root`. `messages`: the number of messages. Blocks while
    /// the disk answers.
    ///
    /// # Errors
    /// One of them exists and cannot be read; which.
    pub(in crate::maildir) fn read(
        root: BorrowedFd<'_>,
        directory: &Path,
        settings: &UniqueIdSettings,
        messages: impl Fn() -> io::Result<u64>,
    ) -> Result<Self, (&'static str, io::Error)> {
        let (mut stamps, mut too_large) = (ListStamps::default(), Vec::new());
        let mut read = LISTS.into_iter().zip(&mut stamps).map(|((name, kinds), stamp)| {
            if !settings.counts(kinds) {
                return Ok(None);
            }
            let found = whole(root, &directory.join(name), &messages).map_err(|error| (name, error))?;
            Ok(found.and_then(|(octets, at)| {
                *stamp = Some(at);
                too_large.extend(octets.is_none().then_some(name));
                octets
            }))
        });
        let mut next = || read.next().transpose().map(Option::flatten);
        let (dovecot, courier, import) = (next()?, next()?, next()?);
        drop(read);
        Ok(Self { dovecot, courier, import, too_large, stamps })
    }
}

/// Whether a list that is used was made, changed or removed since it was read: one `stat` call for each.
pub(in crate::maildir) fn changed_since(stamps: &ListStamps, directory: &Path, settings: &UniqueIdSettings) -> bool {
    let now = |name| match stat(directory.join(name)) {
        Ok(stat) => Ok(Some(FileStamp::of(&stat))),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(errno),
    };
    let mut counted = LISTS.into_iter().zip(stamps).filter(|((_, kinds), _)| settings.counts(kinds));
    counted.any(|((name, _), stamp)| now(name) != Ok(*stamp))
}

/// The whole list, unless it is far too large, and its state before it was read; none if there is none.
fn whole(
    root: BorrowedFd<'_>,
    path: &Path,
    messages: impl Fn() -> io::Result<u64>,
) -> io::Result<Option<(Option<Vec<u8>>, FileStamp)>> {
    let file = match beneath::open(root.as_fd(), path, READ) {
        Ok(file) => File::from(file),
        Err(Errno::NOENT) => return Ok(None),
        Err(errno) => return Err(errno.into()),
    };
    let stat = fstat(&file)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(io::Error::other("is no regular file"));
    }
    let (size, stamp) = (stat.st_size.unsigned_abs(), FileStamp::of(&stat));
    let mut bounded = ReadLimit::new(FileBounds::LIST, messages);
    if !bounded.has(size, 0)? {
        return Ok(Some((None, stamp)));
    }
    let _turn = bounds::turn(&stat);
    let mut octets = Vec::new();
    // Lines that are appended in between are read the next time.
    (&file).take(size).read_to_end(&mut octets)?;
    let lines = memchr::memchr_iter(b'\n', &octets).count() as u64;
    Ok(Some((bounded.has(size, lines)?.then_some(octets), stamp)))
}

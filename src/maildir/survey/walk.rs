//! All Maildirs below the mail root, with or without an owner.

use std::ffi::OsStr;
use std::ops::ControlFlow;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, fstat, openat, statat};
use rustix::io::Errno;

use super::inspect::DirectoryId;
use crate::maildir::fault::EnterFault;
use crate::maildir::store::Store;

/// Something below the mail root; the path counts from there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Surveyed {
    /// A directory with `new` and `cur`.
    Maildir(PathBuf, DirectoryId),
    /// A directory that cannot be read; why.
    Unreadable(PathBuf, String),
    /// A directory that is not a Maildir, and is searched next.
    Directory,
}

/// Receives what a survey finds, and decides whether it continues.
type Reporter<'r> = &'r mut dyn FnMut(Surveyed) -> ControlFlow<()>;

/// How directories are opened: never through a link, so that nothing is seen twice.
const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

impl Store {
    /// Searches the mail root up to a depth, and reports every Maildir, until the reporter says stop. It does not
    /// search inside Maildirs, and follows no link. Blocks while the disk answers.
    ///
    /// # Errors
    /// The mail root cannot be opened.
    pub fn survey(&self, depth: usize, report: Reporter<'_>) -> Result<(), EnterFault> {
        let root = self.site().root().open()?;
        let directory = root.beneath(Path::new("."), OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC);
        let directory = directory.map_err(|errno| EnterFault::of("the mail root", errno))?;
        let _stopped = below(&directory, Path::new(""), depth, report);
        Ok(())
    }
}

fn below(directory: &OwnedFd, path: &Path, depth: usize, report: Reporter<'_>) -> ControlFlow<()> {
    let names = match subdirectories(directory.as_fd()) {
        Ok(names) => names,
        Err(errno) => return report(Surveyed::Unreadable(path.to_owned(), errno.to_string())),
    };
    for name in names {
        let path = path.join(&name);
        match openat(directory, &name, DIRECTORY, Mode::empty()) {
            Ok(inner) => enter(&inner, &path, depth, report)?,
            // Gone, or replaced by a link.
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => {}
            Err(errno) => report(Surveyed::Unreadable(path, errno.to_string()))?,
        }
    }
    ControlFlow::Continue(())
}

fn enter(directory: &OwnedFd, path: &Path, depth: usize, report: Reporter<'_>) -> ControlFlow<()> {
    let holds = |name: &str| {
        let stat = statat(directory, name, AtFlags::SYMLINK_NOFOLLOW);
        stat.is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Directory)
    };
    if !(holds("new") && holds("cur")) {
        if depth <= 1 {
            return ControlFlow::Continue(());
        }
        report(Surveyed::Directory)?;
        return below(directory, path, depth - 1, report);
    }
    report(match fstat(directory) {
        Ok(stat) => Surveyed::Maildir(path.to_owned(), DirectoryId::of(&stat)),
        Err(errno) => Surveyed::Unreadable(path.to_owned(), errno.to_string()),
    })
}

fn subdirectories(directory: BorrowedFd<'_>) -> Result<Vec<PathBuf>, Errno> {
    let mut names = Vec::new();
    for entry in Dir::read_from(directory)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        let may_be = matches!(entry.file_type(), FileType::Directory | FileType::Unknown);
        if may_be && name != b"." && name != b".." {
            names.push(PathBuf::from(OsStr::from_bytes(name)));
        }
    }
    names.sort_unstable();
    Ok(names)
}

//! All Maildirs below the mail root, whoever they belong to.

use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, fstat, openat, statat};
use rustix::io::Errno;

use super::fault::EnterFault;
use super::inspect::Place;
use super::store::Store;

/// Something below the mail root; the path counts from there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Surveyed {
    /// A directory with `new` and `cur`.
    Maildir(PathBuf, Place),
    /// A directory that cannot be read, so that nobody knows what is in it; why.
    Unreadable(PathBuf, String),
}

/// How directories are opened on the way down: never through a link, so that nothing is seen twice.
const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

impl Store {
    /// Goes through the mail root, so many directories deep, and tells every Maildir; what is inside of one is its own
    /// business. No link is followed. Blocks while the disk answers.
    ///
    /// # Errors
    /// The mail root cannot be opened.
    pub fn survey(&self, depth: usize, tell: &mut dyn FnMut(Surveyed)) -> Result<(), EnterFault> {
        let root = self.root().open()?;
        let directory = root.beneath(Path::new("."), OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC);
        let directory = directory.map_err(|errno| EnterFault::of("the mail root", errno))?;
        below(&directory, Path::new(""), depth, tell);
        Ok(())
    }
}

fn below(directory: &OwnedFd, path: &Path, depth: usize, tell: &mut dyn FnMut(Surveyed)) {
    let names = match subdirectories(directory.as_fd()) {
        Ok(names) => names,
        Err(errno) => return tell(Surveyed::Unreadable(path.to_owned(), errno.to_string())),
    };
    for name in names {
        let path = path.join(&name);
        match openat(directory, &name, DIRECTORY, Mode::empty()) {
            Ok(inner) => enter(&inner, &path, depth, tell),
            // Gone meanwhile, or a link in its place.
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => {}
            Err(errno) => tell(Surveyed::Unreadable(path, errno.to_string())),
        }
    }
}

fn enter(directory: &OwnedFd, path: &Path, depth: usize, tell: &mut dyn FnMut(Surveyed)) {
    let holds = |name: &str| {
        let stat = statat(directory, name, AtFlags::SYMLINK_NOFOLLOW);
        stat.is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Directory)
    };
    if !(holds("new") && holds("cur")) {
        if depth > 1 {
            below(directory, path, depth - 1, tell);
        }
        return;
    }
    match fstat(directory) {
        Ok(stat) => tell(Surveyed::Maildir(path.to_owned(), Place::of(&stat))),
        Err(errno) => tell(Surveyed::Unreadable(path.to_owned(), errno.to_string())),
    }
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

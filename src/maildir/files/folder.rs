//! Folders in addition to the inbox, as in Maildir++: `.Trash` in the Maildir, with `new`, `cur` and `tmp` in it.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, fchmod, fstat, mkdirat, openat};
use rustix::io::Errno;

use super::scan::Subdirectory;

/// The name of a folder, as an IMAP server that serves the same Maildir knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderName(String);

/// The file by which delivery agents see that this Maildir is a folder of another.
const MARK: &str = "maildirfolder";

impl FolderName {
    /// Takes a name such as `Trash`, or `Archive.2026` for a folder within a folder.
    ///
    /// # Errors
    /// What is wrong with it, and what is expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let right = "expected a name such as Trash, or Archive.2026 for a folder within a folder";
        let is_known = |octet: u8| (0x20..0x7f).contains(&octet) && octet != b'/';
        if !text.bytes().all(is_known) {
            return Err(format!("is no name of a Maildir++ folder; {right}, letters beyond ASCII in modified UTF-7"));
        }
        if text.split('.').any(str::is_empty) {
            return Err(format!("has a dot in front, at the end, or beside another; {right}"));
        }
        if text.len() > 200 {
            return Err(format!("is too long; {right}"));
        }
        if text == "INBOX" || text.starts_with("INBOX.") {
            return Err(format!("names the inbox, in which folders lie anyway; {right}"));
        }
        Ok(Self(text.to_owned()))
    }

    /// Its directory in the Maildir.
    pub(in crate::maildir) fn directory(&self) -> PathBuf {
        PathBuf::from(format!(".{}", self.0))
    }
}

impl std::fmt::Display for FolderName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Creates a folder, or the parts of it that are missing.
pub(in crate::maildir) fn make(maildir: BorrowedFd<'_>, folder: &Path) -> Result<(), Errno> {
    let directory = make_directory(maildir, folder)?;
    // `cur` last: programs that see it take the folder for complete.
    for part in [Path::new("tmp"), Path::new(Subdirectory::New.directory()), Path::new(Subdirectory::Cur.directory())] {
        make_directory(directory.as_fd(), part)?;
    }
    let new = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    match openat(&directory, MARK, new, Mode::RUSR | Mode::WUSR) {
        // By the open file, since its owner may have replaced the name by a link.
        Ok(mark) => fchmod(&mark, Mode::from_raw_mode(fstat(maildir)?.st_mode & 0o666)),
        Err(Errno::EXIST) => Ok(()),
        Err(errno) => Err(errno),
    }
}

/// Creates a directory with the permissions of its parent, if it is missing, and opens it.
pub(in crate::maildir) fn make_directory(parent: BorrowedFd<'_>, name: &Path) -> Result<OwnedFd, Errno> {
    let is_new = match mkdirat(parent, name, Mode::RWXU) {
        Ok(()) => true,
        Err(Errno::EXIST) => false,
        Err(errno) => return Err(errno),
    };
    let directory = openat(parent, name, DIRECTORY, Mode::empty())?;
    if is_new {
        fchmod(&directory, Mode::from_raw_mode(fstat(parent)?.st_mode & 0o2777))?;
    }
    Ok(directory)
}

/// How directories that we create are opened: never through a link.
pub(in crate::maildir) const DIRECTORY: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_name_stays_in_its_maildir() {
        for name in ["Trash", "Deleted Items", "Archive.2026", "Gel&APY-scht"] {
            assert!(FolderName::parse(name).is_ok(), "{name}");
        }
        for name in
            ["", ".", "..", ".Trash", "Trash.", "a..b", "a/b", "../x", "Gelöscht", "a\nb", "INBOX", "INBOX.Trash"]
        {
            assert!(FolderName::parse(name).is_err(), "{name}");
        }
    }
}

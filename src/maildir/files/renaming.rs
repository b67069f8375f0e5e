//! Moving a message's file without ever putting it over another.

use std::os::fd::BorrowedFd;
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::fs::{AtFlags, Dir, RenameFlags, fstat, linkat, renameat_with, statat};
use rustix::io::Errno;
use rustix::system::uname;

use super::file_name;
use super::taken_name;

/// Moves a file, never over another. If something fails in between, it keeps at least one of its names.
///
/// # Errors
/// It was not moved. If that cannot be determined, as on a failing disk, it may have both names.
pub(in crate::maildir) fn rename(
    from: BorrowedFd<'_>,
    name: &[u8],
    to: BorrowedFd<'_>,
    new_name: &[u8],
) -> Result<(), Errno> {
    match renameat_with(from, name, to, new_name, RenameFlags::NOREPLACE) {
        // NFS and some FUSE file systems do not support the flag.
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
            rename_by_link(&Move { from, name, to, new_name }, &System)
        }
        result => result,
    }
}

/// Where a file is, and where it goes.
struct Move<'a> {
    from: BorrowedFd<'a>,
    name: &'a [u8],
    to: BorrowedFd<'a>,
    new_name: &'a [u8],
}

/// The calls by which a file gets its new name and loses its old one. In tests they report errors that did not happen,
/// like a server whose answer was lost: the repeated request finds the work done.
trait Calls {
    fn link(&self, files: &Move<'_>) -> Result<(), Errno>;
    /// Removes a name, but only while it is that of this file: another file may have got it.
    fn unlink(&self, directory: BorrowedFd<'_>, name: &[u8], file: u64) -> Result<(), Errno>;
}

struct System;

impl Calls for System {
    fn link(&self, files: &Move<'_>) -> Result<(), Errno> {
        linkat(files.from, files.name, files.to, files.new_name, AtFlags::empty())
    }

    fn unlink(&self, directory: BorrowedFd<'_>, name: &[u8], file: u64) -> Result<(), Errno> {
        taken_name::unlink_if(directory, name, file)
    }
}

fn rename_by_link(files: &Move<'_>, calls: &impl Calls) -> Result<(), Errno> {
    let file = inode(files.from, files.name)?;
    if let Err(errno) = calls.link(files)
        && (errno != Errno::EXIST || inode(files.to, files.new_name) != Ok(file))
    {
        return Err(errno);
    }
    let Err(errno) = calls.unlink(files.from, files.name, file) else { return Ok(()) };
    match inode(files.from, files.name) {
        // The file still has the old name, and the new one as well, as was just seen: the move is undone.
        Ok(still) if still == file && inode(files.to, files.new_name) == Ok(file) => {
            let _ = calls.unlink(files.to, files.new_name, file);
            Err(errno)
        }
        Ok(still) if still == file => Err(errno),
        // The old name is gone: by our own call, or since another program renamed the file meanwhile.
        Ok(_) | Err(Errno::NOENT) => {
            if !has_other_name(files, file)? {
                return Ok(());
            }
            let _ = calls.unlink(files.to, files.new_name, file);
            Err(Errno::NOENT)
        }
        Err(_) => Err(errno),
    }
}

fn inode(directory: BorrowedFd<'_>, name: &[u8]) -> Result<u64, Errno> {
    Ok(statat(directory, name, AtFlags::SYMLINK_NOFOLLOW)?.st_ino)
}

/// Whether the old directory has the file under a name other than the new one. Only after a failed call: the names are
/// read, and the one that is found is checked again.
fn has_other_name(files: &Move<'_>, file: u64) -> Result<bool, Errno> {
    let moves_within = fstat(files.from)?.st_ino == fstat(files.to)?.st_ino;
    for entry in Dir::read_from(files.from)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        let is_new_name = moves_within && name == files.new_name;
        if entry.ino() == file && !is_new_name && inode(files.from, name) == Ok(file) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A base name that no other file has had, with the sizes of an old one.
pub(in crate::maildir) fn fresh_base(base: &[u8]) -> Vec<u8> {
    static MADE: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let (process, number) = (process::id(), MADE.fetch_add(1, Ordering::Relaxed));
    // "To deal with invalid host names, replace / with \057 and : with \072." (maildir(5))
    // Not from /proc/sys, which a hardened unit hides.
    let own = uname();
    let host = own.nodename().to_string_lossy().replace('/', "\\057").replace(':', "\\072").replace(',', "_");
    let seconds = now.as_secs();
    let mut fresh = format!("{seconds}.M{}P{process}Q{number}.{host}", now.subsec_micros()).into_bytes();
    fresh.extend_from_slice(&file_name::sizes(base));
    fresh
}

/// A name that no other file has had, with the sizes and flags of an old one.
pub(in crate::maildir) fn fresh_name(old: &[u8]) -> Vec<u8> {
    let base = file_name::base(old);
    [&*fresh_base(base), old.get(base.len()..).unwrap_or_default()].concat()
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::os::fd::AsFd;

    use super::*;

    /// Two names in one directory, moved by link and unlink.
    struct RenamingFixture {
        disk: tempfile::TempDir,
        directory: File,
    }

    impl RenamingFixture {
        fn with(name: &str) -> Self {
            let disk = tempfile::tempdir().unwrap();
            fs::write(disk.path().join(name), name).unwrap();
            let directory = File::open(disk.path()).unwrap();
            Self { disk, directory }
        }

        fn moved(&self, from: &str, to: &str, calls: &impl Calls) -> Result<(), Errno> {
            let directory = self.directory.as_fd();
            let files = Move { from: directory, name: from.as_bytes(), to: directory, new_name: to.as_bytes() };
            rename_by_link(&files, calls)
        }

        fn names(&self) -> Vec<String> {
            let names = fs::read_dir(self.disk.path()).unwrap();
            let mut names: Vec<_> = names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
            names.sort_unstable();
            names
        }
    }

    /// Calls that do something before they report an error, once.
    struct Failing<F: Fn()> {
        link: Option<Errno>,
        unlink: Option<Errno>,
        /// Whether the call that reports an error was carried out.
        done: bool,
        /// What another program does before the old name is removed.
        meanwhile: F,
    }

    impl<F: Fn()> Calls for Failing<F> {
        fn link(&self, files: &Move<'_>) -> Result<(), Errno> {
            System.link(files)?;
            self.link.map_or(Ok(()), Err)
        }

        fn unlink(&self, directory: BorrowedFd<'_>, name: &[u8], file: u64) -> Result<(), Errno> {
            (self.meanwhile)();
            match self.unlink {
                Some(errno) if name == b"old" => {
                    if self.done {
                        System.unlink(directory, name, file)?;
                    }
                    Err(errno)
                }
                _ => System.unlink(directory, name, file),
            }
        }
    }

    #[test]
    fn nothing_is_put_over_anything_by_either_way() {
        type Mover = fn(BorrowedFd<'_>, &[u8], BorrowedFd<'_>, &[u8]) -> Result<(), Errno>;
        let by_link: Mover = |from, name, to, new_name| rename_by_link(&Move { from, name, to, new_name }, &System);
        for mover in [rename as Mover, by_link] {
            let disk = tempfile::tempdir().unwrap();
            let at = |name: &str| disk.path().join(name);
            fs::write(at("a"), "a").unwrap();
            fs::write(at("b"), "b").unwrap();
            let directory = File::open(disk.path()).unwrap();
            let moved =
                |from: &str, to: &str| mover(directory.as_fd(), from.as_bytes(), directory.as_fd(), to.as_bytes());
            assert_eq!(moved("a", "b"), Err(Errno::EXIST));
            assert_eq!(moved("x", "c"), Err(Errno::NOENT));
            assert_eq!(moved("a", "c"), Ok(()));
            assert!(!at("a").exists());
            assert_eq!((fs::read(at("b")).unwrap(), fs::read(at("c")).unwrap()), (b"b".to_vec(), b"a".to_vec()));
        }
    }

    /// An NFS server removed the old name, and its answer was lost: the call that was sent again reports ENOENT, or EIO.
    #[test]
    fn the_last_name_of_a_message_is_never_removed() {
        for errno in [Errno::NOENT, Errno::IO, Errno::STALE] {
            let disk = RenamingFixture::with("old");
            let calls = Failing { link: None, unlink: Some(errno), done: true, meanwhile: || {} };
            assert_eq!(disk.moved("old", "new", &calls), Ok(()), "{errno}");
            assert_eq!(disk.names(), ["new"], "{errno}");
        }
    }

    #[test]
    fn a_move_whose_second_half_failed_is_undone() {
        let disk = RenamingFixture::with("old");
        let calls = Failing { link: None, unlink: Some(Errno::IO), done: false, meanwhile: || {} };
        assert_eq!(disk.moved("old", "new", &calls), Err(Errno::IO));
        assert_eq!(disk.names(), ["old"]);
    }

    /// The new name was made, and the answer was lost: the call that was sent again finds it there.
    #[test]
    fn a_link_that_was_made_twice_is_the_same() {
        let disk = RenamingFixture::with("old");
        let calls = Failing { link: Some(Errno::EXIST), unlink: None, done: true, meanwhile: || {} };
        assert_eq!(disk.moved("old", "new", &calls), Ok(()));
        assert_eq!(disk.names(), ["new"]);
    }

    #[test]
    fn a_message_that_somebody_else_renamed_meanwhile_stays_with_them() {
        let disk = RenamingFixture::with("old");
        let meanwhile = || drop(fs::rename(disk.disk.path().join("old"), disk.disk.path().join("theirs")));
        let calls = Failing { link: None, unlink: None, done: true, meanwhile };
        assert_eq!(disk.moved("old", "new", &calls), Err(Errno::NOENT));
        assert_eq!(disk.names(), ["theirs"]);
    }

    #[test]
    fn a_message_that_got_the_old_name_meanwhile_stays() {
        let disk = RenamingFixture::with("old");
        let at = |name: &str| disk.disk.path().join(name);
        let meanwhile = || {
            if !at("theirs").exists() {
                fs::rename(at("old"), at("theirs")).unwrap();
                fs::write(at("old"), "another").unwrap();
            }
        };
        let calls = Failing { link: None, unlink: None, done: true, meanwhile };
        assert_eq!(disk.moved("old", "new", &calls), Err(Errno::NOENT));
        assert_eq!(disk.names(), ["old", "theirs"]);
        assert_eq!(fs::read_to_string(at("old")).unwrap(), "another");
    }

    #[test]
    fn a_fresh_name_keeps_the_sizes() {
        let (one, other) = (fresh_base(b"1.a,S=10,U=3,W=12"), fresh_base(b"1.a,S=10,U=3,W=12"));
        assert_ne!(one, other);
        assert!(one.ends_with(b",S=10,W=12"), "{}", one.escape_ascii());
        assert!(!fresh_base(b"1.a,U=3").contains(&b','));
    }
}

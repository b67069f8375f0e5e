//! The name that a file has while it is away from its own: no other program uses it.

use std::hash::{BuildHasher as _, RandomState};
use std::os::fd::BorrowedFd;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{AtFlags, linkat, renameat, statat, unlinkat};
use rustix::io::Errno;

use super::fresh;

/// The beginning of such a name. A number, `=`, and the file's original name follow.
const PREFIX: &[u8] = b".restante-";

/// Octets of a file's name at most.
const LONGEST: usize = 255;

/// Whether a file in `new` or `cur` was taken from its name.
pub(super) fn is_taken(name: &[u8]) -> bool {
    name.starts_with(PREFIX)
}

/// The original name; none if it was too long, or this is no taken file's name.
pub(super) fn original(name: &[u8]) -> Option<&[u8]> {
    let rest = name.strip_prefix(PREFIX)?;
    let at = rest.iter().position(|octet| *octet == b'=')?;
    rest.get(at + 1..).filter(|original| !original.is_empty())
}

/// Takes the file that has a name now from it, whichever it is. Returns the name that it has then.
///
/// # Errors
/// `NOENT` if no file has the name.
pub(super) fn take(directory: BorrowedFd<'_>, original: &[u8]) -> Result<Vec<u8>, Errno> {
    static NEXT: LazyLock<AtomicU64> = LazyLock::new(|| AtomicU64::new(RandomState::new().hash_one(0)));
    let number = format!("{:016x}", NEXT.fetch_add(1, Ordering::Relaxed));
    let short = [PREFIX, number.as_bytes()].concat();
    let whole = [&*short, b"=", original].concat();
    if whole.len() <= LONGEST {
        match move_away(directory, original, &whole) {
            // Some file systems allow shorter names only.
            Err(Errno::NAMETOOLONG) => {}
            moved => return moved.map(|()| whole),
        }
    }
    move_away(directory, original, &short).map(|()| short)
}

/// Renames a file to a name that no other has: a plain rename replaces none then.
fn move_away(directory: BorrowedFd<'_>, original: &[u8], name: &[u8]) -> Result<(), Errno> {
    match renameat(directory, original, directory, name) {
        // The server's answer was lost, and the repeated request found the work done.
        Err(Errno::NOENT) => statat(directory, name, AtFlags::SYMLINK_NOFOLLOW).map(drop),
        done => done,
    }
}

/// Removes a name, but only while it is that of a certain file.
///
/// # Errors
/// `NOENT` if another file has the name, or none.
pub(super) fn unlink_if(directory: BorrowedFd<'_>, name: &[u8], inode: u64) -> Result<(), Errno> {
    let taken = take(directory, name)?;
    // The cached attributes moved with the name.
    let looked_at = fresh::look_up(directory, &taken)
        .and_then(|()| statat(directory, &*taken, AtFlags::SYMLINK_NOFOLLOW))
        .and_then(|stat| if stat.st_ino == inode { Ok(()) } else { Err(Errno::NOENT) });
    if looked_at.is_ok() {
        return unlinkat(directory, &*taken, AtFlags::empty());
    }
    // If yet another file has its name by now, the next reading of the names puts it back.
    if linkat(directory, &*taken, directory, name, AtFlags::empty()).is_ok() {
        let _ = unlinkat(directory, &*taken, AtFlags::empty());
    }
    looked_at
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::os::fd::AsFd;
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    #[test]
    fn a_name_is_removed_only_while_it_is_that_of_the_file() {
        let disk = tempfile::tempdir().unwrap();
        let directory = File::open(disk.path()).unwrap();
        let at = |name: &str| disk.path().join(name);
        for name in ["one", "other"] {
            fs::write(at(name), name).unwrap();
        }
        let inode = |name: &str| fs::metadata(at(name)).unwrap().ino();
        assert_eq!(unlink_if(directory.as_fd(), b"one", inode("other")), Err(Errno::NOENT));
        assert!(at("one").exists() && at("other").exists());
        assert_eq!(unlink_if(directory.as_fd(), b"one", inode("one")), Ok(()));
        assert!(!at("one").exists() && at("other").exists());
        assert_eq!(fs::read_dir(disk.path()).unwrap().count(), 1);
    }

    #[test]
    fn it_contains_the_original_name() {
        assert_eq!(original(b".restante-0123456789abcdef=1.a=b:2,S"), Some(&b"1.a=b:2,S"[..]));
        for name in ["1.a:2,S", ".restante-0123456789abcdef", ".restante-0=", ".other-0=1.a"] {
            assert_eq!(original(name.as_bytes()), None, "{name}");
        }
    }
}

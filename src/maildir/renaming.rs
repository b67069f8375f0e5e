//! Moving a message's file without ever putting it over another.

use std::fs;
use std::os::fd::BorrowedFd;
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::fs::{AtFlags, RenameFlags, linkat, renameat_with, unlinkat};
use rustix::io::Errno;

use super::name;

/// Moves a file. What happens in between, it is there under one of its names at least.
pub(super) fn rename(from: BorrowedFd<'_>, name: &[u8], to: BorrowedFd<'_>, new_name: &[u8]) -> Result<(), Errno> {
    match renameat_with(from, name, to, new_name, RenameFlags::NOREPLACE) {
        // NFS and some FUSE file systems do not know the flag.
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => rename_by_link(from, name, to, new_name),
        result => result,
    }
}

fn rename_by_link(from: BorrowedFd<'_>, name: &[u8], to: BorrowedFd<'_>, new_name: &[u8]) -> Result<(), Errno> {
    linkat(from, name, to, new_name, AtFlags::empty())?;
    let removed = unlinkat(from, name, AtFlags::empty());
    if removed.is_err() {
        // Others moved or removed it meanwhile: what became of it is theirs to say.
        let _ = unlinkat(to, new_name, AtFlags::empty());
    }
    removed
}

/// A base name that no other file has had, with the sizes that another one tells.
pub(super) fn fresh_base(base: &[u8]) -> Vec<u8> {
    static MADE: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let (process, number) = (process::id(), MADE.fetch_add(1, Ordering::Relaxed));
    // "To deal with invalid host names, replace / with \057 and : with \072." (maildir(5))
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = host.trim().replace('/', "\\057").replace(':', "\\072").replace(',', "_");
    let seconds = now.as_secs();
    let mut fresh = format!("{seconds}.M{}P{process}Q{number}.{host}", now.subsec_micros()).into_bytes();
    fresh.extend_from_slice(&name::sizes(base));
    fresh
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::fd::AsFd;

    use super::*;

    type Mover = fn(BorrowedFd<'_>, &[u8], BorrowedFd<'_>, &[u8]) -> Result<(), Errno>;

    #[test]
    fn nothing_is_put_over_anything_by_either_way() {
        for mover in [rename as Mover, rename_by_link] {
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

    #[test]
    fn a_fresh_name_keeps_the_sizes() {
        let (one, other) = (fresh_base(b"1.a,S=10,U=3,W=12"), fresh_base(b"1.a,S=10,U=3,W=12"));
        assert_ne!(one, other);
        assert!(one.ends_with(b",S=10,W=12"), "{}", one.escape_ascii());
        assert!(!fresh_base(b"1.a,U=3").contains(&b','));
    }
}

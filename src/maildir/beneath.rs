//! Opening what lies beneath a directory, and nothing else.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags, openat, openat2, statat};
use rustix::io::Errno;

/// The kernel gives up with EAGAIN when something above the path is renamed at the same moment; asking again helps.
const TRIES: usize = 16;

/// How a directory is opened on the way to something else.
pub(super) const PASSING: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// How a path is kept beneath a directory.
pub(super) const BENEATH: ResolveFlags = ResolveFlags::BENEATH.union(ResolveFlags::NO_MAGICLINKS);

/// Opens a path beneath `root`. Links are followed as long as they stay beneath it; one that leads out is EXDEV.
pub(super) fn open(root: BorrowedFd<'_>, path: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
    for _ in 0..TRIES {
        match openat2(root, path, flags, Mode::empty(), BENEATH) {
            Err(Errno::AGAIN | Errno::INTR) => {}
            // Some containers answer EPERM for each system call that they do not know.
            Err(Errno::NOSYS | Errno::PERM) => return open_by_steps(root, path, flags),
            result => return result,
        }
    }
    Err(Errno::AGAIN)
}

/// For kernels before 5.6: one component after the other, no link followed at all.
fn open_by_steps(root: BorrowedFd<'_>, path: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
    let Some(last) = path.file_name() else { return Err(Errno::XDEV) };
    let mut held: Option<OwnedFd> = None;
    for component in path.parent().unwrap_or(Path::new("")).components() {
        let at = held.as_ref().map_or(root, AsFd::as_fd);
        held = Some(step(at, component.as_os_str().as_ref(), PASSING)?);
    }
    step(held.as_ref().map_or(root, AsFd::as_fd), last.as_ref(), flags)
}

fn step(at: BorrowedFd<'_>, name: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
    if name == Path::new("..") || name.is_absolute() {
        return Err(Errno::XDEV);
    }
    match openat(at, name, flags | OFlags::NOFOLLOW, Mode::empty()) {
        // What a link is answered with where a directory is wanted.
        Err(Errno::NOTDIR) if is_link(at, name) => Err(Errno::XDEV),
        result => result,
    }
}

/// Whether a path stops at a link that leads to nothing: something fell away, and that is not the same as "missing".
pub(super) fn dangles(root: BorrowedFd<'_>, path: &Path) -> bool {
    let mut steps: Vec<&Path> = path.ancestors().filter(|step| !step.as_os_str().is_empty()).collect();
    steps.reverse();
    let missing = |step: &&Path| open(root, step, OFlags::PATH | OFlags::CLOEXEC).err() == Some(Errno::NOENT);
    steps.into_iter().find(missing).is_some_and(|step| is_link(root, step))
}

fn is_link(at: BorrowedFd<'_>, path: &Path) -> bool {
    let stat = statat(at, path, AtFlags::SYMLINK_NOFOLLOW);
    stat.is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Symlink)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::os::unix::fs::symlink;

    use super::*;

    type Opener = fn(BorrowedFd<'_>, &Path, OFlags) -> Result<OwnedFd, Errno>;
    const FILE: OFlags = OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

    #[test]
    fn nothing_outside_is_opened_by_either_way() {
        let disk = tempfile::tempdir().unwrap();
        let root = disk.path().join("root");
        fs::create_dir_all(root.join("a/cur")).unwrap();
        fs::write(root.join("a/cur/m"), "x").unwrap();
        fs::write(disk.path().join("secret"), "x").unwrap();
        symlink("../..", root.join("a/out")).unwrap();
        symlink(disk.path(), root.join("absolute")).unwrap();
        symlink("../../../secret", root.join("a/cur/link")).unwrap();
        let root = File::open(root).unwrap();
        for opener in [open as Opener, open_by_steps] {
            let opened = |path: &str| opener(root.as_fd(), Path::new(path), FILE).map(drop);
            assert_eq!(opened("a/cur/m"), Ok(()));
            assert_eq!(opened("a/cur/n"), Err(Errno::NOENT));
            assert_eq!(opened("b/cur/m"), Err(Errno::NOENT));
            assert_eq!(opened("a/cur/link"), Err(Errno::LOOP));
            for outside in ["a/out/secret", "absolute/secret", "../secret", "a/../../secret", "/etc/passwd"] {
                assert_eq!(opened(outside), Err(Errno::XDEV), "{outside}");
            }
        }
    }

    #[test]
    fn a_link_that_stays_beneath_is_followed() {
        let disk = tempfile::tempdir().unwrap();
        fs::create_dir(disk.path().join("real")).unwrap();
        symlink("real", disk.path().join("link")).unwrap();
        symlink("gone", disk.path().join("dangling")).unwrap();
        let root = File::open(disk.path()).unwrap();
        assert!(open(root.as_fd(), Path::new("link"), PASSING).is_ok());
        assert!(!dangles(root.as_fd(), Path::new("link/x")));
        assert!(!dangles(root.as_fd(), Path::new("nothing/x")));
        assert!(dangles(root.as_fd(), Path::new("dangling")));
        assert!(dangles(root.as_fd(), Path::new("dangling/x")));
    }
}

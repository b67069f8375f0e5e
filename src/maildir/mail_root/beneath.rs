//! Opening only paths beneath a directory.

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags, fstat, openat, openat2, readlinkat, statat};
use rustix::io::Errno;
use rustix::process::geteuid;

/// The kernel gives up with EAGAIN when something above the path is renamed at the same moment; asking again helps.
const TRIES: usize = 16;

/// How a directory is opened on the way to something else.
pub(in crate::maildir) const PASSING: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// How a path without links is kept beneath a directory.
pub(in crate::maildir) const BENEATH: ResolveFlags = ResolveFlags::BENEATH.union(ResolveFlags::NO_SYMLINKS);

/// The most links on a path; the kernel follows as many.
const MOST_LINKS: usize = 40;

/// The most nested directories on a path, each kept open: with links, a few names could become very many.
const DEEPEST: usize = 100;

/// Opens a path beneath `root`. Links are followed as long as they stay beneath it, one that leads out is EXDEV; and
/// only if they were made by root, by this process's user, or by the owner of their target: any other is ELOOP.
/// Otherwise a user who may write to one Maildir could make another one's mail appear, and be deleted, as their own.
pub(in crate::maildir) fn open(root: BorrowedFd<'_>, path: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
    for _ in 0..TRIES {
        match openat2(root, path, flags, Mode::empty(), BENEATH) {
            Err(Errno::AGAIN | Errno::INTR) => {}
            // A link; or a kernel before 5.6; and some containers answer EPERM for each system call that they do not know.
            Err(Errno::LOOP | Errno::NOSYS | Errno::PERM) => return open_by_steps(root, path, flags),
            result => return result,
        }
    }
    Err(Errno::AGAIN)
}

/// One component after the other, looking at each link.
fn open_by_steps(root: BorrowedFd<'_>, path: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
    let mut walk = LinkWalk { root, within: Vec::new(), steps: Vec::new(), links: 0 };
    walk.go_on(path)?;
    while let Some(step) = walk.steps.pop() {
        step.check(walk.at())?;
        let name = match step {
            WalkStep::Into(name) => name,
            WalkStep::Out if walk.within.pop().is_none() => return Err(Errno::XDEV),
            WalkStep::Out | WalkStep::Owned(_) => continue,
        };
        let is_last = walk.is_last();
        // The kernel reports what must not be a link.
        let link = if is_last && flags.contains(OFlags::NOFOLLOW) { None } else { walk.link(&name)? };
        if let Some(link) = link {
            walk.follow(&link)?;
            continue;
        }
        let wanted = if is_last { flags } else { PASSING };
        let opened = openat(walk.at(), &*name, wanted | OFlags::NOFOLLOW, Mode::empty())?;
        if is_last {
            walk.steps.iter().try_for_each(|step| step.check(opened.as_fd()))?;
            return Ok(opened);
        }
        if walk.within.len() == DEEPEST {
            return Err(Errno::NAMETOOLONG);
        }
        walk.within.push(opened);
    }
    openat(walk.at(), ".", flags, Mode::empty())
}

/// A path that is followed step by step.
struct LinkWalk<'a> {
    root: BorrowedFd<'a>,
    /// The directories entered since, the innermost last.
    within: Vec<OwnedFd>,
    /// The components that are left, the next last.
    steps: Vec<WalkStep>,
    links: usize,
}

enum WalkStep {
    Into(OsString),
    Out,
    /// The target of this user's link, which must be theirs.
    Owned(u32),
}

impl LinkWalk<'_> {
    fn at(&self) -> BorrowedFd<'_> {
        self.within.last().map_or(self.root, AsFd::as_fd)
    }

    fn is_last(&self) -> bool {
        self.steps.iter().all(|step| matches!(step, WalkStep::Owned(_)))
    }

    fn go_on(&mut self, path: &Path) -> Result<(), Errno> {
        for component in path.components().rev() {
            self.steps.push(match component {
                Component::Normal(name) => WalkStep::Into(name.to_owned()),
                Component::ParentDir => WalkStep::Out,
                Component::CurDir => continue,
                Component::RootDir | Component::Prefix(_) => return Err(Errno::XDEV),
            });
        }
        Ok(())
    }

    /// The link of that name; none if it is something else.
    fn link(&self, name: &OsStr) -> Result<Option<OwnedFd>, Errno> {
        let found = openat(self.at(), name, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?;
        let is_link = FileType::from_raw_mode(fstat(&found)?.st_mode) == FileType::Symlink;
        Ok(is_link.then_some(found))
    }

    fn follow(&mut self, link: &OwnedFd) -> Result<(), Errno> {
        self.links += 1;
        if self.links > MOST_LINKS {
            return Err(Errno::LOOP);
        }
        let owner = fstat(link)?.st_uid;
        if owner != 0 && owner != geteuid().as_raw() {
            self.steps.push(WalkStep::Owned(owner));
        }
        let to = readlinkat(link, "", Vec::new())?;
        self.go_on(Path::new(OsStr::from_bytes(to.as_bytes())))
    }
}

impl WalkStep {
    fn check(&self, found: BorrowedFd<'_>) -> Result<(), Errno> {
        let Self::Owned(owner) = self else { return Ok(()) };
        if fstat(found)?.st_uid == *owner { Ok(()) } else { Err(Errno::LOOP) }
    }
}

/// Whether a path ends at a dangling link: a disk may be missing, which is not the same as "no Maildir".
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
        fs::create_dir(disk.path().join("real/in")).unwrap();
        symlink("../link/in/.././in", disk.path().join("real/round")).unwrap();
        symlink("loop", disk.path().join("loop")).unwrap();
        let root = File::open(disk.path()).unwrap();
        let inode = |file: &OwnedFd| fstat(file).unwrap().st_ino;
        for opener in [open as Opener, open_by_steps] {
            let opened = |path: &str, flags| opener(root.as_fd(), Path::new(path), flags);
            assert!(opened("link", PASSING).is_ok());
            let (round, real) = (opened("link/round", PASSING), opened("real/in", PASSING));
            assert_eq!(inode(&round.unwrap()), inode(&real.unwrap()));
            assert_eq!(opened("link", PASSING | OFlags::NOFOLLOW).map(drop), Err(Errno::NOTDIR));
            assert_eq!(opened("loop", PASSING).map(drop), Err(Errno::LOOP));
        }
        assert!(!dangles(root.as_fd(), Path::new("link/x")));
        assert!(!dangles(root.as_fd(), Path::new("nothing/x")));
        assert!(dangles(root.as_fd(), Path::new("dangling")));
        assert!(dangles(root.as_fd(), Path::new("dangling/x")));
    }
}

//! One session at a time: a maildrop is locked by a file in its Maildir.
//!
//! The lock of flock(2) belongs to the open file. So it ends with the session, however that ends, and with the process
//! even if that is killed; nothing needs to be cleaned up. On NFS the kernel turns it into a byte-range lock, which the
//! server keeps for all nodes.

use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{AtFlags, FlockOperation, Mode, OFlags, flock, fstat, openat, renameat, statat, unlinkat};
use rustix::io::Errno;

use crate::maildir::files::fresh;

/// The file that is locked. It stays, since removing it would let two sessions lock two files. No IMAP server mistakes
/// a file beside `cur` and `new` whose name has no leading dot for one of its own.
const FILE: &str = "restante.lock";

/// The name of a new lock file until it replaces the old one.
const BEGUN: &str = "restante.lock.begun";

/// To be locked on NFS, a file must be open for writing.
const FLAGS: OFlags =
    OFlags::RDWR.union(OFlags::CREATE).union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);

/// How often a lock is tried again if its file was replaced in between.
const TRIES: usize = 5;

/// A maildrop locked for one session. Dropping it unlocks it.
#[derive(Debug)]
pub struct MaildropLock {
    id: LockId,
    _locked: OwnedFd,
}

/// Which maildrop is locked, whatever path leads there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LockId {
    device: u64,
    inode: u64,
}

/// The result of locking a maildrop.
#[derive(Debug)]
pub enum LockResult {
    /// No other session can lock it as long as this is kept.
    Locked(MaildropLock),
    /// Another session has locked it, on this node or on another.
    InUse(LockId),
    /// There is no Maildir yet, so nothing can be locked.
    NoMaildir,
    /// This Maildir cannot be locked; why.
    Impossible(String),
}

impl MaildropLock {
    /// Which maildrop this is.
    #[must_use]
    pub fn id(&self) -> LockId {
        self.id
    }
}

impl LockResult {
    /// Locks this Maildir.
    pub(in crate::maildir) fn of(maildir: &OwnedFd) -> Self {
        lock(maildir).unwrap_or_else(|errno| Self::Impossible(format!("{FILE}: {errno}")))
    }
}

fn lock(maildir: &OwnedFd) -> Result<LockResult, Errno> {
    for _ in 0..TRIES {
        let file = openat(maildir, FILE, FLAGS, Mode::RUSR | Mode::WUSR)?;
        let id = LockId::of(&fstat(&file)?);
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) if lock_id_at(maildir) == Some(id) && fstat(&file)?.st_nlink > 1 => {
                return replace_linked_file(maildir, &file);
            }
            Ok(()) if lock_id_at(maildir) == Some(id) => {
                return Ok(LockResult::Locked(MaildropLock { id, _locked: file }));
            }
            // The file was removed in between, so our lock on it excludes no other session.
            Ok(()) | Err(Errno::INTR) => {}
            Err(Errno::WOULDBLOCK) => return Ok(LockResult::InUse(id)),
            Err(errno) => return Err(errno),
        }
    }
    Err(Errno::STALE)
}

/// Replaces a lock file that has a further name, which may be that of another maildrop's lock. The old
/// one is locked meanwhile, so that no other process does the same.
fn replace_linked_file(maildir: &OwnedFd, _locked: &OwnedFd) -> Result<LockResult, Errno> {
    match unlinkat(maildir, BEGUN, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => {}
        Err(errno) => return Err(errno),
    }
    let begun = openat(maildir, BEGUN, FLAGS | OFlags::EXCL, Mode::RUSR | Mode::WUSR)?;
    flock(&begun, FlockOperation::NonBlockingLockExclusive)?;
    renameat(maildir, BEGUN, maildir, FILE)?;
    Ok(LockResult::Locked(MaildropLock { id: LockId::of(&fstat(&begun)?), _locked: begun }))
}

fn lock_id_at(maildir: &OwnedFd) -> Option<LockId> {
    // On a network file system the name may be cached.
    fresh::look_up(maildir.as_fd(), FILE.as_bytes()).ok()?;
    statat(maildir, FILE, AtFlags::SYMLINK_NOFOLLOW).ok().map(|stat| LockId::of(&stat))
}

impl LockId {
    fn of(stat: &rustix::fs::Stat) -> Self {
        Self { device: stat.st_dev, inode: stat.st_ino }
    }
}

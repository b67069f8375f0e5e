//! Asking a file system that may remember what was true some time ago: NFS, FUSE and others cache attributes and names for
//! seconds, up to a minute.

use std::os::fd::BorrowedFd;

use rustix::fs::{AtFlags, Stat, StatxFlags, fstat, statx};
use rustix::io::Errno;

/// Has the kernel ask the server for the attributes of an open directory. Where they have changed, it drops what it
/// remembers of the names in it, too. Local file systems answer at once, and kernels before 4.11 do not know the question.
pub(super) fn refresh(directory: BorrowedFd<'_>) -> Result<(), Errno> {
    let flags = AtFlags::EMPTY_PATH | AtFlags::STATX_FORCE_SYNC;
    match statx(directory, "", flags, StatxFlags::BASIC_STATS) {
        Ok(_) | Err(Errno::NOSYS | Errno::INVAL | Errno::PERM) => Ok(()),
        Err(errno) => Err(errno),
    }
}

/// The attributes of an open directory as they are now.
pub(super) fn stat(directory: BorrowedFd<'_>, is_local: bool) -> Result<Stat, Errno> {
    if !is_local {
        refresh(directory)?;
    }
    fstat(directory)
}

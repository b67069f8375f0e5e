//! Bypassing the caches of file systems: NFS, FUSE and others cache attributes and names for
//! seconds, up to a minute.

use std::os::fd::BorrowedFd;

use rustix::fs::{AtFlags, Stat, StatxFlags, fstat, linkat, statx};
use rustix::io::Errno;

/// Makes the kernel ask the server for the attributes of an open file or directory. If they have changed, it also drops
/// the octets, or the names, that it has cached. Local file systems answer at once, and kernels before 4.11 do not
/// support it.
pub(in crate::maildir) fn refresh(file: BorrowedFd<'_>) -> Result<(), Errno> {
    let flags = AtFlags::EMPTY_PATH | AtFlags::STATX_FORCE_SYNC;
    match statx(file, "", flags, StatxFlags::BASIC_STATS) {
        Ok(_) | Err(Errno::NOSYS | Errno::INVAL | Errno::PERM) => Ok(()),
        Err(errno) => Err(errno),
    }
}

/// Makes the kernel look up a name in an open directory again, whatever it has cached.
///
/// On NFS, refreshing the directory is enough. FUSE asks again for a name that is about to be created, such as that of
/// a hard link; here none is created, since a directory cannot have a second name.
pub(in crate::maildir) fn look_up(directory: BorrowedFd<'_>, name: &[u8]) -> Result<(), Errno> {
    refresh(directory)?;
    // Whatever the result, the name was looked up.
    let _ = linkat(directory, ".", directory, name, AtFlags::empty());
    Ok(())
}

/// The attributes of an open directory as they are now.
pub(super) fn stat(directory: BorrowedFd<'_>, is_local: bool) -> Result<Stat, Errno> {
    if !is_local {
        refresh(directory)?;
    }
    fstat(directory)
}

//! The file of the index: `restante-index` in the Maildir.
//!
//! It is written as a whole in the Maildir's `tmp`, and renamed: even if the writer is killed, a reader sees a valid
//! index, and of two concurrent writers one only loses its work. Damage by a crash of the machine is detected by the
//! checksum. Delivery agents clean up files that are left in `tmp`.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use aws_lc_rs::rand;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, fstat, openat, renameat, unlinkat};
use rustix::io::Errno;

use super::index::IndexFault;
use crate::maildir::files::{FileBounds, MESSAGE, ReadLimit, bounds};
use crate::maildir::mail_root::{MaildropPath, OpenRoot, PASSING};

const NAME: &str = "restante-index";
const ASIDE: &str = "restante-index.damaged";

/// The octets of the index; none if there is none. If it cannot be read, that is logged, and it is ignored.
pub(in crate::maildir) fn read(root: &OpenRoot<'_>, maildir: &MaildropPath) -> Option<Vec<u8>> {
    match try_read(root, maildir.as_ref()) {
        Ok(octets) => octets,
        Err(error) => {
            tracing::warn!(
                name: "index_cannot_be_read",
                maildrop = maildir.to_string(),
                reason = error.to_string(),
                "the index cannot be read: message sizes are determined again"
            );
            None
        }
    }
}

fn try_read(root: &OpenRoot<'_>, maildir: &Path) -> io::Result<Option<Vec<u8>>> {
    let maildir = directory(root, maildir)?;
    let file = match openat(&maildir, NAME, MESSAGE, Mode::empty()) {
        Ok(file) => file,
        Err(Errno::NOENT) => return Ok(None),
        Err(errno) => return Err(errno.into()),
    };
    let stat = fstat(&file)?;
    let size = u64::try_from(stat.st_size).unwrap_or(u64::MAX);
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(io::Error::other("something else has its name"));
    }
    if !ReadLimit::new(FileBounds::INDEX, || bounds::messages(maildir.as_fd())).has(size, 0)? {
        return Err(io::Error::other("far larger than an index of these messages"));
    }
    let _turn = bounds::turn(&stat);
    let mut octets = Vec::with_capacity(usize::try_from(size).unwrap_or_default() + 1);
    File::from(file).take(size).read_to_end(&mut octets)?;
    Ok(Some(octets))
}

/// Renames a file that has the index's name but is not an index, so that an administrator can inspect it.
pub(super) fn put_aside(root: &OpenRoot<'_>, maildir: &MaildropPath, why: IndexFault) {
    let renamed = directory(root, maildir.as_ref()).and_then(|maildir| renameat(&maildir, NAME, &maildir, ASIDE));
    let kept = match renamed {
        Ok(()) => format!("put aside as {ASIDE}"),
        Err(errno) => format!("cannot be put aside: {errno}"),
    };
    tracing::warn!(
        name: "index_cannot_be_used",
        maildrop = maildir.to_string(),
        reason = why.to_string(),
        kept,
        "the index cannot be used and is rebuilt"
    );
}

/// Replaces the index.
pub(in crate::maildir) fn write(root: &OpenRoot<'_>, maildir: &MaildropPath, octets: &[u8]) -> io::Result<()> {
    let maildir: &Path = maildir.as_ref();
    let (to, tmp) = (directory(root, maildir)?, directory(root, &maildir.join("tmp"))?);
    let name = temporary()?;
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut file = File::from(openat(&tmp, &name, flags, Mode::RUSR | Mode::WUSR)?);
    let written = file.write_all(octets).and_then(|()| Ok(renameat(&tmp, &name, &to, NAME)?));
    if written.is_err() {
        let _ = unlinkat(&tmp, &name, AtFlags::empty());
    }
    written
}

/// A unique name, in the form that is known to programs which clean up `tmp`.
fn temporary() -> io::Result<String> {
    let seconds = rustix::time::clock_gettime(rustix::time::ClockId::Realtime).tv_sec;
    let mut chance = [0; 8];
    rand::fill(&mut chance).map_err(|_| io::Error::other("no random numbers"))?;
    Ok(format!("{seconds}.R{:016x}.{NAME}", u64::from_ne_bytes(chance)))
}

fn directory(root: &OpenRoot<'_>, path: &Path) -> Result<OwnedFd, Errno> {
    root.beneath(path, PASSING)
}

//! The quota file of other programs: `maildirsize`, as in Maildir++.
//!
//! Its first line is the quota itself, each further one what a change added or removed: `-2034 -1` for a message of
//! 2,034 octets that was removed. A reader adds up the lines, and recounts all messages from time to time. Restante
//! adds lines to an existing file, and never creates one.

use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::{FileType, Mode, OFlags, fstat, openat};
use rustix::io::{Errno, write};

use crate::maildir::files::file_name;
use crate::maildir::mail_root::MaildropPath;
use crate::maildir::site::Site;

/// The file in the Maildir.
const FILE: &str = "maildirsize";

/// What a change removed from the mail that counts, or restored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::maildir) struct QuotaChange {
    octets: i64,
    messages: i64,
}

impl QuotaChange {
    /// A message was removed: the octets in its name (`,S=`), as delivery agents count it, or else those of its file.
    pub(super) fn take_away(&mut self, name: &[u8], file_size: u64) {
        self.octets = self.octets.saturating_sub(octets(name, file_size));
        self.messages -= 1;
    }

    /// A message was restored.
    pub(super) fn bring_back(&mut self, name: &[u8], file_size: u64) {
        self.octets = self.octets.saturating_add(octets(name, file_size));
        self.messages += 1;
    }

    /// Records the change. If it cannot be written, the quota is wrong until another program recounts it, and that is
    /// logged.
    pub(super) fn record(self, site: &Site, path: &MaildropPath) {
        if self == Self::default() {
            return;
        }
        let recorded = match site.directory(path) {
            Ok(Some(maildir)) => self.append(maildir.as_fd()).map_err(|errno| errno.to_string()),
            Ok(None) => Ok(()),
            Err(fault) => Err(fault.to_string()),
        };
        if let Err(reason) = recorded {
            tracing::warn!(
                name: "maildirsize_not_updated",
                maildrop = path.to_string(),
                reason,
                "maildirsize not updated: the quota is wrong until it is recalculated"
            );
        }
    }

    /// Adds a line by one write at the end of the file, so that programs that do the same at that moment lose nothing.
    ///
    /// # Errors
    /// The file exists, but cannot be written.
    fn append(self, maildir: BorrowedFd<'_>) -> Result<(), Errno> {
        let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match openat(maildir, FILE, flags, Mode::empty()) {
            Ok(file) => file,
            Err(Errno::NOENT) => return Ok(()),
            Err(errno) => return Err(errno),
        };
        let stat = fstat(&file)?;
        // A file with a second name may be somebody else's, so nothing is written into it.
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile || stat.st_nlink != 1 {
            return Err(Errno::INVAL);
        }
        let line = format!("{} {}\n", self.octets, self.messages);
        if write(&file, line.as_bytes())? == line.len() { Ok(()) } else { Err(Errno::NOSPC) }
    }
}

fn octets(name: &[u8], file_size: u64) -> i64 {
    i64::try_from(file_name::disk_octets_in_name(file_name::base(name)).unwrap_or(file_size)).unwrap_or(i64::MAX)
}

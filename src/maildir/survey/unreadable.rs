//! Which files of a maildrop cannot be read as mail: for `check` and `audit`.

use std::io;
use std::path::PathBuf;

use rustix::fs::{AtFlags, statat};
use rustix::io::Errno;

use crate::maildir::fault::{EnterFault, NoMail, concerns_one_file};
use crate::maildir::files::{MessageFile, Parts, file_name, require_mail};
use crate::maildir::mail_root::MaildropPath;
use crate::maildir::store::Store;

/// The result of looking for such files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unreadable {
    /// How many there are.
    pub count: usize,
    /// The first of them, counted from the Maildir, and why it cannot be read.
    pub first: Option<(PathBuf, String)>,
    /// How many files were examined.
    pub looked_at: usize,
}

impl Store {
    /// Looks for files of a maildrop that cannot be read, or not as mail, among at most `most` files. A file that is as
    /// long as its name says (`,S=`) is not opened; a compressed one is read through. Blocks while the disk answers.
    ///
    /// # Errors
    /// See [`EnterFault`].
    pub fn unreadable(&self, path: &MaildropPath, most: usize) -> Result<Unreadable, EnterFault> {
        let parts = Parts::open(&self.site().root().open()?, path.as_ref())?;
        let names =
            parts.names(self.site().timestamp_granularity()).map_err(|error| EnterFault::unavailable(path, &error))?;
        let mut unreadable = Unreadable::default();
        for found in names.found.iter().take(most) {
            unreadable.looked_at += 1;
            match look(&parts, found, self.site().settings().largest_message) {
                Ok(()) => {}
                Err(error) if NoMail::of(&error).is_some() || concerns_one_file(&error) => {
                    unreadable.count += 1;
                    unreadable.first.get_or_insert_with(|| (found.path(), error.to_string()));
                }
                Err(error) => return Err(EnterFault::unavailable(path, &error)),
            }
        }
        Ok(unreadable)
    }
}

impl Unreadable {
    /// `2 of 17 files: cur/1700000000.a: it is encrypted, …`; none if there are none.
    #[must_use]
    pub fn sentence(&self) -> Option<String> {
        let (file, why) = self.first.as_ref()?;
        let more = if self.count > 1 { ", …" } else { "" };
        Some(format!("{} of {} files: {}: {why}{more}", self.count, self.looked_at, file.display()))
    }
}

/// Whether a file can be read as mail, as far as that can be seen without reading uncompressed ones. A missing file, or
/// one that is not regular, is not mail.
fn look(parts: &Parts, found: &MessageFile, largest: u64) -> io::Result<()> {
    if let Some(size_in_name) = file_name::disk_octets_in_name(found.base()) {
        let part = parts.get(found.place).ok_or(Errno::NOENT);
        let stat = part.and_then(|part| statat(part, &*found.name, AtFlags::SYMLINK_NOFOLLOW));
        if stat.is_ok_and(|stat| u64::try_from(stat.st_size) == Ok(size_in_name)) && size_in_name <= largest {
            return Ok(());
        }
    }
    match parts.open_file(found) {
        Ok(file) => require_mail(&file, largest),
        Err(Errno::NOENT | Errno::LOOP | Errno::NXIO) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}

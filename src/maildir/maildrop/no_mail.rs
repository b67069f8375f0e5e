//! Files in a Maildir that cannot be read as mail: they keep their place, and are neither sent nor deleted.

use std::fmt;
use std::fs::File;
use std::io;
use std::os::fd::BorrowedFd;
use std::path::PathBuf;

use rustix::fs::{AtFlags, Mode, fstat, openat, statat};
use rustix::io::Errno;

use super::reach::MessageFault;
use super::session::Maildrop;
use crate::maildir::fault::EnterFault;
use crate::maildir::files::{Compression, FileState, MessageFile, Parts, name};
use crate::maildir::mail_root::MaildropPath;
use crate::maildir::snapshot::{SnapshotEntry, concerns_one_file};
use crate::maildir::store::{MESSAGE, Store};

/// Why a file cannot be read as mail, whoever reads it and however often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoMail {
    /// It is compressed in another way than gzip or zstd; the way.
    Compressed(&'static str),
    /// It is encrypted: `mail_crypt` of Dovecot.
    Encrypted,
    /// The compressed stream is damaged, or ends early.
    Broken,
    /// It is larger than the largest message of the settings, on disk or inflated.
    TooLarge,
}

/// What looking for such files came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unreadable {
    /// How many there are.
    pub count: usize,
    /// The first of them, counted from the Maildir, and why it cannot be read.
    pub first: Option<(PathBuf, String)>,
    /// How many files were looked at.
    pub looked_at: usize,
}

impl Store {
    /// Looks for files of a maildrop that cannot be read, or not as mail, among so many files at most. A file that is as long
    /// as its name says (`,S=`) is not opened; a compressed one is read through. Blocks while the disk answers.
    ///
    /// # Errors
    /// See [`EnterFault`].
    pub fn unreadable(&self, path: &MaildropPath, most: usize) -> Result<Unreadable, EnterFault> {
        let parts = Parts::open(&self.root().open()?, path.as_ref())?;
        let names = parts.names(self.settling()).map_err(|error| EnterFault::unavailable(path, &error))?;
        let mut unreadable = Unreadable::default();
        for found in names.found.iter().take(most) {
            unreadable.looked_at += 1;
            let Some(part) = parts.get(found.place) else { continue };
            match look(part, found, self.settings().largest_message) {
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

/// Whether a file can be read as mail, as far as that is to be told without reading what is not compressed. What is gone, or
/// is no regular file, is nobody's mail.
fn look(part: BorrowedFd<'_>, found: &MessageFile, largest: u64) -> io::Result<()> {
    if let Some(told) = name::disk_octets(found.base()) {
        let stat = statat(part, &*found.name, AtFlags::SYMLINK_NOFOLLOW);
        if stat.is_ok_and(|stat| u64::try_from(stat.st_size) == Ok(told)) && told <= largest {
            return Ok(());
        }
    }
    match openat(part, &*found.name, MESSAGE, Mode::empty()) {
        Ok(file) => require_mail(&File::from(file), largest),
        Err(Errno::NOENT | Errno::LOOP | Errno::NXIO) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}

/// Requires that a file that stands at its beginning can be read as mail.
fn require_mail(file: &File, largest: u64) -> io::Result<()> {
    match FileState::of(&fstat(file)?) {
        Some(state) if state.size > largest => Err(NoMail::TooLarge.into()),
        Some(_) => Compression::look(file)?.verify(file, largest),
        None => Ok(()),
    }
}

/// Whether a message may be removed because a client says so: whoever could not read it does not have it.
pub(in crate::maildir) enum Readability {
    /// It was read as mail, when it was counted or in this session.
    Seen,
    /// Nobody has looked. Octets of the largest message.
    Unknown(u64),
    None(NoMail),
}

impl Maildrop {
    /// Notes which messages of the listing a client got whole: those need not be looked at again before they are removed.
    pub fn note_read(&mut self, indices: &[usize]) {
        self.read = self.places(indices).into_iter().collect();
    }

    pub(in crate::maildir) fn readability(&self, index: usize) -> Readability {
        match self.entry(index) {
            Some(SnapshotEntry { no_mail: Some(why), .. }) => Readability::None(*why),
            Some(entry) if entry.counted.is_some() || self.read.contains(&index) => Readability::Seen,
            _ => Readability::Unknown(self.store.settings().largest_message),
        }
    }
}

impl Readability {
    /// Requires that a message can be read as mail, where it lies now.
    pub(in crate::maildir) fn require(&self, parts: &Parts, found: &MessageFile) -> Result<(), MessageFault> {
        let largest = match self {
            Self::Seen => return Ok(()),
            Self::None(why) => return Err(MessageFault::NoMail(*why)),
            Self::Unknown(largest) => *largest,
        };
        let part = parts.get(found.place).ok_or(Errno::NOENT)?;
        let file = match openat(part, &*found.name, MESSAGE, Mode::empty()) {
            Ok(file) => File::from(file),
            Err(Errno::LOOP | Errno::NXIO) => return Err(MessageFault::Changed),
            Err(errno) => return Err(errno.into()),
        };
        require_mail(&file, largest).map_err(|error| match NoMail::of(&error) {
            Some(why) => MessageFault::NoMail(why),
            None => MessageFault::Hindered(error.to_string()),
        })
    }
}

impl NoMail {
    /// The reason that an error carries, if the file can be read and is no mail.
    pub(in crate::maildir) fn of(error: &io::Error) -> Option<Self> {
        error.get_ref()?.downcast_ref().copied()
    }
}

impl From<NoMail> for io::Error {
    fn from(why: NoMail) -> Self {
        Self::new(io::ErrorKind::InvalidData, why)
    }
}

impl fmt::Display for NoMail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compressed(way) => write!(f, "it is compressed with {way}; only gzip and zstd are read"),
            Self::Encrypted => f.write_str("it is encrypted"),
            Self::Broken => f.write_str("it is compressed, and damaged"),
            Self::TooLarge => f.write_str("it is larger than mailboxes.largest_message"),
        }
    }
}

impl std::error::Error for NoMail {}

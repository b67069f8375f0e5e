//! Measuring messages: each is followed if other programs move it.

use std::collections::{HashMap, HashSet};
use std::io;
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::time::Duration;

use rustix::fs::{AtFlags, FileType, statat};
use rustix::io::Errno;

use super::content_digest::ContentDigests;
use super::entry::Size;
use super::prior_sizes::PriorSizes;
use crate::maildir::fault::{EnterFault, NoMail, concerns_one_file};
use crate::maildir::files::{Counted, FileState, MessageFile, Moment, MovingKey, Parts, count, file_name};
use crate::maildir::mail_root::MaildropPath;

/// How often the names are searched for messages that had moved. Each pass finds most of those that the one before has
/// missed.
const PASSES: usize = 60;

/// How often a message must be missing from names that others change before it counts as gone.
const ABSENCES: usize = 8;

/// The result of measuring a message.
pub(in crate::maildir) enum MeasureResult {
    Known(Size),
    /// It no longer has this name.
    Moved,
    /// It is not a regular file, so it cannot be a message.
    NoMessage,
}

/// The messages that had moved, until each is measured or gone.
#[derive(Default)]
pub(in crate::maildir) struct MovedMessages {
    sizes: HashMap<MovingKey, Size>,
    gone: HashSet<MovingKey>,
}

/// What is needed to measure messages.
#[derive(Clone, Copy)]
pub(in crate::maildir) struct Measurement<'a> {
    pub(in crate::maildir) path: &'a MaildropPath,
    pub(in crate::maildir) parts: &'a Parts,
    pub(in crate::maildir) known: &'a PriorSizes<'a>,
    /// The known contents of messages that share their names with others.
    pub(in crate::maildir) contents: &'a ContentDigests,
    /// Octets of the largest message.
    pub(in crate::maildir) largest: u64,
}

impl Measurement<'_> {
    /// Opens a message and counts its octets. None if its file is gone, or cannot be a message.
    pub(in crate::maildir) fn size(&self, found: &MessageFile) -> Result<Option<Size>, EnterFault> {
        match self.measure(found) {
            Ok(MeasureResult::Known(size)) => Ok(Some(size)),
            Ok(MeasureResult::Moved | MeasureResult::NoMessage) => Ok(None),
            Err(error) => Err(unavailable(self.path, found, &error)),
        }
    }

    /// A message that cannot be read keeps its place: it is listed by the size of its file, and RETR reports the error.
    fn measure(&self, found: &MessageFile) -> io::Result<MeasureResult> {
        let Some(part) = self.parts.get(found.place) else { return Ok(MeasureResult::Moved) };
        let counted = match self.parts.open_file(found) {
            Ok(file) => count::count(&file, self.largest),
            Err(Errno::NOENT) => return Ok(MeasureResult::Moved),
            // A link, or a socket.
            Err(Errno::LOOP | Errno::NXIO) => return Ok(MeasureResult::NoMessage),
            Err(errno) => Err(errno.into()),
        };
        match counted {
            // Messages of one base name may get each other's names.
            Ok(Some(Counted::Mail(_, state) | Counted::NoMail(_, state))) if !self.is_of(found, state)? => {
                Ok(MeasureResult::Moved)
            }
            Ok(Some(Counted::Mail(octets, state))) => Ok(MeasureResult::Known(Size::counted(octets, state))),
            Ok(Some(Counted::NoMail(why, state))) => {
                log_no_mail(self.path, found, why);
                Ok(MeasureResult::Known(Size::of_no_mail(why, state)))
            }
            Ok(None) => Ok(MeasureResult::NoMessage),
            Err(error) if concerns_one_file(&error) => Ok(by_size(self.path, part, found, self.known, &error)),
            Err(error) => Err(error),
        }
    }
}

impl Measurement<'_> {
    /// Whether a file that was opened under a message's name is that message's.
    fn is_of(&self, found: &MessageFile, state: FileState) -> io::Result<bool> {
        match self.contents.get(&found.inode) {
            Some(one) => Ok(one.state.inode == state.inode),
            None => self.parts.is_file_of(found, state.inode),
        }
    }
}

/// Once for each file.
pub(in crate::maildir) fn log_no_mail(path: &MaildropPath, found: &MessageFile, why: NoMail) {
    let file = found.path();
    tracing::error!(
        name: "file_cannot_be_read_as_mail",
        maildrop = path.to_string(),
        file = file.display().to_string(),
        reason = why.to_string(),
        "a file cannot be read as mail and is neither sent nor deleted"
    );
}

/// The size of a message that cannot be read: that of its file.
fn by_size(
    path: &MaildropPath,
    part: BorrowedFd<'_>,
    found: &MessageFile,
    known: &PriorSizes<'_>,
    error: &io::Error,
) -> MeasureResult {
    let octets = match statat(part, &*found.name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile => return MeasureResult::NoMessage,
        Ok(stat) => u64::try_from(stat.st_size).unwrap_or_default(),
        Err(Errno::NOENT) => return MeasureResult::Moved,
        Err(_) => file_name::disk_octets_in_name(found.base()).unwrap_or_default(),
    };
    if !known.is_unreadable(found) {
        let file = found.path();
        tracing::error!(
            name: "message_cannot_be_read",
            maildrop = path.to_string(),
            file = file.display().to_string(),
            reason = error.to_string(),
            "a message cannot be read and is listed with the size of its file"
        );
    }
    MeasureResult::Known(Size::unreadable(octets))
}

impl MovedMessages {
    /// The size of a message that was found again.
    pub(in crate::maildir) fn size(&self, found: &MessageFile) -> Option<Size> {
        if self.sizes.is_empty() { None } else { self.sizes.get(&found.moving_key()).copied() }
    }

    /// Removes files that are gone or are not messages.
    pub(super) fn leave_out_gone(&self, found: &mut Vec<MessageFile>) {
        if !self.gone.is_empty() {
            found.retain(|found| !self.gone.contains(&found.moving_key()));
        }
    }

    /// Measures messages that have moved since their names were read. The directories are read, and each is opened as
    /// soon as its name is found.
    ///
    /// # Errors
    /// A message had moved at each try, so that the list would be incomplete; or the names cannot be read.
    pub(in crate::maildir) fn follow(
        &mut self,
        measurement: &Measurement<'_>,
        moved: &[MessageFile],
    ) -> Result<(), EnterFault> {
        let path = measurement.path;
        let mut left: HashMap<MovingKey, usize> = moved.iter().map(|found| (found.moving_key(), 0)).collect();
        for _ in 0..PASSES {
            self.pass(measurement, &mut left).map_err(|error| EnterFault::unavailable(path, &error))?;
            if left.is_empty() {
                return Ok(());
            }
        }
        let moved = left.len();
        Err(EnterFault::Unavailable(format!("{path}: {moved} messages were elsewhere whenever they were looked for")))
    }

    /// Goes through the names once. `left`: how often each message was not among them.
    fn pass(&mut self, measurement: &Measurement<'_>, left: &mut HashMap<MovingKey, usize>) -> io::Result<()> {
        let parts = measurement.parts;
        let (local, begun) = (parts.are_local(), Moment::before(Duration::ZERO));
        let before = parts.stamps(local)?;
        let mut seen = HashSet::new();
        parts.each(|found| {
            let key = found.moving_key();
            if !left.contains_key(&key) {
                return Ok(());
            }
            match measurement.measure(&found)? {
                MeasureResult::Known(size) => drop(self.sizes.insert(key.clone(), size)),
                MeasureResult::NoMessage => drop(self.gone.insert(key.clone())),
                MeasureResult::Moved => drop(seen.insert(key)),
            }
            Ok(())
        })?;
        let is_certain = local && before == parts.stamps(local)? && before.are_older_than(begun);
        let is_doubtful = |(key, absences): (&MovingKey, &usize)| *absences + 1 >= ABSENCES && !seen.contains(key);
        // A reading of names that others change may miss some, again and again.
        if !is_certain && left.iter().any(is_doubtful) {
            seen.extend(parts.names(Duration::ZERO)?.found.iter().map(MessageFile::moving_key));
        }
        left.retain(|key, absences| {
            if self.sizes.contains_key(key) || self.gone.contains(key) {
                return false;
            }
            if seen.contains(key) {
                return true;
            }
            *absences += 1;
            let is_gone = is_certain || *absences >= ABSENCES;
            if is_gone {
                self.gone.insert(key.clone());
            }
            !is_gone
        });
        Ok(())
    }
}

/// What went wrong with a message's file, for the log.
fn unavailable(path: &MaildropPath, found: &MessageFile, error: &io::Error) -> EnterFault {
    let file = AsRef::<Path>::as_ref(path).join(found.path());
    EnterFault::unavailable(file.display(), error)
}

//! Restoring what clients deleted, and removing it for good when its time is over.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rustix::fs::{AtFlags, Mode, Timespec, Timestamps, UTIME_NOW, fsync, openat, statat, unlinkat, utimensat};
use rustix::io::Errno;

use super::batch::{self, BatchName};
use super::message_fault::MessageFault;
use super::quota::QuotaChange;
use super::removing::Removal;
use crate::maildir::fault::EnterFault;
use crate::maildir::files::{DIRECTORY, MESSAGE, MessageFile, Parts, Subdirectory, file_name, fresh_base, rename};
use crate::maildir::mail_root::MaildropPath;
use crate::maildir::settings::Deletion;
use crate::maildir::site::Site;

/// How long it is remembered which messages were moved to a folder from which they are not removed.
const REMEMBERED: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Octets of a message that are read to show what it is.
const HEAD: u64 = 16 * 1024;

/// A message that a client deleted, and that can be restored.
#[derive(Clone, Debug)]
pub struct Deleted {
    batch: BatchName,
    /// Its old name, or the one that it got in the folder.
    name: Vec<u8>,
    /// Its file in the folder, if it was moved to one.
    moved: Option<MessageFile>,
    /// Octets on disk.
    pub size: u64,
}

/// The deleted mail of one maildrop, as it was when this was opened.
pub struct DeletedMail<'a> {
    site: &'a Site,
    path: &'a MaildropPath,
    deleted: OwnedFd,
    folders: HashMap<PathBuf, Folder>,
}

/// A folder to which messages were moved, with its current files by the stems of their names.
struct Folder {
    parts: Parts,
    found: HashMap<Vec<u8>, Vec<MessageFile>>,
}

/// A batch, open for a moment, and the names in it.
struct OpenBatch {
    directory: OwnedFd,
    names: Vec<Vec<u8>>,
}

impl Folder {
    fn find(&self, base: &[u8]) -> Option<&MessageFile> {
        let alike = self.found.get(&*file_name::stem(base))?;
        let only = || if let [only] = alike.as_slice() { Some(only) } else { None };
        alike.iter().find(|found| found.base() == base).or_else(only)
    }
}

/// Removes deleted mail whose time is over for good; returns how many messages. That includes mail kept under earlier
/// settings.
///
/// # Errors
/// See [`EnterFault`].
pub(in crate::maildir) fn clean_up(site: &Site, path: &MaildropPath) -> Result<usize, EnterFault> {
    let Some(mut mail) = DeletedMail::open(site, path)? else { return Ok(0) };
    mail.clean_up(site.clock().now()?, true)
}

impl Deleted {
    /// When it was deleted.
    #[must_use]
    pub fn moment(&self) -> SystemTime {
        self.batch.moment()
    }

    /// The name of its file, for people.
    #[must_use]
    pub fn name(&self) -> String {
        String::from_utf8_lossy(&self.name).into_owned()
    }

    /// The directory of the folder it was moved to, if it was.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        self.batch.folder.as_deref()
    }
}

impl<'a> DeletedMail<'a> {
    /// Opens what clients deleted from a maildrop; none if nothing was ever kept.
    pub(in crate::maildir) fn open(site: &'a Site, path: &'a MaildropPath) -> Result<Option<Self>, EnterFault> {
        let Some(maildir) = site.directory(path)? else { return Ok(None) };
        let fault = |errno: Errno| EnterFault::of(format!("{path}/{}", batch::DELETED), errno);
        let Some(deleted) = batch::open(maildir.as_fd()).map_err(fault)? else { return Ok(None) };
        Ok(Some(Self { site, path, deleted, folders: HashMap::new() }))
    }

    /// The messages that can be restored, in the order of their deletion.
    ///
    /// # Errors
    /// See [`EnterFault`].
    pub fn list(&mut self) -> Result<Vec<Deleted>, EnterFault> {
        let mut list = Vec::new();
        for batch in self.batches()? {
            let Some(OpenBatch { directory, names }) = self.batch(&batch)? else { continue };
            for name in names {
                let moved = self.moved(&batch, &name)?;
                let size = match (&batch.folder, &moved) {
                    (None, _) => size(directory.as_fd(), &name),
                    (Some(_), Some(found)) => self.part_of(&batch, found).and_then(|part| size(part, &found.name)),
                    // Somebody moved or removed it there: it is no longer ours.
                    (Some(_), None) => None,
                };
                if let Some(size) = size {
                    list.push(Deleted { batch: batch.clone(), name, moved, size });
                }
            }
        }
        Ok(list)
    }

    /// The beginning of a message: its header, mostly.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn head(&self, deleted: &Deleted) -> io::Result<Vec<u8>> {
        let file = match &deleted.moved {
            Some(found) => {
                openat(self.part_of(&deleted.batch, found).ok_or(Errno::NOENT)?, &*found.name, MESSAGE, Mode::empty())
            }
            None => openat(self.directory(&deleted.batch)?, &*deleted.name, MESSAGE, Mode::empty()),
        };
        let mut head = Vec::new();
        File::from(file?).take(HEAD).read_to_end(&mut head)?;
        Ok(head)
    }

    /// Restores a message. It gets a new base name, since a client ignores a unique-id that it remembers, unless it is
    /// to keep the `same` unique-id.
    ///
    /// # Errors
    /// It is gone, cannot be moved, or another message has its name.
    pub fn undelete(&self, deleted: &Deleted, same: bool) -> io::Result<()> {
        let parts = self.inbox()?;
        let (place, name) = name_again(deleted.moved.as_ref().map_or(&*deleted.name, |found| &*found.name), same);
        let to = parts.get(place).ok_or_else(|| io::Error::other(format!("{} is missing", place.directory())))?;
        let batch = self.directory(&deleted.batch)?;
        let (from, old) = match &deleted.moved {
            Some(found) => (self.part_of(&deleted.batch, found).ok_or(Errno::NOENT)?, &*found.name),
            None => (batch.as_fd(), &*deleted.name),
        };
        if same && self.site.settings().ageing {
            // Its name says that it arrived long ago, but it stays as long as mail that arrives now.
            utimensat(from, old, &touched(), AtFlags::SYMLINK_NOFOLLOW)?;
        }
        rename(from, old, to, &name)?;
        fsync(to)?;
        if deleted.moved.is_some() {
            self.unlink(batch.as_fd(), &deleted.name).map_err(io::Error::other)?;
        } else {
            let mut quota = QuotaChange::default();
            quota.bring_back(&name, deleted.size);
            quota.record(self.site, self.path);
        }
        self.remove_if_empty(&deleted.batch);
        Ok(())
    }

    /// Removes mail whose time is over at `now` (since 1970) for good, or just counts how many messages that would be.
    /// Each deletion has its own time: mail that was moved to a folder without one stays there, and only its record is
    /// removed here.
    ///
    /// # Errors
    /// See [`EnterFault`].
    pub(in crate::maildir) fn clean_up(&mut self, now: Duration, really: bool) -> Result<usize, EnterFault> {
        let unsaid = match self.site.settings().deletion {
            Deletion::Keep(time) => Some(time),
            Deletion::Remove | Deletion::Move(..) => None,
        };
        let is_due = |batch: &BatchName| {
            let age = now.saturating_sub(Duration::from_secs(batch.seconds));
            let time = batch.term.or(if batch.folder.is_some() { Some(REMEMBERED) } else { unsaid });
            time.is_some_and(|time| age >= time)
        };
        let (due, younger): (Vec<_>, Vec<_>) = self.batches()?.into_iter().partition(is_due);
        let removes_moved = due.iter().any(|batch| batch.folder.is_some() && batch.term.is_some());
        let again = if removes_moved { self.stems(&younger)? } else { HashSet::new() };
        let (mut removed, mut removal) = (0, Removal::begin(self.site, self.path));
        for batch in due {
            let spares = |stem: &[u8]| batch.folder.is_some() && (batch.term.is_none() || again.contains(stem));
            match self.clean_up_batch(&batch, spares, really, &mut removal) {
                Ok(cleaned) => removed += cleaned,
                Err(fault) => {
                    let _ = removal.sync();
                    return Err(fault);
                }
            }
        }
        removal.sync().map_err(|errno| self.fault(errno))?;
        Ok(removed)
    }

    /// The stems of messages that were moved to a folder.
    fn stems(&self, batches: &[BatchName]) -> Result<HashSet<Vec<u8>>, EnterFault> {
        let mut stems = HashSet::new();
        for batch in batches.iter().filter(|batch| batch.folder.is_some()) {
            let names = self.batch(batch)?.map(|open| open.names).unwrap_or_default();
            stems.extend(names.iter().map(|name| file_name::stem(file_name::base(name)).into_owned()));
        }
        Ok(stems)
    }

    /// `spares`: the stems of messages that stay in their folder, and of which only the record is removed; this
    /// includes messages that their owner took out of the folder and deleted again later.
    fn clean_up_batch(
        &mut self,
        batch: &BatchName,
        spares: impl Fn(&[u8]) -> bool,
        really: bool,
        removal: &mut Removal<'_>,
    ) -> Result<usize, EnterFault> {
        let Some(OpenBatch { directory, names }) = self.batch(batch)? else { return Ok(0) };
        let mut removed = 0;
        for name in names {
            let spares = spares(&file_name::stem(file_name::base(&name)));
            let in_folder = if spares { None } else { self.moved(batch, &name)? };
            if really {
                if let Some((parts, found)) = in_folder.as_ref().and_then(|found| Some((self.parts_of(batch)?, found)))
                {
                    match removal.remove_further(parts, found, found, None) {
                        // It has just moved; the next clean-up finds it.
                        Err(MessageFault::Kernel(Errno::NOENT) | MessageFault::Replaced) => continue,
                        removed => removed.map_err(|fault| self.fault_of(&fault))?,
                    };
                }
                self.unlink(directory.as_fd(), &name)?;
            }
            removed += usize::from(!spares && (batch.folder.is_none() || in_folder.is_some()));
        }
        if really {
            self.remove_if_empty(batch);
        }
        Ok(removed)
    }

    fn unlink(&self, directory: BorrowedFd<'_>, name: &[u8]) -> Result<(), EnterFault> {
        match unlinkat(directory, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(errno) => Err(self.fault(errno)),
        }
    }

    fn batches(&self) -> Result<Vec<BatchName>, EnterFault> {
        batch::batches(self.deleted.as_fd()).map_err(|errno| self.fault(errno))
    }

    /// A batch and the names in it; none if another session has removed it.
    fn batch(&self, batch: &BatchName) -> Result<Option<OpenBatch>, EnterFault> {
        let read = self.directory(batch).and_then(|directory| {
            let names = batch::files(directory.as_fd())?;
            Ok(OpenBatch { directory, names })
        });
        match read {
            Ok(read) => Ok(Some(read)),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(self.fault(errno)),
        }
    }

    fn directory(&self, batch: &BatchName) -> Result<OwnedFd, Errno> {
        openat(&self.deleted, batch.file_name(), DIRECTORY, Mode::empty())
    }

    fn remove_if_empty(&self, batch: &BatchName) {
        let _ = unlinkat(&self.deleted, batch.file_name(), AtFlags::REMOVEDIR);
    }

    /// The file of a message in the folder to which it was moved; its flags may have been changed since. None if
    /// several files may be the one.
    fn moved(&mut self, batch: &BatchName, name: &[u8]) -> Result<Option<MessageFile>, EnterFault> {
        let Some(directory) = &batch.folder else { return Ok(None) };
        if !self.folders.contains_key(directory) {
            let folder = self.folder(directory)?;
            self.folders.insert(directory.clone(), folder);
        }
        let folder = self.folders.get(directory);
        Ok(folder.and_then(|folder| folder.find(file_name::base(name))).cloned())
    }

    fn folder(&self, directory: &Path) -> Result<Folder, EnterFault> {
        let path = AsRef::<Path>::as_ref(self.path).join(directory);
        let parts = Parts::open(&self.site.root().open()?, &path)?;
        let names = parts
            .names(self.site.timestamp_granularity())
            .map_err(|error| EnterFault::unavailable(path.display(), &error))?;
        let mut by_stem: HashMap<_, Vec<MessageFile>> = HashMap::new();
        for found in names.found {
            by_stem.entry(file_name::stem(found.base()).into_owned()).or_default().push(found);
        }
        Ok(Folder { parts, found: by_stem })
    }

    fn part_of(&self, batch: &BatchName, found: &MessageFile) -> Option<BorrowedFd<'_>> {
        self.parts_of(batch)?.get(found.place)
    }

    fn parts_of(&self, batch: &BatchName) -> Option<&Parts> {
        Some(&self.folders.get(batch.folder.as_ref()?)?.parts)
    }

    fn inbox(&self) -> io::Result<Parts> {
        let root = self.site.root().open().map_err(io::Error::other)?;
        Parts::open(&root, self.path.as_ref()).map_err(io::Error::other)
    }

    fn fault_of(&self, fault: &MessageFault) -> EnterFault {
        match fault {
            MessageFault::Kernel(errno) => self.fault(*errno),
            fault => EnterFault::Unavailable(format!("{}/{}: {fault}", self.path, batch::DELETED)),
        }
    }

    fn fault(&self, errno: Errno) -> EnterFault {
        EnterFault::of(format!("{}/{}", self.path, batch::DELETED), errno)
    }
}

/// Sets the file's time to this moment.
fn touched() -> Timestamps {
    let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
    Timestamps { last_access: now, last_modification: now }
}

fn size(directory: BorrowedFd<'_>, name: &[u8]) -> Option<u64> {
    u64::try_from(statat(directory, name, AtFlags::SYMLINK_NOFOLLOW).ok()?.st_size).ok()
}

/// Where a message is restored, and its name: without the flag for trash, and as unread, unless it keeps its unique-id.
fn name_again(name: &[u8], same: bool) -> (Subdirectory, Vec<u8>) {
    let base = file_name::base(name);
    let base_again = if same { base.to_vec() } else { fresh_base(base) };
    let info = name.get(base.len()..).unwrap_or_default();
    let Some(flags) = file_name::flags(name) else {
        return (if info.is_empty() { Subdirectory::New } else { Subdirectory::Cur }, [&*base_again, info].concat());
    };
    let dropped: &[u8] = if same { b"T" } else { b"ST" };
    let left: Vec<u8> = flags.iter().copied().filter(|flag| !dropped.contains(flag)).collect();
    if left.is_empty() && !same {
        return (Subdirectory::New, base_again);
    }
    (Subdirectory::Cur, [&*base_again, info.strip_suffix(flags).unwrap_or(info), &left].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_id_keeps_the_base_name_and_what_was_read() {
        for (name, place, again) in [
            ("1.a", Subdirectory::New, "1.a"),
            ("1.a,S=5:2,ST", Subdirectory::Cur, "1.a,S=5:2,S"),
            ("1.a:2,T", Subdirectory::Cur, "1.a:2,"),
            ("1.a:1,x", Subdirectory::Cur, "1.a:1,x"),
            ("1.a;2,ST", Subdirectory::Cur, "1.a;2,S"),
        ] {
            assert_eq!(name_again(name.as_bytes(), true), (place, again.as_bytes().to_vec()), "{name}");
        }
    }

    #[test]
    fn another_id_makes_it_new_again() {
        for (name, place, ending) in [
            ("1.a,S=5", Subdirectory::New, ",S=5"),
            ("1.a,S=5:2,ST", Subdirectory::New, ",S=5"),
            ("1.a:2,FST", Subdirectory::Cur, ":2,F"),
        ] {
            let (found, again) = name_again(name.as_bytes(), false);
            assert!(found == place && again.ends_with(ending.as_bytes()) && !again.starts_with(b"1.a"), "{name}");
        }
    }
}

//! Reading the names in `new` and `cur`.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::cmp::Ordering;
use std::ffi::{CStr, OsStr};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, RawDir, SeekFrom, fstat, openat, seek, statat};
use rustix::io::Errno;

use super::file_name::{self, Arrival};
use super::fresh;
use super::stamp::{DirectoryStamp, Stamps};
use super::taken_name;
use crate::maildir::fault::EnterFault;
use crate::maildir::mail_root::{OpenRoot, is_local};

/// Octets of names read from the kernel at a time, at least and at most. One answer shows one moment: nothing is
/// renamed in between.
const LEAST_ROOM: usize = 64 * 1024;
const MOST_ROOM: usize = 1 << 20;

/// Octets of names read at a time if each message is opened as soon as its name is read.
const LITTLE_ROOM: usize = 4 * 1024;

/// How a message's file is opened: never through a link, never waiting for a pipe's other end.
pub(in crate::maildir) const MESSAGE: OFlags =
    OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);

/// The two directories of a Maildir that contain messages. If both contain the same message, `cur` is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::maildir) enum Subdirectory {
    New,
    Cur,
}

impl Subdirectory {
    pub(in crate::maildir) fn directory(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Cur => "cur",
        }
    }
}

/// The separator between base name and digest in a key: no file name contains it.
pub(in crate::maildir) const KEY_SEPARATOR: u8 = 0;

/// The rank of a message among those whose base names differ in `,U=<n>` at most.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::maildir) enum SharedName {
    /// It was there first, and has the unique-id that belongs to its name. It is pinned by this key, too.
    First(Box<[u8]>),
    /// It came later, and is identified by this key.
    Later(Box<[u8]>),
}

impl SharedName {
    pub(in crate::maildir) fn key(&self) -> &[u8] {
        match self {
            Self::First(key) | Self::Later(key) => key,
        }
    }
}

/// What identifies a message while its name changes.
pub(in crate::maildir) type MovingKey = (u64, Box<[u8]>);

/// A message's file, as a directory names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::maildir) struct MessageFile {
    pub(in crate::maildir) place: Subdirectory,
    pub(in crate::maildir) name: Box<[u8]>,
    /// As in the directory; 0 if the directory has none.
    pub(in crate::maildir) inode: u64,
    arrival: Arrival,
    /// None for a message whose name is its own.
    pub(in crate::maildir) shared_name: Option<Box<SharedName>>,
}

impl MessageFile {
    pub(in crate::maildir) fn new(place: Subdirectory, name: &[u8], inode: u64) -> Self {
        /// What FUSE reports for a file system that returns no inodes with the names (`FUSE_UNKNOWN_INO`).
        const UNKNOWN: u64 = 0xffff_ffff;
        let inode = if inode == UNKNOWN { 0 } else { inode };
        Self { place, name: name.into(), inode, arrival: Arrival::of(file_name::base(name)), shared_name: None }
    }

    /// A message that came later under a shared name is identified by its key, any other by its base name.
    pub(in crate::maildir) fn key(&self) -> &[u8] {
        match self.shared_name.as_deref() {
            Some(SharedName::Later(key)) => key,
            _ => self.base(),
        }
    }

    /// The key of its pin, if there are, or were, others of its name.
    pub(in crate::maildir) fn shared_name_key(&self) -> Option<&[u8]> {
        self.shared_name.as_deref().map(SharedName::key)
    }

    /// What identifies it while its name changes.
    pub(in crate::maildir) fn moving_key(&self) -> MovingKey {
        (self.inode, if self.inode == 0 { self.base().into() } else { self.identity().into() })
    }

    pub(in crate::maildir) fn is_later(&self) -> bool {
        matches!(self.shared_name.as_deref(), Some(SharedName::Later(_)))
    }

    /// Whether both names belong to one message: to one file or, if the directory returns no inodes, to one base name.
    pub(in crate::maildir) fn is_same_message(&self, other: &Self) -> bool {
        let is_same = if self.inode == 0 { self.base() == other.base() } else { self.inode == other.inode };
        is_same && self.order(other) == Ordering::Equal
    }

    pub(in crate::maildir) fn base(&self) -> &[u8] {
        file_name::base(&self.name)
    }

    pub(in crate::maildir) fn file_name(&self) -> &OsStr {
        OsStr::from_bytes(&self.name)
    }

    pub(in crate::maildir) fn identity(&self) -> Cow<'_, [u8]> {
        file_name::identity(self.base())
    }

    /// The seconds since 1970 that the name begins with; 0 for another name.
    pub(in crate::maildir) fn arrived(&self) -> u64 {
        self.arrival.seconds()
    }

    /// `cur/1700000000.M1P2.mx:2,S`, counted from the Maildir.
    pub(in crate::maildir) fn path(&self) -> PathBuf {
        Path::new(self.place.directory()).join(OsStr::from_bytes(&self.name))
    }

    /// The order of messages: arrival, then octets of the base name.
    pub(in crate::maildir) fn order(&self, other: &Self) -> Ordering {
        self.arrival.cmp(&other.arrival).then_with(|| self.identity().cmp(&other.identity()))
    }

    pub(super) fn full_order(&self, other: &Self) -> Ordering {
        let rest =
            || self.base().cmp(other.base()).then_with(|| (self.place, &self.name).cmp(&(other.place, &other.name)));
        self.order(other).then_with(rest)
    }
}

/// `new` and `cur`, open for a moment; none of one that is missing.
pub(in crate::maildir) struct Parts {
    new: Option<OwnedFd>,
    cur: Option<OwnedFd>,
    are_local: OnceCell<bool>,
}

impl Parts {
    pub(in crate::maildir) fn open(root: &OpenRoot<'_>, maildir: &Path) -> Result<Self, EnterFault> {
        let open = |place: Subdirectory| root.directory(&maildir.join(place.directory()));
        Ok(Self { new: open(Subdirectory::New)?, cur: open(Subdirectory::Cur)?, are_local: OnceCell::new() })
    }

    pub(in crate::maildir) fn are_missing(&self) -> bool {
        self.new.is_none() && self.cur.is_none()
    }

    pub(in crate::maildir) fn get(&self, place: Subdirectory) -> Option<BorrowedFd<'_>> {
        let part = match place {
            Subdirectory::New => &self.new,
            Subdirectory::Cur => &self.cur,
        };
        part.as_ref().map(AsFd::as_fd)
    }

    /// Opens a message's file under the name that was found: never through a link, never waiting for a pipe's other end.
    ///
    /// # Errors
    /// `NOENT` if it is no longer there, `LOOP` and `NXIO` if it is not a file.
    pub(in crate::maildir) fn open_file(&self, found: &MessageFile) -> Result<File, Errno> {
        let part = self.get(found.place).ok_or(Errno::NOENT)?;
        openat(part, &*found.name, MESSAGE, Mode::empty()).map(File::from)
    }

    /// Whether the file with this inode is the one that a directory lists: another file of the same base name may have got
    /// its name meanwhile.
    pub(in crate::maildir) fn is_file_of(&self, found: &MessageFile, inode: u64) -> io::Result<bool> {
        if found.inode == 0 || inode == found.inode {
            return Ok(true);
        }
        // Some directories give other inodes than files have: then this one still gives the same under that name.
        let mut is_named = false;
        self.each(|now| {
            is_named |= (now.place, &now.name, now.inode) == (found.place, &found.name, found.inode);
            Ok(())
        })?;
        let Some(part) = self.get(found.place).filter(|_| is_named) else { return Ok(false) };
        let stat = statat(part, &*found.name, AtFlags::SYMLINK_NOFOLLOW);
        Ok(stat.is_ok_and(|stat| stat.st_ino == inode))
    }

    /// Whether both lie on local file systems.
    pub(in crate::maildir) fn are_local(&self) -> bool {
        *self.are_local.get_or_init(|| {
            [Subdirectory::New, Subdirectory::Cur].into_iter().filter_map(|place| self.get(place)).all(is_local)
        })
    }

    /// The stamps as they are now, whatever the kernel has cached of a file system that is not local.
    pub(in crate::maildir) fn stamps(&self, are_local: bool) -> io::Result<Stamps> {
        let of = |place| {
            self.get(place).map(|part| fresh::stat(part, are_local).map(|stat| DirectoryStamp::of(&stat))).transpose()
        };
        Ok(Stamps { new: of(Subdirectory::New)?, cur: of(Subdirectory::Cur)? })
    }

    /// Reads `new` before `cur`: a message that is delivered while we read is seen at least once.
    pub(in crate::maildir) fn look(&self) -> io::Result<ScanResult> {
        let mut look = ScanResult::empty();
        for place in [Subdirectory::New, Subdirectory::Cur] {
            self.look_into(place, &mut look)?;
        }
        Ok(look)
    }

    /// Reads the names in one of the two.
    pub(super) fn look_into(&self, place: Subdirectory, look: &mut ScanResult) -> io::Result<()> {
        let Some(part) = self.get(place) else { return Ok(()) };
        // In the answer a name takes about three times the room that some file systems count for it.
        let size = usize::try_from(fstat(part)?.st_size).unwrap_or_default();
        let room = size.saturating_mul(3).clamp(LEAST_ROOM, MOST_ROOM);
        let ScanResult { found, odd, is_of_one_moment, taken } = look;
        let answers = read(part, room, |entry| {
            match entry {
                DirectoryEntry::File(name, inode) => found.push(MessageFile::new(place, name, inode)),
                DirectoryEntry::Odd(name) if odd.is_none() => {
                    *odd = Some(Path::new(place.directory()).join(OsStr::from_bytes(name)));
                }
                DirectoryEntry::Odd(_) => {}
                DirectoryEntry::Taken(name) => taken.push((place, name.into())),
            }
            Ok(())
        })?;
        *is_of_one_moment &= answers <= 1;
        Ok(())
    }

    /// Reads the names, a few at a time, and passes on each at once, so that it is acted on before it changes.
    pub(in crate::maildir) fn each(&self, mut act: impl FnMut(MessageFile) -> io::Result<()>) -> io::Result<()> {
        for place in [Subdirectory::New, Subdirectory::Cur] {
            let Some(part) = self.get(place) else { continue };
            read(part, LITTLE_ROOM, |entry| match entry {
                DirectoryEntry::File(name, inode) => act(MessageFile::new(place, name, inode)),
                DirectoryEntry::Odd(_) | DirectoryEntry::Taken(_) => Ok(()),
            })?;
        }
        Ok(())
    }
}

/// The contents of `new` and `cur` when they were read.
pub(in crate::maildir) struct ScanResult {
    pub(in crate::maildir) found: Vec<MessageFile>,
    /// The first entry that is not a regular file.
    pub(in crate::maildir) odd: Option<PathBuf>,
    /// The names of each directory came in one answer of the kernel.
    pub(super) is_of_one_moment: bool,
    /// The names of files that a session has taken from their original ones.
    pub(super) taken: Vec<(Subdirectory, Box<[u8]>)>,
}

impl ScanResult {
    pub(super) fn empty() -> Self {
        Self { found: Vec::new(), odd: None, is_of_one_moment: true, taken: Vec::new() }
    }
}

/// An entry of a directory.
enum DirectoryEntry<'a> {
    File(&'a [u8], u64),
    /// Something other than a regular file.
    Odd(&'a [u8]),
    /// The name of a file that a session has taken from its original one.
    Taken(&'a [u8]),
}

/// Reads the names in a directory. Returns in how many answers they came.
fn read(
    part: BorrowedFd<'_>,
    room: usize,
    mut act: impl FnMut(DirectoryEntry<'_>) -> io::Result<()>,
) -> io::Result<usize> {
    seek(part, SeekFrom::Start(0))?;
    let mut block = Vec::with_capacity(room);
    let mut entries = RawDir::new(part, block.spare_capacity_mut());
    let mut answers = 0;
    loop {
        let is_next = entries.is_buffer_empty();
        let Some(entry) = entries.next() else { return Ok(answers) };
        answers += usize::from(is_next);
        let entry = entry?;
        let name = entry.file_name();
        if name.to_bytes().starts_with(b".") {
            if taken_name::is_taken(name.to_bytes()) {
                act(DirectoryEntry::Taken(name.to_bytes()))?;
            }
            continue;
        }
        let kind = match entry.file_type() {
            FileType::Unknown => kind_of(part, name),
            kind => Some(kind),
        };
        match kind {
            Some(FileType::RegularFile) => act(DirectoryEntry::File(name.to_bytes(), entry.ino()))?,
            Some(_) => act(DirectoryEntry::Odd(name.to_bytes()))?,
            None => {}
        }
    }
}

/// Finds out what an entry is if the directory does not say. None if it is gone. If that fails, it may be a message.
fn kind_of(part: BorrowedFd<'_>, name: &CStr) -> Option<FileType> {
    match statat(part, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Some(FileType::from_raw_mode(stat.st_mode)),
        Err(Errno::NOENT) => None,
        Err(_) => Some(FileType::RegularFile),
    }
}

//! Reading the names in `new` and `cur`.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::ffi::{CStr, OsStr};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{AtFlags, FileType, RawDir, SeekFrom, fstat, seek, statat};
use rustix::io::Errno;

use super::fault::EnterFault;
use super::name::{self, Arrival};
use super::root::OpenRoot;
use super::stamp::{Moment, Stamp, Stamps, is_local};

/// How often the names are read again while they change under our eyes.
const ROUNDS: usize = 5;

/// Octets of names taken from the kernel at a time.
const BLOCK: usize = 64 * 1024;

/// The two directories of a Maildir in which messages lie. Where both hold a message, `cur` counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    New,
    Cur,
}

impl Place {
    pub(super) fn directory(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Cur => "cur",
        }
    }
}

/// A message's file, as a directory names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) place: Place,
    pub(super) name: Box<[u8]>,
    pub(super) inode: u64,
    arrival: Arrival,
}

impl Found {
    fn new(place: Place, name: &[u8], inode: u64) -> Self {
        Self { place, name: name.into(), inode, arrival: Arrival::of(name::base(name)) }
    }

    pub(super) fn base(&self) -> &[u8] {
        name::base(&self.name)
    }

    pub(super) fn file_name(&self) -> &OsStr {
        OsStr::from_bytes(&self.name)
    }

    pub(super) fn identity(&self) -> Cow<'_, [u8]> {
        name::identity(self.base())
    }

    /// The seconds since 1970 that the name begins with; 0 for another name.
    pub(super) fn arrived(&self) -> u64 {
        self.arrival.seconds()
    }

    /// `cur/1700000000.M1P2.mx:2,S`, counted from the Maildir.
    pub(super) fn path(&self) -> PathBuf {
        Path::new(self.place.directory()).join(OsStr::from_bytes(&self.name))
    }

    /// The order of messages: arrival, then octets of the base name.
    pub(super) fn order(&self, other: &Self) -> Ordering {
        self.arrival.cmp(&other.arrival).then_with(|| self.identity().cmp(&other.identity()))
    }

    fn full_order(&self, other: &Self) -> Ordering {
        let rest =
            || self.base().cmp(other.base()).then_with(|| (self.place, &self.name).cmp(&(other.place, &other.name)));
        self.order(other).then_with(rest)
    }
}

/// The messages of a Maildir in order, each once.
#[derive(Clone, Debug)]
pub(super) struct Names {
    pub(super) found: Vec<Found>,
    pub(super) stamps: Stamps,
    /// They lie on local file systems.
    pub(super) local: bool,
    /// A later look with the same stamps would find the same names.
    pub(super) settled: bool,
    /// The first of those entries that are no regular files.
    pub(super) odd: Option<PathBuf>,
}

impl Names {
    /// The file that now holds the message which lay in `wanted`: its flags may have been changed, it may have moved
    /// from `new` to `cur`, or `,U=<n>` have been added. `others` are the messages listed beside it.
    pub(super) fn follow<'a>(&self, wanted: &Found, others: impl Iterator<Item = &'a Found>) -> Option<&Found> {
        let start = self.found.partition_point(|found| found.order(wanted) == Ordering::Less);
        let same = || self.found.iter().skip(start).take_while(|found| found.order(wanted) == Ordering::Equal);
        if let Some(exact) = same().find(|found| found.base() == wanted.base()) {
            return Some(exact);
        }
        let taken: Vec<&[u8]> =
            others.filter(|other| other.order(wanted) == Ordering::Equal).map(Found::base).collect();
        same().find(|found| !taken.contains(&found.base()))
    }
}

/// `new` and `cur`, open for a moment; none of one that is missing.
pub(super) struct Parts {
    new: Option<OwnedFd>,
    cur: Option<OwnedFd>,
}

impl Parts {
    pub(super) fn open(root: &OpenRoot<'_>, maildir: &Path) -> Result<Self, EnterFault> {
        let open = |place: Place| root.directory(&maildir.join(place.directory()));
        Ok(Self { new: open(Place::New)?, cur: open(Place::Cur)? })
    }

    pub(super) fn are_missing(&self) -> bool {
        self.new.is_none() && self.cur.is_none()
    }

    pub(super) fn get(&self, place: Place) -> Option<BorrowedFd<'_>> {
        let part = match place {
            Place::New => &self.new,
            Place::Cur => &self.cur,
        };
        part.as_ref().map(AsFd::as_fd)
    }

    fn stamps(&self) -> io::Result<Stamps> {
        let of = |place| self.get(place).map(|part| fstat(part).map(|stat| Stamp::of(&stat))).transpose();
        Ok(Stamps { new: of(Place::New)?, cur: of(Place::Cur)? })
    }

    /// Reads the names until they hold still, a few times at most. `settling`: how old a change must be.
    pub(super) fn names(&self, settling: Duration) -> io::Result<Names> {
        let local = [Place::New, Place::Cur].into_iter().filter_map(|place| self.get(place)).all(is_local);
        let mut earlier = Vec::new();
        for _ in 0..ROUNDS {
            let margin = Moment::before(settling);
            let before = self.stamps()?;
            let (found, odd) = self.read()?;
            if before == self.stamps()? {
                let settled = local && before.are_older_than(margin);
                return Ok(Names { found, stamps: before, local, settled, odd });
            }
            earlier = found;
        }
        // It never held still. One that was renamed while we read may have been missed: what the round before saw
        // counts too. A message listed in vain costs a "gone", a message left out would be downloaded again.
        let (stamps, (mut found, odd)) = (self.stamps()?, self.read()?);
        let missed = |old: &Found| found.binary_search_by(|new| new.order(old)).is_err();
        let mut missing: Vec<Found> = earlier.into_iter().filter(missed).collect();
        found.append(&mut missing);
        Ok(Names { found: in_order(found), stamps, local, settled: false, odd })
    }

    /// Reads `new` before `cur`: a message that moves while we read is seen at least once.
    fn read(&self) -> io::Result<(Vec<Found>, Option<PathBuf>)> {
        let (mut found, mut odd) = (Vec::new(), None);
        for place in [Place::New, Place::Cur] {
            if let Some(part) = self.get(place) {
                read_part(place, part, &mut found, &mut odd)?;
            }
        }
        Ok((in_order(found), odd))
    }
}

/// Sorts, and leaves one of each base name: in `cur` rather than in `new`. A file that was seen both before and after
/// `,U=<n>` was added to its name counts once too.
fn in_order(mut found: Vec<Found>) -> Vec<Found> {
    found.sort_unstable_by(Found::full_order);
    // `dedup_by` keeps the first of equal ones; the last is wanted.
    found.reverse();
    let renamed = |one: &Found, other: &Found| one.inode == other.inode && one.order(other) == Ordering::Equal;
    found.dedup_by(|one, other| one.base() == other.base() || renamed(one, other));
    found.reverse();
    found
}

fn read_part(
    place: Place,
    part: BorrowedFd<'_>,
    found: &mut Vec<Found>,
    odd: &mut Option<PathBuf>,
) -> Result<(), Errno> {
    seek(part, SeekFrom::Start(0))?;
    let mut block = Vec::with_capacity(BLOCK);
    let mut entries = RawDir::new(part, block.spare_capacity_mut());
    while let Some(entry) = entries.next() {
        let entry = entry?;
        let name = entry.file_name();
        if name.to_bytes().starts_with(b".") {
            continue;
        }
        let kind = match entry.file_type() {
            FileType::Unknown => kind_of(part, name)?,
            kind => Some(kind),
        };
        match kind {
            Some(FileType::RegularFile) => found.push(Found::new(place, name.to_bytes(), entry.ino())),
            Some(_) if odd.is_none() => {
                *odd = Some(Path::new(place.directory()).join(OsStr::from_bytes(name.to_bytes())));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Asks what an entry is, where the directory does not tell. None if it is gone.
fn kind_of(part: BorrowedFd<'_>, name: &CStr) -> Result<Option<FileType>, Errno> {
    match statat(part, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(FileType::from_raw_mode(stat.st_mode))),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(errno),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(found: &[(Place, &str, u64)]) -> Vec<String> {
        let found = found.iter().map(|(place, name, inode)| Found::new(*place, name.as_bytes(), *inode)).collect();
        in_order(found).iter().map(|found| found.path().display().to_string()).collect()
    }

    #[test]
    fn a_file_seen_twice_counts_once() {
        let moved = [(Place::Cur, "1.a:2,S", 7), (Place::New, "1.a", 7), (Place::New, "0.b", 8)];
        assert_eq!(names(&moved), ["new/0.b", "cur/1.a:2,S"]);
        let renamed_by_mbsync = [(Place::Cur, "1.a:2,S", 7), (Place::Cur, "1.a,U=5:2,S", 7)];
        assert_eq!(names(&renamed_by_mbsync), ["cur/1.a,U=5:2,S"]);
        let two_messages = [(Place::Cur, "1.a,U=5:2,S", 7), (Place::Cur, "1.a:2,S", 8)];
        assert_eq!(names(&two_messages), ["cur/1.a:2,S", "cur/1.a,U=5:2,S"]);
    }
}

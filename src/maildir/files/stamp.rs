//! Whether a directory is unchanged, by its device, inode and times.

use std::path::Path;
use std::time::Duration;

use rustix::fs::{Stat, stat};
use rustix::io::Errno;
use rustix::time::{ClockId, clock_gettime};

use crate::maildir::mail_root::Root;

/// A moment on a file system's own clock, in nanoseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::maildir) struct Moment(i64);

/// What distinguishes one state of a directory from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::maildir) struct DirectoryStamp {
    device: u64,
    inode: u64,
    modified: Moment,
    changed: Moment,
}

/// The stamps of `new` and `cur`; none of one that is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::maildir) struct Stamps {
    pub(in crate::maildir) new: Option<DirectoryStamp>,
    pub(in crate::maildir) cur: Option<DirectoryStamp>,
}

/// What distinguishes one state of a file from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::maildir) struct FileStamp {
    stamp: DirectoryStamp,
    size: i64,
}

impl FileStamp {
    pub(in crate::maildir) fn of(stat: &Stat) -> Self {
        Self { stamp: DirectoryStamp::of(stat), size: stat.st_size }
    }

    /// Whether its contents were changed within this time, or in the future.
    pub(in crate::maildir) fn is_younger_than(&self, time: Duration) -> bool {
        !self.stamp.is_older_than(Moment::before(time))
    }
}

impl Moment {
    /// When the contents of a file were last written.
    pub(in crate::maildir) fn modified(stat: &Stat) -> Self {
        Self::at(stat.st_mtime, stat.st_mtime_nsec)
    }

    /// When anything about a file was last changed: its contents, its name, its flags.
    pub(in crate::maildir) fn changed(stat: &Stat) -> Self {
        Self::at(stat.st_ctime, stat.st_ctime_nsec)
    }

    /// The moment this long before.
    pub(in crate::maildir) fn earlier_by(self, time: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(time.as_nanos()).unwrap_or(i64::MAX)))
    }

    /// The moment this long after.
    pub(in crate::maildir) fn later_by(self, time: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(time.as_nanos()).unwrap_or(i64::MAX)))
    }

    /// The kernel's clock for time stamps of local file systems, as it stood `ago`.
    pub(in crate::maildir) fn before(ago: Duration) -> Self {
        let now = clock_gettime(ClockId::RealtimeCoarse);
        let Self(now) = Self::at(now.tv_sec, now.tv_nsec);
        Self(now.saturating_sub(i64::try_from(ago.as_nanos()).unwrap_or(i64::MAX)))
    }

    /// As nanoseconds since 1970.
    pub(in crate::maildir) fn nanoseconds(self) -> i64 {
        self.0
    }

    /// From nanoseconds since 1970.
    pub(in crate::maildir) fn of_nanoseconds(nanoseconds: i64) -> Self {
        Self(nanoseconds)
    }

    /// Whether a change at `now` would get a later moment than this one. Some file systems count whole seconds; then
    /// the second must be over.
    fn is_over_at(self, now: Self) -> bool {
        const SECOND: i64 = 1_000_000_000;
        let step = if self.0.rem_euclid(SECOND) == 0 { SECOND } else { 1 };
        self.0.saturating_add(step) <= now.0
    }

    /// One that cannot be represented (before 1678, after 2262) becomes the nearest that can.
    pub(in crate::maildir) fn at(seconds: i64, nanoseconds: impl TryInto<i64>) -> Self {
        let nanoseconds = nanoseconds.try_into().unwrap_or_default();
        Self(seconds.saturating_mul(1_000_000_000).saturating_add(nanoseconds))
    }
}

impl DirectoryStamp {
    pub(in crate::maildir) fn of(stat: &Stat) -> Self {
        Self {
            device: stat.st_dev,
            inode: stat.st_ino,
            modified: Moment::modified(stat),
            changed: Moment::changed(stat),
        }
    }

    /// The device of its file system.
    pub(in crate::maildir) fn device(&self) -> u64 {
        self.device
    }

    fn is_older_than(&self, moment: Moment) -> bool {
        self.modified.is_over_at(moment) && self.changed.is_over_at(moment)
    }
}

impl Stamps {
    /// The stamps of a Maildir, by two `stat` calls; nothing is opened. None if they cannot be read.
    ///
    /// Confinement to the root is not needed: a stamp contains device and inode, so another directory is never mistaken
    /// for the one that was opened beneath the root.
    pub(in crate::maildir) fn at(root: &Root, maildir: &Path) -> Option<Self> {
        let maildir = root.path().join(maildir);
        let of = |name| match stat(maildir.join(name)) {
            Ok(stat) => Some(Some(DirectoryStamp::of(&stat))),
            Err(Errno::NOENT) => Some(None),
            Err(_) => None,
        };
        Some(Self { new: of("new")?, cur: of("cur")? })
    }

    /// Whether every change before `moment` would show: a stamp younger than that may be shared by a later change.
    pub(in crate::maildir) fn are_older_than(&self, moment: Moment) -> bool {
        [self.new, self.cur].iter().flatten().all(|stamp| stamp.is_older_than(moment))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamps(modified: Moment, changed: Moment) -> Stamps {
        Stamps { new: None, cur: Some(DirectoryStamp { device: 1, inode: 2, modified, changed }) }
    }

    #[test]
    fn a_stamp_of_whole_seconds_is_young_until_its_second_is_over() {
        let at = Moment::of_nanoseconds;
        let stamp = |moment| stamps(moment, moment);
        assert!(stamp(at(7_000_000_001)).are_older_than(at(7_000_000_002)));
        assert!(!stamp(at(7_000_000_001)).are_older_than(at(7_000_000_001)));
        assert!(!stamp(at(7_000_000_000)).are_older_than(at(7_999_999_999)));
        assert!(stamp(at(7_000_000_000)).are_older_than(at(8_000_000_000)));
    }

    #[test]
    fn a_young_or_future_stamp_is_not_settled() {
        let margin = Duration::from_secs(2);
        let old = Moment::before(Duration::from_secs(3));
        let young = Moment::before(Duration::from_secs(1));
        let Moment(now) = Moment::before(Duration::ZERO);
        let future = Moment(now + 3_600_000_000_000);
        assert!(stamps(old, old).are_older_than(Moment::before(margin)));
        for (modified, changed) in [(young, old), (old, young), (future, old), (old, future)] {
            assert!(!stamps(modified, changed).are_older_than(Moment::before(margin)));
        }
    }
}

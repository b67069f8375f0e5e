//! The time by which mail expires: this machine's clock, as long as it is plausible.
//!
//! A clock that jumps ahead by years would make all mail old enough to be removed. So the latest time seen is stored in
//! a file in the mail root, `restante-clock`, which all nodes share. If the clock is further ahead of it than
//! [`BELIEVED`], nothing is removed by age until an administrator confirms the time. A clock that is behind only makes
//! mail younger; a deletion is then recorded with the latest time seen.

use std::fmt;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustix::fs::{CWD, FileType, Mode, OFlags, fstat, openat};
use rustix::io::Errno;

use crate::date::Date;
use crate::maildir::fault::EnterFault;

/// The file in the mail root.
const FILE: &str = "restante-clock";

/// How far the clock may be ahead of the latest time seen, not counting the time during which the process runs. A
/// service that was down over the holidays starts again without a complaint.
const BELIEVED: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How often the latest time is written.
const WRITTEN: Duration = Duration::from_secs(60 * 60);

/// How often the log reports that the clock is not plausible.
const COMPLAINT: Duration = Duration::from_secs(60 * 60);

/// This machine's clock, and the latest time seen.
#[derive(Debug)]
pub(super) struct Clock {
    file: PathBuf,
    state: Mutex<ClockState>,
}

#[derive(Debug, Default)]
struct ClockState {
    latest: Option<LatestMoment>,
    /// The latest time in the file.
    written: Option<Duration>,
    logged: Option<Instant>,
}

/// The latest time, since 1970, and the same moment by a clock that never jumps.
#[derive(Clone, Copy, Debug)]
struct LatestMoment {
    moment: Duration,
    at: Instant,
}

/// Why no mail is removed by age.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClockFault {
    /// The clock is too far ahead of the latest time seen.
    Jumped {
        /// What the clock says.
        now: SystemTime,
        /// The latest time seen.
        latest: SystemTime,
    },
    /// The latest time cannot be read or written; why.
    NotNoted(String),
}

impl Clock {
    pub(super) fn new(root: &Path) -> Self {
        Self { file: root.join(FILE), state: Mutex::default() }
    }

    /// The time since 1970 by which mail expires. It may read or write the file: blocks while the disk answers.
    ///
    /// # Errors
    /// Nothing may be removed by age now.
    pub(super) fn now(&self) -> Result<Duration, ClockFault> {
        self.at(SystemTime::now(), Instant::now())
    }

    fn at(&self, now: SystemTime, instant: Instant) -> Result<Duration, ClockFault> {
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut state = self.state();
        // If the clock is not plausible, the file is read again: another process may have confirmed it.
        if state.latest.is_none_or(|latest| !latest.believes(now, instant)) {
            let written = self.read()?;
            state.written = written;
            state.latest = Some(LatestMoment { moment: written.unwrap_or(now), at: instant });
        }
        let Some(latest) = state.latest.filter(|latest| latest.believes(now, instant)) else {
            let latest = state.latest.take().map_or(now, |latest| latest.moment);
            return Err(ClockFault::Jumped { now: UNIX_EPOCH + now, latest: UNIX_EPOCH + latest });
        };
        let moment = latest.moment.max(now);
        if state.written.is_none_or(|written| moment >= written + WRITTEN) {
            self.write(moment)?;
            state.written = Some(moment);
        }
        state.latest = Some(if now >= latest.moment { LatestMoment { moment, at: instant } } else { latest });
        Ok(now)
    }

    /// The time that is recorded for an event, since 1970: never before the latest one seen, since mail that is kept
    /// from then on would expire too early.
    pub(super) fn time_to_record(&self) -> Duration {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        // Another node may have seen a later one.
        let noted = self.read().ok().flatten().unwrap_or_default();
        let seen = self.state().latest.map(|latest| latest.moment).unwrap_or_default();
        now.max(noted).max(seen)
    }

    /// Accepts the clock as it is; returns the latest time seen before, if one was recorded.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn confirm(&self) -> Result<Option<SystemTime>, ClockFault> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let before = self.read().ok().flatten();
        self.write(now)?;
        *self.state() = ClockState::default();
        Ok(before.map(|moment| UNIX_EPOCH + moment))
    }

    /// Whether it is time to log again that the clock is not plausible.
    pub(super) fn should_log(&self) -> bool {
        let mut state = self.state();
        let should_log = state.logged.is_none_or(|at| at.elapsed() >= COMPLAINT);
        if should_log {
            state.logged = Some(Instant::now());
        }
        should_log
    }

    fn read(&self) -> Result<Option<Duration>, ClockFault> {
        let file = match self.open(OFlags::RDONLY) {
            Ok(file) => file,
            Err(Errno::NOENT) => return Ok(None),
            Err(errno) => return Err(self.not_recorded(errno)),
        };
        let mut octets = [0; 32];
        let length = file.read_at(&mut octets, 0).map_err(|error| self.not_recorded(error))?;
        let text = std::str::from_utf8(octets.get(..length).unwrap_or_default()).unwrap_or_default().trim();
        if text.is_empty() {
            return Ok(None);
        }
        let seconds = text.parse().map_err(|_| self.not_recorded("is no number of seconds since 1970"))?;
        Ok(Some(Duration::from_secs(seconds)))
    }

    /// Writes the file in place, always with the same length: an administrator may have created it because the service
    /// may not write in the root.
    fn write(&self, moment: Duration) -> Result<(), ClockFault> {
        let file = self.open(OFlags::WRONLY | OFlags::CREATE).map_err(|errno| self.not_recorded(errno))?;
        file.write_all_at(format!("{:020}\n", moment.as_secs()).as_bytes(), 0).map_err(|error| self.not_recorded(error))
    }

    fn open(&self, flags: OFlags) -> Result<File, Errno> {
        let flags = flags | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = openat(CWD, &self.file, flags, Mode::RUSR | Mode::WUSR | Mode::RGRP | Mode::ROTH)?;
        let stat = fstat(&file)?;
        let is_own = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile && stat.st_nlink == 1;
        if is_own { Ok(File::from(file)) } else { Err(Errno::INVAL) }
    }

    fn not_recorded(&self, why: impl fmt::Display) -> ClockFault {
        ClockFault::NotNoted(format!("{}: {why}", self.file.display()))
    }

    fn state(&self) -> MutexGuard<'_, ClockState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LatestMoment {
    fn believes(self, now: Duration, instant: Instant) -> bool {
        now <= self.moment + instant.saturating_duration_since(self.at) + BELIEVED
    }
}

impl fmt::Display for ClockFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Jumped { now, latest } => write!(
                f,
                "the clock reads {}, but the latest time seen is {}: if the clock is right, run `restante expire --confirm-clock`",
                Date::of(*now).of_log(),
                Date::of(*latest).of_log()
            ),
            Self::NotNoted(why) => {
                write!(f, "the latest time seen cannot be noted, which guards against a clock that jumps: {why}")
            }
        }
    }
}

impl From<ClockFault> for EnterFault {
    fn from(fault: ClockFault) -> Self {
        Self::Unavailable(fault.to_string())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    fn day(number: u32) -> SystemTime {
        UNIX_EPOCH + DAY * 20_000 + DAY * number
    }

    fn since_1970(moment: SystemTime) -> Duration {
        moment.duration_since(UNIX_EPOCH).unwrap()
    }

    #[test]
    fn a_jump_ahead_is_not_believed_not_even_after_a_restart() {
        let (root, began) = (tempfile::tempdir().unwrap(), Instant::now());
        let clock = Clock::new(root.path());
        assert_eq!(clock.at(day(0), began), Ok(since_1970(day(0))));
        let jumped = Err(ClockFault::Jumped { now: day(400), latest: day(0) });
        assert_eq!(clock.at(day(400), began), jumped);
        assert_eq!(Clock::new(root.path()).at(day(400), began), jumped);
        assert_eq!(clock.at(day(1), began), Ok(since_1970(day(1))), "a clock that is right again is believed");
    }

    #[test]
    fn time_that_passes_is_no_jump() {
        let (root, began) = (tempfile::tempdir().unwrap(), Instant::now());
        let clock = Clock::new(root.path());
        assert!(clock.at(day(0), began).is_ok());
        assert!(clock.at(day(30), began + DAY * 30).is_ok(), "thirty days without a login");
        assert!(Clock::new(root.path()).at(day(36), began).is_ok(), "down for six days");
        assert!(Clock::new(root.path()).at(day(44), began).is_err(), "down for eight days, or not");
    }

    #[test]
    fn a_clock_that_is_behind_lowers_nothing() {
        let (root, began) = (tempfile::tempdir().unwrap(), Instant::now());
        let clock = Clock::new(root.path());
        assert!(clock.at(day(100), began).is_ok());
        assert_eq!(clock.at(day(2), began), Ok(since_1970(day(2))), "mail is younger for it, which removes nothing");
        assert!(clock.at(day(100), began).is_ok());
        assert!(clock.at(day(108), began).is_err());
    }

    #[test]
    fn what_is_confirmed_is_believed_by_others_too() {
        let root = tempfile::tempdir().unwrap();
        let (now, began) = (SystemTime::now(), Instant::now());
        let clock = Clock::new(root.path());
        assert!(clock.at(now - DAY * 30, began).is_ok());
        assert!(clock.at(now, began).is_err());
        let before = Clock::new(root.path()).confirm().unwrap().unwrap();
        assert!(before < now - DAY * 29);
        assert!(clock.at(now, began).is_ok());
        assert!(clock.time_to_record() >= since_1970(now));
    }

    #[test]
    fn a_moment_is_never_noted_before_the_latest_seen() {
        let root = tempfile::tempdir().unwrap();
        let later = SystemTime::now() + DAY * 3;
        assert!(Clock::new(root.path()).at(later, Instant::now()).is_ok());
        assert_eq!(Clock::new(root.path()).time_to_record().as_secs(), since_1970(later).as_secs());
    }

    #[test]
    fn where_nothing_can_be_noted_nothing_ages() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join(FILE), "soon\n").unwrap();
        let Err(ClockFault::NotNoted(why)) = Clock::new(root.path()).now() else { panic!() };
        assert!(why.contains("no number of seconds"), "{why}");
        fs::remove_file(root.path().join(FILE)).unwrap();
        std::os::unix::fs::symlink("elsewhere", root.path().join(FILE)).unwrap();
        assert!(matches!(Clock::new(root.path()).now(), Err(ClockFault::NotNoted(_))));
        assert!(!root.path().join("elsewhere").exists());
    }
}

//! Limits for files beside the mail that somebody may have made huge: how much of them is read, and only one at a time.
//!
//! The owner of a Maildir can put anything there. So such a file may be as large as the present messages explain, with
//! some room for removed ones; a larger one is not read. The messages are counted only if that matters.

use std::collections::BTreeSet;
use std::io;
use std::os::fd::BorrowedFd;
use std::sync::{Condvar, Mutex, PoisonError};

use rustix::fs::{Dir, Mode, Stat, openat};
use rustix::io::Errno;

use super::folder::DIRECTORY;

/// The most that a file may contain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::maildir) struct FileBounds {
    octets: u64,
    lines: u64,
}

impl FileBounds {
    /// For another server's list, however few messages there are.
    pub(in crate::maildir) const LIST: Self = Self { octets: 16 << 20, lines: 200_000 };
    /// For the index.
    pub(in crate::maildir) const INDEX: Self = Self { octets: 16 << 20, lines: u64::MAX };
    /// For the pins, which outlive their messages.
    pub(in crate::maildir) const PINS: Self = Self { octets: 128 << 20, lines: 1_000_000 };

    /// The bounds for this many messages.
    fn with(self, messages: u64) -> Self {
        /// Much more than a message takes in any of these files: dozens of people may have retrieved it.
        const OCTETS: u64 = 8 << 10;
        const LINES: u64 = 64;
        Self {
            octets: self.octets.saturating_add(messages.saturating_mul(OCTETS)),
            lines: self.lines.saturating_add(messages.saturating_mul(LINES)),
        }
    }

    fn has(self, octets: u64, lines: u64) -> bool {
        octets <= self.octets && lines <= self.lines
    }
}

/// Bounds that grow with the number of messages, which are counted once, and only if that matters.
pub(in crate::maildir) struct ReadLimit<F> {
    bounds: FileBounds,
    messages: Option<F>,
}

impl<F: FnOnce() -> io::Result<u64>> ReadLimit<F> {
    pub(in crate::maildir) fn new(bounds: FileBounds, messages: F) -> Self {
        Self { bounds, messages: Some(messages) }
    }

    /// Whether a file of this many octets and lines may be read.
    ///
    /// # Errors
    /// The messages cannot be counted.
    pub(in crate::maildir) fn has(&mut self, octets: u64, lines: u64) -> io::Result<bool> {
        if !self.bounds.has(octets, lines)
            && let Some(messages) = self.messages.take()
        {
            self.bounds = self.bounds.with(messages()?);
        }
        Ok(self.bounds.has(octets, lines))
    }
}

/// The number of files in `new` and `cur`.
pub(in crate::maildir) fn messages(maildir: BorrowedFd<'_>) -> io::Result<u64> {
    let mut count = 0;
    for part in ["new", "cur"] {
        let directory = match openat(maildir, part, DIRECTORY, Mode::empty()) {
            Ok(directory) => directory,
            // A link is not followed for this.
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => continue,
            Err(errno) => return Err(errno.into()),
        };
        for entry in Dir::new(directory)? {
            entry?;
            count += 1;
        }
    }
    Ok(count)
}

/// The devices on which a large file is being read.
static READING: Mutex<BTreeSet<u64>> = Mutex::new(BTreeSet::new());
static ENDED: Condvar = Condvar::new();

/// Permission to read a large file; others on the same device wait until it is dropped.
#[derive(Debug)]
pub(in crate::maildir) struct LargeFileTurn(u64);

/// Waits until no other large file is read on the same device. A small file does not wait.
pub(in crate::maildir) fn turn(stat: &Stat) -> Option<LargeFileTurn> {
    const LARGE: i64 = 16 << 20;
    if stat.st_size <= LARGE {
        return None;
    }
    let mut reading = READING.lock().unwrap_or_else(PoisonError::into_inner);
    while !reading.insert(stat.st_dev) {
        reading = ENDED.wait(reading).unwrap_or_else(PoisonError::into_inner);
    }
    Some(LargeFileTurn(stat.st_dev))
}

impl Drop for LargeFileTurn {
    fn drop(&mut self) {
        READING.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.0);
        ENDED.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(bounds: FileBounds, messages: u64, octets: u64, lines: u64) -> bool {
        ReadLimit::new(bounds, || Ok(messages)).has(octets, lines).unwrap()
    }

    #[test]
    fn a_file_may_be_as_large_as_the_messages_explain() {
        assert!(has(FileBounds::LIST, 10, (16 << 20) + 81_920, 200_640));
        assert!(!has(FileBounds::LIST, 10, (16 << 20) + 81_921, 0));
        assert!(!has(FileBounds::LIST, 10, 0, 200_641));
        assert!(has(FileBounds::PINS, 1_000_000, 600 << 20, 5_000_000));
    }

    #[test]
    fn messages_are_counted_only_where_it_matters_and_once() {
        let mut counted = 0;
        let mut room = ReadLimit::new(FileBounds::LIST, || {
            counted += 1;
            Ok(10)
        });
        assert!(room.has(16 << 20, 200_000).unwrap());
        assert!(room.messages.is_some(), "not yet");
        assert!(!room.has(17 << 20, 0).unwrap());
        assert!(!room.has(18 << 20, 0).unwrap());
        assert_eq!(counted, 1);
    }
}

//! A message's octets, counted once, and how to see that its file is still the counted one.

use std::fs::File;
use std::io::{self, Read};

use rustix::fs::{FileType, Stat, fstat};

use super::stamp::Moment;
use crate::pop3::Octets;

/// Octets read at a time.
const BLOCK: usize = 64 * 1024;

/// How often a file that grows while it is counted is counted again.
const ROUNDS: usize = 3;

/// The state of a file in which its octets were counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct FileState {
    pub(super) inode: u64,
    /// Octets on disk, not on the wire.
    pub(super) size: u64,
    pub(super) modified: Moment,
}

impl FileState {
    /// None if it is no regular file.
    pub(super) fn of(stat: &Stat) -> Option<Self> {
        let size = u64::try_from(stat.st_size).ok()?;
        let regular = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
        regular.then(|| Self { inode: stat.st_ino, size, modified: Moment::modified(stat) })
    }
}

/// Reads a message once and counts its octets as RETR sends them. None if it is no regular file.
pub(super) fn count(mut file: &File) -> io::Result<Option<(u64, FileState)>> {
    let mut block = vec![0; BLOCK];
    let Some(mut before) = FileState::of(&fstat(file)?) else { return Ok(None) };
    let mut total = 0;
    for _ in 0..ROUNDS {
        total = count_once(file, &mut block)?;
        let Some(after) = FileState::of(&fstat(file)?) else { return Ok(None) };
        if after == before {
            break;
        }
        before = after;
        io::Seek::rewind(&mut file)?;
    }
    Ok(Some((total, before)))
}

fn count_once(mut file: &File, block: &mut [u8]) -> io::Result<u64> {
    let mut octets = Octets::default();
    loop {
        match file.read(block) {
            Ok(0) => return Ok(octets.total()),
            Ok(length) => octets.push(block.get(..length).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

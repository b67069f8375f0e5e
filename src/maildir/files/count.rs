//! Counting a message's octets, once; and the state of its file, which shows later whether it is still the file that
//! was counted. The rule of line ends is [`crate::pop3::Octets`]; the size of a wrapped message follows from these
//! octets (`snapshot::surrogates`).

use std::fs::File;
use std::io::{self, Read, Seek as _};

use rustix::fs::{FileType, Stat, fstat};

use super::compressed::{Compression, MARK};
use super::stamp::Moment;
use crate::maildir::fault::NoMail;
use crate::pop3::Octets;

/// Octets read at a time.
const BLOCK: usize = 64 * 1024;

/// The same for the smallest files: what is compressed becomes more.
const LEAST_BLOCK: usize = 4 * 1024;

/// How often a file that changes while it is counted is counted again.
const ROUNDS: usize = 3;

/// The state of a file in which its octets were counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::maildir) struct FileState {
    pub(in crate::maildir) inode: u64,
    /// Octets on disk, not on the wire.
    pub(in crate::maildir) size: u64,
    pub(in crate::maildir) modified: Moment,
}

impl FileState {
    /// None if it is not a regular file.
    pub(in crate::maildir) fn of(stat: &Stat) -> Option<Self> {
        let size = u64::try_from(stat.st_size).ok()?;
        let regular = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
        regular.then(|| Self { inode: stat.st_ino, size, modified: Moment::modified(stat) })
    }
}

/// The result of counting a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::maildir) enum Counted {
    /// A message: its octets as RETR sends them, and the state of its file.
    Mail(u64, FileState),
    /// A file in this state cannot be read as mail.
    NoMail(NoMail, FileState),
}

/// Reads a message once and counts its octets as RETR sends them: of a compressed one those of the message within. None
/// if it is not a regular file. `largest`: octets of the largest message; a file that is larger is not read.
pub(in crate::maildir) fn count(mut file: &File, largest: u64) -> io::Result<Option<Counted>> {
    let Some(mut before) = FileState::of(&fstat(file)?) else { return Ok(None) };
    // Most messages are small, and a large block takes longer to clear than they take to be read.
    let mut block = vec![0; usize::try_from(before.size).unwrap_or(BLOCK).clamp(LEAST_BLOCK, BLOCK)];
    let mut total = Ok(0);
    for _ in 0..ROUNDS {
        total = match count_once(file, &mut block, before.size, largest) {
            Ok(total) => Ok(total),
            Err(error) => Err(NoMail::of(&error).ok_or(error)?),
        };
        let Some(after) = FileState::of(&fstat(file)?) else { return Ok(None) };
        if after == before {
            break;
        }
        before = after;
        file.rewind()?;
    }
    Ok(Some(match total {
        Ok(octets) => Counted::Mail(octets, before),
        Err(why) => Counted::NoMail(why, before),
    }))
}

fn count_once(mut file: &File, block: &mut [u8], size: u64, largest: u64) -> io::Result<u64> {
    if size > largest {
        return Err(NoMail::TooLarge.into());
    }
    let (mut octets, mut length) = (Octets::default(), read(&mut file, block)?);
    let beginning = block.get(..length).unwrap_or_default();
    let form = if length < MARK { Compression::look(file)? } else { Compression::of(beginning) };
    if form != Compression::Plain {
        file.rewind()?;
        return count_content(&mut form.content(file, largest)?, block);
    }
    let mut total = 0;
    while length > 0 {
        octets.push(block.get(..length).unwrap_or_default());
        total += length as u64;
        if total > largest {
            return Err(NoMail::TooLarge.into());
        }
        // The state of the file afterwards shows whether it has grown meanwhile.
        length = if total == size { 0 } else { read(&mut file, block)? };
    }
    Ok(octets.total())
}

fn count_content(content: &mut impl Read, block: &mut [u8]) -> io::Result<u64> {
    let mut octets = Octets::default();
    loop {
        match read(content, block)? {
            0 => return Ok(octets.total()),
            length => octets.push(block.get(..length).unwrap_or_default()),
        }
    }
}

/// Reads once, however often that is interrupted.
pub(in crate::maildir) fn read(content: &mut impl Read, block: &mut [u8]) -> io::Result<usize> {
    loop {
        match content.read(block) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// Requires that a file, whose position is its beginning, can be read as mail.
pub(in crate::maildir) fn require_mail(file: &File, largest: u64) -> io::Result<()> {
    match FileState::of(&fstat(file)?) {
        Some(state) if state.size > largest => Err(NoMail::TooLarge.into()),
        Some(_) => Compression::look(file)?.verify(file, largest),
        None => Ok(()),
    }
}

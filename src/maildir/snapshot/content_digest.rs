//! A digest of a file's content, which distinguishes files that share a name.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};
use rustix::fs::{AtFlags, StatxFlags, fstat, statx};
use rustix::io::Errno;

use crate::maildir::files::{FileState, KEY_SEPARATOR, MessageFile, Moment, Parts};

/// How often a file that others move is followed.
const TRIES: usize = 20;

/// How often a file must be missing from the names to count as gone.
const ABSENCES: usize = 3;

/// Of a longer message only this many octets are read, and it is never considered the same as another.
const LARGEST: u64 = 64 << 20;

/// Octets read at a time.
const BLOCK: usize = 64 * 1024;

/// Octets of a digest in a key.
const DIGEST: usize = 16;

/// The content of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::maildir) struct ContentDigest {
    pub(in crate::maildir) state: FileState,
    pub(super) digest: [u8; DIGEST],
    pub(super) is_whole: bool,
    /// When the file was created, which no program can change; none if the file system does not record it.
    pub(super) birth_time: Option<Moment>,
}

/// Known contents, by inode as in the directory.
pub(in crate::maildir) type ContentDigests = HashMap<u64, ContentDigest>;

/// A further file of a message, with the same octets.
#[derive(Clone, Debug)]
pub(in crate::maildir) struct DuplicateFile {
    pub(in crate::maildir) found: MessageFile,
    /// The state in which its octets were compared.
    pub(in crate::maildir) state: FileState,
}

/// The key of a message's pin: its base name without `,U=<n>`, and its content. If it cannot be read, its inode is used
/// instead.
pub(super) fn key_of(found: &MessageFile, content: Option<&ContentDigest>) -> Box<[u8]> {
    let mut key = found.identity().into_owned();
    key.push(KEY_SEPARATOR);
    match content {
        Some(content) => {
            let digit = |value: u8| b"0123456789abcdef".get(usize::from(value)).copied().unwrap_or_default();
            key.extend(content.digest.iter().flat_map(|octet| [digit(octet >> 4), digit(octet & 15)]));
        }
        None => key.extend_from_slice(format!("inode-{}", found.inode).as_bytes()),
    }
    key.into()
}

/// A message's file, wherever it is now. None if it is gone.
pub(super) fn opened(parts: &Parts, found: &MessageFile) -> io::Result<Option<File>> {
    if let Some(file) = open(parts, found)?
        && parts.is_file_of(found, fstat(&file)?.st_ino)?
    {
        return Ok(Some(file));
    }
    let mut absences = 0;
    for _ in 0..TRIES {
        let (mut file, mut is_there) = (Ok(None), false);
        parts.each(|now| {
            if matches!(file, Ok(None)) && now.is_same_message(found) {
                let opened = open(parts, &now)?;
                is_there = true;
                file = Ok(match opened {
                    Some(file) if is_listed_file(&file, found)? => Some(file),
                    _ => None,
                });
            }
            Ok(())
        })?;
        match file {
            Ok(None) if is_there => {}
            // A single reading of names that others change may miss it.
            Ok(None) if absences < ABSENCES || parts.names(Duration::ZERO)?.has(found) => absences += 1,
            file => return file,
        }
    }
    Err(io::Error::other(format!("{}: elsewhere whenever it was looked for", found.path().display())))
}

/// Whether a file is the one that was listed, and not another one that has its name now: messages with the same base
/// name may get each other's names.
fn is_listed_file(file: &File, found: &MessageFile) -> io::Result<bool> {
    Ok(found.inode == 0 || fstat(file)?.st_ino == found.inode)
}

fn open(parts: &Parts, found: &MessageFile) -> io::Result<Option<File>> {
    match parts.open_file(found) {
        Ok(file) => Ok(Some(file)),
        Err(Errno::NOENT | Errno::LOOP | Errno::NXIO) => Ok(None),
        Err(errno) => Err(errno.into()),
    }
}

pub(super) fn read(file: &File, state: FileState) -> io::Result<ContentDigest> {
    let (mut context, mut block) = (Context::new(&SHA256), vec![0; BLOCK]);
    let mut limited = file.take(LARGEST);
    loop {
        match limited.read(&mut block) {
            Ok(0) => break,
            Ok(length) => context.update(block.get(..length).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let mut digest = [0; DIGEST];
    digest.iter_mut().zip(context.finish().as_ref()).for_each(|(to, from)| *to = *from);
    Ok(ContentDigest { state, digest, is_whole: state.size < LARGEST, birth_time: birth_time(file) })
}

/// When a file was created, if its file system records it.
fn birth_time(file: &File) -> Option<Moment> {
    let answer = statx(file, c"", AtFlags::EMPTY_PATH, StatxFlags::BTIME).ok()?;
    let is_known = answer.stx_mask & StatxFlags::BTIME.bits() != 0;
    is_known.then(|| Moment::at(answer.stx_btime.tv_sec, answer.stx_btime.tv_nsec))
}

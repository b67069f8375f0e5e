//! What clients that did not send UTF8 are offered instead of messages with octets beyond ASCII in their header.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::sync::Arc;

use rustix::fs::fstat;
use rustix::io::Errno;

use super::entry::SnapshotEntry;
use crate::maildir::fault::{NoMail, concerns_one_file};
use crate::maildir::files::{Compression, FileState, MessageFile, MovingKey, Parts, file_name};
use crate::pop3::{Listed, Messages, UniqueId, has_whole_header, surrogate_header, surrogate_octets};

/// The messages of a snapshot as such clients see them.
#[derive(Debug)]
pub(in crate::maildir) struct Surrogates {
    /// For each message the octets of its surrogate's header; 0 if it needs none, or [`NOT_READ`].
    headers: Arc<[u64]>,
    pub(in crate::maildir) listed: Arc<Messages>,
}

/// The headers that were read before, by file.
pub(in crate::maildir) struct KnownHeaders<'a>(HashMap<HeaderKey<'a>, u64>);

/// Which file was read: its inode, its name, and the state in which it was counted, since it may be changed in place.
type HeaderKey<'a> = (u64, Cow<'a, [u8]>, Option<FileState>);

/// A header that could not be read: its message is offered unwrapped, and read again at the next change.
const NOT_READ: u64 = u64::MAX;

/// Octets read of a message at a time.
const BLOCK: u64 = 8 * 1024;

impl<'a> KnownHeaders<'a> {
    /// From the entries of an earlier snapshot, and its surrogates.
    pub(in crate::maildir) fn of(earlier: Option<(&'a [SnapshotEntry], &'a Surrogates)>) -> Self {
        let pairs = earlier.into_iter().flat_map(|(entries, known)| entries.iter().zip(known.headers.iter()));
        let read = pairs.filter(|(_, header)| **header != NOT_READ);
        Self(read.map(|(entry, header)| (file(entry), *header)).collect())
    }
}

fn file(entry: &SnapshotEntry) -> HeaderKey<'_> {
    (entry.found.inode, file_name::stem(entry.found.base()), entry.counted)
}

impl Surrogates {
    /// Reads the headers that were not read before, and follows messages that others move. A message that cannot be
    /// read, or is gone, is offered unwrapped. `largest`: octets of the largest message.
    pub(in crate::maildir) fn look(
        (entries, listed): (&[SnapshotEntry], &Messages),
        read: &KnownHeaders<'_>,
        largest: u64,
        parts: &Parts,
    ) -> io::Result<Self> {
        let mut headers = Vec::with_capacity(entries.len());
        let mut moved = HashMap::new();
        for (index, entry) in entries.iter().enumerate() {
            let header = match read.0.get(&file(entry)) {
                Some(header) => Some(*header),
                None if entry.no_mail.is_some() => Some(0),
                None => header_of(parts, &entry.found, largest)?,
            };
            if header.is_none() {
                moved.insert(entry.found.moving_key(), index);
            }
            headers.push(header.unwrap_or(NOT_READ));
        }
        for (index, header) in follow(parts, moved, largest)? {
            if let Some(place) = headers.get_mut(index) {
                *place = header;
            }
        }
        let listed = listed.iter().zip(&headers).map(|(listed, header)| offered(listed, *header));
        Ok(Self { listed: Arc::new(listed.collect()), headers: headers.into() })
    }

    /// Whether a message is offered by its surrogate.
    pub(in crate::maildir) fn has(&self, index: usize) -> bool {
        self.headers.get(index).is_some_and(|header| is_wrapped(*header))
    }

    /// The same with the unique-ids that changed, by index.
    pub(super) fn renewed(&self, changed: &HashMap<usize, UniqueId>) -> Self {
        Self { headers: Arc::clone(&self.headers), listed: renewed(&self.listed, changed) }
    }

    /// Octets of memory that they take at most.
    pub(super) fn memory(&self) -> usize {
        size_of_val(&*self.headers) + self.listed.memory()
    }
}

fn offered(listed: &Listed, header: u64) -> Listed {
    let octets = if is_wrapped(header) { surrogate_octets(header, listed.octets) } else { listed.octets };
    Listed { octets, unique_id: listed.unique_id.clone() }
}

fn is_wrapped(header: u64) -> bool {
    header != 0 && header != NOT_READ
}

/// Searches the names for messages that have moved, and reads the header of each as soon as its name is found; by the
/// given indices.
fn follow(parts: &Parts, mut moved: HashMap<MovingKey, usize>, largest: u64) -> io::Result<HashMap<usize, u64>> {
    /// How often the names are searched, and in how many searches in a row none of the messages may be found before all
    /// count as gone.
    const PASSES: usize = 60;
    const ABSENCES: usize = 3;
    let (mut headers, mut absences) = (HashMap::new(), 0);
    for _ in 0..PASSES {
        if moved.is_empty() || absences == ABSENCES {
            break;
        }
        absences += 1;
        parts.each(|found| {
            let key = found.moving_key();
            let Some(index) = moved.get(&key).copied() else { return Ok(()) };
            absences = 0;
            if let Some(header) = header_of(parts, &found, largest)? {
                headers.insert(index, header);
                moved.remove(&key);
            }
            Ok(())
        })?;
    }
    Ok(headers)
}

/// The octets of the header of a message's surrogate. None if its file is gone.
fn header_of(parts: &Parts, found: &MessageFile, largest: u64) -> io::Result<Option<u64>> {
    match parts.open_file(found) {
        // Messages of one base name may get each other's names.
        Ok(file) if !parts.is_file_of(found, fstat(&file)?.st_ino)? => Ok(None),
        Ok(file) => header(&file, largest).map(Some),
        Err(Errno::NOENT) => Ok(None),
        Err(Errno::LOOP | Errno::NXIO) => Ok(Some(NOT_READ)),
        Err(errno) if concerns_one_file(&errno.into()) => Ok(Some(NOT_READ)),
        Err(errno) => Err(errno.into()),
    }
}

/// The octets of the surrogate's header; 0 if the message's own is ASCII, or the file is not mail.
fn header(file: &File, largest: u64) -> io::Result<u64> {
    let content = Compression::look(file).and_then(|form| form.content(file, largest));
    let beginning = content.and_then(|mut content| whole_header(&mut content));
    match beginning {
        Ok(beginning) => Ok(surrogate_header(&beginning).map_or(0, |header| header.len() as u64)),
        Err(error) if NoMail::of(&error).is_some() => Ok(0),
        Err(error) if concerns_one_file(&error) => Ok(NOT_READ),
        Err(error) => Err(error),
    }
}

fn whole_header(content: &mut impl io::Read) -> io::Result<Vec<u8>> {
    let mut beginning = Vec::new();
    while !has_whole_header(&beginning) {
        if content.take(BLOCK).read_to_end(&mut beginning)? == 0 {
            break;
        }
    }
    Ok(beginning)
}

/// The same messages with the unique-ids that changed, by index.
pub(super) fn renewed(listed: &Arc<Messages>, changed: &HashMap<usize, UniqueId>) -> Arc<Messages> {
    if changed.is_empty() {
        return Arc::clone(listed);
    }
    let renewed = |(index, message): (usize, &Listed)| {
        let unique_id = changed.get(&index).unwrap_or(&message.unique_id).clone();
        Listed { octets: message.octets, unique_id }
    };
    Arc::new(listed.iter().enumerate().map(renewed).collect())
}

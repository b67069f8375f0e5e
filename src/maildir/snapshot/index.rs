//! The index beside the mail: sizes that were found by reading messages, so that they survive a restart.
//!
//! It is only a cache. Deleting it costs time; an entry is used only if its file is still the one that was counted. Its
//! format, with numbers in little-endian order:
//!
//! ```text
//! "restante-index"  version: 2   messages: 8
//! for each message, in the order of the maildrop:
//!     octets on the wire: 8   inode: 8   inode as in the directory: 8   size: 8   modified: 8
//!     length of its name: 2   its base name without ,U= ,S= ,W=
//! SHA-256 of all of it: 32
//! ```

use std::collections::HashMap;
use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};

use crate::maildir::files::{FileState, Moment};

const MAGIC: &[u8] = b"restante-index";
/// In version 1, compressed files were counted as they are on disk.
const VERSION: u16 = 2;
const SUM: usize = 32;

/// What the index says about a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::maildir) struct IndexedSize {
    /// As RETR sends them.
    pub(in crate::maildir) octets: u64,
    /// The state of its file when they were counted.
    pub(in crate::maildir) state: FileState,
    /// Its file's inode as in the directory, which differs on some file systems from that of `stat`.
    pub(in crate::maildir) inode: u64,
}

/// The sizes of messages, by base name without `,U=`, `,S=`, `,W=`, and by the file's inode as in the directory, since
/// several files may have one name.
pub(in crate::maildir) struct SizeIndex<'a> {
    by_file: HashMap<(&'a [u8], u64), IndexedSize>,
}

/// Why octets are not an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::maildir) enum IndexFault {
    /// Not an index at all.
    Foreign,
    /// An index of another version.
    Version(u16),
    /// Damaged.
    Damaged,
}

impl<'a> SizeIndex<'a> {
    /// Parses an index; all of it must be valid.
    pub(in crate::maildir) fn read(octets: &'a [u8]) -> Result<Self, IndexFault> {
        let behind = octets.strip_prefix(MAGIC).ok_or(IndexFault::Foreign)?;
        let (version, _) = behind.split_first_chunk().ok_or(IndexFault::Damaged)?;
        let version = u16::from_le_bytes(*version);
        if version != VERSION {
            return Err(IndexFault::Version(version));
        }
        let (content, sum) = octets.split_last_chunk::<SUM>().ok_or(IndexFault::Damaged)?;
        if digest(&SHA256, content).as_ref() != sum {
            return Err(IndexFault::Damaged);
        }
        let rest = content.get(MAGIC.len() + size_of::<u16>()..).unwrap_or_default();
        Self::messages(rest).ok_or(IndexFault::Damaged)
    }

    /// The entry of the message with this name and inode.
    pub(in crate::maildir) fn get(&self, stem: &[u8], inode: u64) -> Option<IndexedSize> {
        self.by_file.get(&(stem, inode)).copied()
    }

    /// The inodes of all indexed files.
    pub(super) fn inodes(&self) -> impl Iterator<Item = u64> {
        self.by_file.keys().map(|(_, inode)| *inode)
    }

    fn messages(mut rest: &'a [u8]) -> Option<Self> {
        let count = number(&mut rest)?;
        // At most as many as fit in these octets, whatever number they claim.
        let most = rest.len() / (5 * size_of::<u64>());
        let mut by_file = HashMap::with_capacity(usize::try_from(count).map_or(most, |count| count.min(most)));
        for _ in 0..count {
            let indexed = IndexedSize::read(&mut rest)?;
            let (length, behind) = rest.split_first_chunk()?;
            let (stem, behind) = behind.split_at_checked(u16::from_le_bytes(*length).into())?;
            rest = behind;
            by_file.insert((stem, indexed.inode), indexed);
        }
        rest.is_empty().then_some(Self { by_file })
    }
}

/// The octets of an index of these messages.
pub(super) fn write<'a>(messages: impl Iterator<Item = (impl AsRef<[u8]> + 'a, IndexedSize)>) -> Vec<u8> {
    let mut octets = MAGIC.to_vec();
    octets.extend_from_slice(&VERSION.to_le_bytes());
    let at = octets.len();
    octets.extend_from_slice(&0_u64.to_le_bytes());
    let mut count = 0_u64;
    for (stem, indexed) in messages {
        let stem = stem.as_ref();
        let Ok(length) = u16::try_from(stem.len()) else { continue };
        indexed.write(&mut octets);
        octets.extend_from_slice(&length.to_le_bytes());
        octets.extend_from_slice(stem);
        count += 1;
    }
    if let Some(place) = octets.get_mut(at..at + size_of::<u64>()) {
        place.copy_from_slice(&count.to_le_bytes());
    }
    let sum = digest(&SHA256, &octets);
    octets.extend_from_slice(sum.as_ref());
    octets
}

impl IndexedSize {
    fn read(rest: &mut &[u8]) -> Option<Self> {
        let (octets, inode, listed_inode) = (number(rest)?, number(rest)?, number(rest)?);
        let (size, modified) = (number(rest)?, Moment::of_nanoseconds(number(rest)?.cast_signed()));
        Some(Self { octets, state: FileState { inode, size, modified }, inode: listed_inode })
    }

    fn write(&self, to: &mut Vec<u8>) {
        let FileState { inode, size, modified } = self.state;
        for number in [self.octets, inode, self.inode, size, modified.nanoseconds().cast_unsigned()] {
            to.extend_from_slice(&number.to_le_bytes());
        }
    }
}

fn number(rest: &mut &[u8]) -> Option<u64> {
    let (octets, behind) = rest.split_first_chunk()?;
    *rest = behind;
    Some(u64::from_le_bytes(*octets))
}

impl fmt::Display for IndexFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign => f.write_str("it is no index"),
            Self::Version(version) => write!(f, "it is an index of version {version}, and this is {VERSION}"),
            Self::Damaged => f.write_str("it is damaged"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn indexed(octets: u64, modified: i64) -> IndexedSize {
        let state = FileState { inode: octets ^ 7, size: octets / 2, modified: Moment::of_nanoseconds(modified) };
        IndexedSize { octets, state, inode: octets }
    }

    fn fault(octets: &[u8]) -> IndexFault {
        SizeIndex::read(octets).map(drop).unwrap_err()
    }

    #[test]
    fn what_is_no_index_is_told_apart() {
        let right = write([("1.a", indexed(3, -1))].into_iter());
        assert_eq!(fault(b""), IndexFault::Foreign);
        assert_eq!(fault(b"dovecot-uidlist"), IndexFault::Foreign);
        assert_eq!(fault(MAGIC), IndexFault::Damaged);
        let mut other = right.clone();
        other[MAGIC.len()] = 1;
        assert_eq!(fault(&other), IndexFault::Version(1));
        for length in MAGIC.len() + 2..right.len() {
            assert_eq!(fault(&right[..length]), IndexFault::Damaged, "cut at {length}");
        }
        for at in MAGIC.len() + 2..right.len() {
            let mut wrong = right.clone();
            wrong[at] ^= 1;
            assert_eq!(fault(&wrong), IndexFault::Damaged, "changed at {at}");
        }
    }

    #[test]
    fn a_sum_that_is_right_makes_no_index_right() {
        let mut octets = [MAGIC, &VERSION.to_le_bytes(), &u64::MAX.to_le_bytes(), &[0; 100]].concat();
        octets.extend_from_slice(digest(&SHA256, &octets.clone()).as_ref());
        assert_eq!(fault(&octets), IndexFault::Damaged);
    }

    proptest! {
        #[test]
        fn what_was_noted_is_read_again(messages: HashMap<Vec<u8>, (u64, i64)>) {
            let all = messages.iter().map(|(stem, (octets, modified))| (stem, indexed(*octets, *modified)));
            let octets = write(all.clone());
            let index = SizeIndex::read(&octets).unwrap();
            prop_assert_eq!(index.by_file.len(), messages.len());
            for (stem, indexed) in all {
                prop_assert_eq!(index.get(stem, indexed.inode), Some(indexed));
            }
        }
    }
}

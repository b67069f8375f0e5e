//! A maildrop as it was at one moment: the messages in order, their octets and unique-ids.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use super::count::FileState;
use super::fault::EnterFault;
use super::index::{self, Index, Noted};
use super::name;
use super::scan::{Found, Names};
use super::stamp::Stamps;
use super::surrogates::Surrogates;
use super::unique;
use crate::pop3::{Listed, Messages, UniqueId};

/// A message's file, and in which state it was counted; none if its octets were believed from its name.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) found: Found,
    pub(super) counted: Option<FileState>,
    /// The index beside the mail has it, unless somebody else has written another one since.
    noted: bool,
}

/// How many octets a message has, and how that is known.
#[derive(Clone, Copy)]
struct Size {
    octets: u64,
    counted: Option<FileState>,
    noted: bool,
}

impl Size {
    fn counted(octets: u64, state: FileState) -> Self {
        Self { octets, counted: Some(state), noted: false }
    }
}

/// What sessions share; `entries` and `listed` go in step.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub(super) listed: Arc<Messages>,
    pub(super) entries: Box<[Entry]>,
    pub(super) stamps: Stamps,
    /// It lies on local file systems, which answer from memory what they have in memory.
    pub(super) local: bool,
    /// While the stamps stay as they are, nothing has changed.
    pub(super) settled: bool,
    /// Something else than messages lies in the Maildir, and the log has told.
    pub(super) odd: bool,
    /// What clients that did not say UTF8 are offered, if that may be something else.
    pub(super) surrogates: Option<Surrogates>,
}

/// What a session found out about a message's octets after they were told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mend {
    /// So many were sent, from a file in this state.
    Sent(u64, FileState),
    /// The file is no longer the counted one.
    Forget,
}

/// What is known of the messages before their files are opened.
pub(super) struct Known<'a> {
    by_stem: HashMap<Cow<'a, [u8]>, (&'a Entry, &'a Listed)>,
    mends: &'a HashMap<Box<[u8]>, Mend>,
    index: Option<&'a Index<'a>>,
}

impl<'a> Known<'a> {
    pub(super) fn new(earlier: Option<&'a Snapshot>, mends: &'a HashMap<Box<[u8]>, Mend>) -> Self {
        let pairs = earlier.iter().flat_map(|snapshot| snapshot.entries.iter().zip(snapshot.listed.iter()));
        let by_stem = pairs.map(|(entry, listed)| (name::stem(entry.found.base()), (entry, listed))).collect();
        Self { by_stem, mends, index: None }
    }

    /// Besides, what the index says.
    pub(super) fn and(self, index: Option<&'a Index<'a>>) -> Self {
        Self { index, ..self }
    }

    fn size(&self, found: &Found) -> Option<Size> {
        match self.mends.get(&*found.identity()) {
            Some(Mend::Sent(octets, state)) => return Some(Size::counted(*octets, *state)),
            Some(Mend::Forget) => return None,
            None => {}
        }
        let Some((Entry { counted, noted, .. }, listed)) = self.same_file(found) else { return self.noted(found) };
        counted.map(|state| Size { octets: listed.octets, counted: Some(state), noted: *noted })
    }

    fn noted(&self, found: &Found) -> Option<Size> {
        let noted = self.index?.get(&name::stem(found.base())).filter(|noted| noted.inode == found.inode)?;
        Some(Size { octets: noted.octets, counted: Some(noted.state), noted: true })
    }

    fn unique_id(&self, found: &Found) -> Option<&'a UniqueId> {
        let (entry, listed) = self.same_file(found)?;
        (entry.found.identity() == found.identity()).then_some(&listed.unique_id)
    }

    fn same_file(&self, found: &Found) -> Option<(&'a Entry, &'a Listed)> {
        let pair = self.by_stem.get(&name::stem(found.base())).copied();
        pair.filter(|(entry, _)| entry.found.inode == found.inode)
    }
}

impl Snapshot {
    /// A Maildir that was never made.
    pub(super) fn empty() -> Self {
        let stamps = Stamps { new: None, cur: None };
        Self {
            listed: Arc::new(Messages::from_iter([])),
            entries: Box::new([]),
            stamps,
            local: false,
            settled: false,
            odd: false,
            surrogates: None,
        }
    }

    /// Octets of memory that it takes at most.
    pub(super) fn memory(&self) -> usize {
        /// What the allocator adds to each name.
        const OVERHEAD: usize = 16;
        let names: usize = self.entries.iter().map(|entry| entry.found.name.len() + OVERHEAD).sum();
        let surrogates = self.surrogates.as_ref().map_or(0, Surrogates::memory);
        size_of::<Self>() + names + size_of_val(&*self.entries) + self.listed.memory() + surrogates
    }

    /// Puts a snapshot together. `count` opens a file and counts it, if neither an earlier snapshot nor its name tells
    /// the octets; messages for which it finds no file are left out, and then the snapshot is not settled.
    pub(super) fn build(
        names: Names,
        known: &Known<'_>,
        mut count: impl FnMut(&Found) -> Result<Option<(u64, FileState)>, EnterFault>,
    ) -> Result<(Self, Left), EnterFault> {
        let mut entries = Vec::with_capacity(names.found.len());
        let mut octets = Vec::with_capacity(names.found.len());
        let mut left = Left::None;
        for found in names.found {
            let told = || name::told_octets(found.base()).map(|octets| Size { octets, counted: None, noted: false });
            let size = match known.size(&found).or_else(told) {
                Some(size) => Some(size),
                None => count(&found)?.map(|(octets, state)| Size::counted(octets, state)),
            };
            let Some(size) = size else {
                left = Left::Some;
                continue;
            };
            entries.push(Entry { found, counted: size.counted, noted: size.noted });
            octets.push(size.octets);
        }
        let unique_ids = unique_ids(&entries, known);
        let listed = octets.into_iter().zip(unique_ids).map(|(octets, unique_id)| Listed { octets, unique_id });
        let listed = Arc::new(listed.collect());
        let settled = names.settled && left == Left::None;
        let odd = names.odd.is_some();
        let (stamps, local) = (names.stamps, names.local);
        let entries = entries.into();
        Ok((Self { listed, entries, stamps, local, settled, odd, surrogates: None }, left))
    }
}

/// What the index takes of a snapshot, and what it saves.
impl Snapshot {
    /// Whether to find out again what is not noted would cost more than to note it. A message costs an `open` and the
    /// reading, the index its writing whole: a few new messages, which their reader soon deletes, are not worth it.
    pub(super) fn is_worth_noting(&self) -> bool {
        /// Microseconds: to open and read one message, for each so many octets of it, to write an index, and for each so
        /// many messages in it.
        const OPEN: u64 = 20;
        const OCTETS: u64 = 2000;
        const WRITE: u64 = 200;
        const MESSAGES: u64 = 5;
        const WORTH: u64 = 4;
        let (mut again, mut messages) = (0_u64, 0);
        for (entry, listed) in self.entries.iter().zip(self.listed.iter()).filter(|(entry, _)| entry.counted.is_some())
        {
            again += if entry.noted { 0 } else { OPEN + listed.octets / OCTETS };
            messages += 1;
        }
        again > WORTH * (WRITE + messages / MESSAGES)
    }

    /// Whether anything was counted that the index does not have.
    pub(super) fn has_news(&self) -> bool {
        self.entries.iter().any(|entry| entry.counted.is_some() && !entry.noted)
    }

    /// The octets of an index of these messages: of those that were counted.
    pub(super) fn index(&self) -> Vec<u8> {
        let pairs = self.entries.iter().zip(self.listed.iter());
        index::write(pairs.filter_map(|(Entry { found, counted, .. }, listed)| {
            let noted = Noted { octets: listed.octets, state: (*counted)?, inode: found.inode };
            Some((name::stem(found.base()), noted))
        }))
    }

    /// The index was written.
    pub(super) fn set_noted(&mut self) {
        for entry in &mut self.entries {
            entry.noted = entry.counted.is_some();
        }
    }
}

/// Whether messages were left out because their files were not where their names had been read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    None,
    Some,
}

fn unique_ids(entries: &[Entry], known: &Known<'_>) -> Vec<UniqueId> {
    let same = |one: Option<&Entry>, found: &Found| one.is_some_and(|one| one.found.order(found) == Ordering::Equal);
    let mut before = None;
    let mut unique_ids = Vec::with_capacity(entries.len());
    for (entry, next) in entries.iter().zip(entries.iter().skip(1).map(Some).chain([None])) {
        let found = &entry.found;
        unique_ids.push(if same(before, found) {
            unique::hashed(found.base())
        } else if same(next, found) {
            unique::plain(&found.identity())
        } else {
            known.unique_id(found).cloned().unwrap_or_else(|| unique::plain(&found.identity()))
        });
        before = Some(entry);
    }
    unique_ids
}

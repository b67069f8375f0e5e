//! A maildrop as it was at one moment: the messages in order, their octets and unique-ids.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use super::count::FileState;
use super::fault::EnterFault;
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
}

/// What sessions share; `entries` and `listed` go in step.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub(super) listed: Arc<Messages>,
    pub(super) entries: Box<[Entry]>,
    pub(super) stamps: Stamps,
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
}

impl<'a> Known<'a> {
    pub(super) fn new(earlier: Option<&'a Snapshot>, mends: &'a HashMap<Box<[u8]>, Mend>) -> Self {
        let pairs = earlier.iter().flat_map(|snapshot| snapshot.entries.iter().zip(snapshot.listed.iter()));
        let by_stem = pairs.map(|(entry, listed)| (name::stem(entry.found.base()), (entry, listed))).collect();
        Self { by_stem, mends }
    }

    fn octets(&self, found: &Found) -> Option<(u64, FileState)> {
        match self.mends.get(&*found.identity()) {
            Some(Mend::Sent(octets, state)) => return Some((*octets, *state)),
            Some(Mend::Forget) => return None,
            None => {}
        }
        let (entry, listed) = self.same_file(found)?;
        entry.counted.map(|state| (listed.octets, state))
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
        count: impl Fn(&Found) -> Result<Option<(u64, FileState)>, EnterFault>,
    ) -> Result<(Self, Left), EnterFault> {
        let mut entries = Vec::with_capacity(names.found.len());
        let mut octets = Vec::with_capacity(names.found.len());
        let mut left = Left::None;
        for found in names.found {
            let told = || name::told_octets(found.base()).map(|octets| (octets, None));
            let size = known.octets(&found).map(|(octets, state)| (octets, Some(state))).or_else(told);
            let size = match size {
                Some(size) => Some(size),
                None => count(&found)?.map(|(octets, state)| (octets, Some(state))),
            };
            let Some((size, counted)) = size else {
                left = Left::Some;
                continue;
            };
            entries.push(Entry { found, counted });
            octets.push(size);
        }
        let unique_ids = unique_ids(&entries, known);
        let listed = octets.into_iter().zip(unique_ids).map(|(octets, unique_id)| Listed { octets, unique_id });
        let listed = Arc::new(listed.collect());
        let settled = names.settled && left == Left::None;
        let odd = names.odd.is_some();
        Ok((Self { listed, entries: entries.into(), stamps: names.stamps, settled, odd, surrogates: None }, left))
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

//! A maildrop as it was at one moment: the messages in order, their octets and unique-ids.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use super::count::FileState;
use super::fault::EnterFault;
use super::ids::Ids;
use super::name;
use super::scan::{Found, Names};
use super::settle::Settlement;
use super::stamp::Stamps;
use super::surrogates::Surrogates;
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
    pub(super) entries: Arc<[Entry]>,
    /// What the unique-ids were settled from, and which of them must be pinned before they are told.
    pub(super) ids: Ids,
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

    /// The unique-id that the message had.
    pub(super) fn unique_id(&self, found: &Found) -> Option<&'a UniqueId> {
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
            entries: Arc::new([]),
            ids: Ids::default(),
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
        let listed = self.listed.memory() + self.ids.memory();
        size_of::<Self>() + names + size_of_val(&*self.entries) + listed + surrogates
    }

    /// Puts a snapshot together from names whose messages are settled. `count` opens a file and counts it, if neither an
    /// earlier snapshot nor its name tells the octets; messages for which it finds no file are left out, and then the
    /// snapshot is not settled.
    pub(super) fn build(
        names: &Names,
        settlement: Settlement,
        mut ids: Ids,
        known: &Known<'_>,
        count: impl Fn(&Found) -> Result<Option<(u64, FileState)>, EnterFault>,
    ) -> Result<(Self, Left), EnterFault> {
        let mut entries = Vec::with_capacity(settlement.messages.len());
        let mut listed = Vec::with_capacity(settlement.messages.len());
        let mut left = Left::None;
        for message in settlement.messages {
            let found = message.found;
            let told = || name::told_octets(found.base()).map(|octets| (octets, None));
            let size = known.octets(&found).map(|(octets, state)| (octets, Some(state))).or_else(told);
            let size = match size {
                Some(size) => Some(size),
                None => count(&found)?.map(|(octets, state)| (octets, Some(state))),
            };
            let Some((octets, counted)) = size else {
                left = Left::Some;
                continue;
            };
            ids.note(entries.len(), message.has_twin, message.wish);
            entries.push(Entry { found, counted });
            listed.push(Listed { octets, unique_id: message.unique_id });
        }
        let settled = names.settled && left == Left::None;
        let (listed, stamps, odd) = (Arc::new(listed.into_iter().collect()), names.stamps, names.odd.is_some());
        Ok((Self { listed, entries: entries.into(), ids, stamps, settled, odd, surrogates: None }, left))
    }

    /// The same messages after some were pinned: with the unique-ids that changed, by index.
    pub(super) fn with_pins(&self, ids: Ids, changed: &HashMap<usize, UniqueId>) -> Self {
        Self {
            listed: renewed(&self.listed, changed),
            entries: Arc::clone(&self.entries),
            ids,
            stamps: self.stamps,
            settled: self.settled,
            odd: self.odd,
            surrogates: self.surrogates.as_ref().map(|surrogates| surrogates.renewed(changed)),
        }
    }
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

/// Whether messages were left out because their files were not where their names had been read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    None,
    Some,
}

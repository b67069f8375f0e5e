//! A maildrop as it was at one moment: the messages in order, their octets and unique-ids.

use std::collections::HashMap;
use std::sync::Arc;

use super::content_digest::{ContentDigests, DuplicateFile};
use super::entry::SnapshotEntry;
use super::index::{self, IndexedSize};
use super::surrogates::{Surrogates, renewed};
use crate::maildir::files::{MessageFile, Stamps, Validity, file_name};
use crate::maildir::mail_root::FileSystems;
use crate::maildir::unique_ids::UidState;
use crate::pop3::{Messages, UniqueId};

/// What sessions share; `entries` and `listed` correspond, index by index.
#[derive(Debug)]
pub(in crate::maildir) struct Snapshot {
    pub(in crate::maildir) listed: Arc<Messages>,
    pub(in crate::maildir) entries: Arc<[SnapshotEntry]>,
    /// What the unique-ids were assigned from, and which of them must be pinned before a client sees them.
    pub(in crate::maildir) ids: UidState,
    pub(in crate::maildir) stamps: Stamps,
    /// It is on local file systems, which serve cached data from memory.
    pub(in crate::maildir) local: bool,
    /// For how long the same stamps show that nothing has changed.
    pub(in crate::maildir) validity: Validity,
    /// The Maildir contains something other than messages, which has been logged.
    pub(in crate::maildir) odd: bool,
    /// What clients that did not send UTF8 are offered, if that may differ.
    pub(in crate::maildir) surrogates: Option<Surrogates>,
    /// The further files of messages, by index.
    pub(in crate::maildir) copies: Arc<HashMap<usize, Vec<DuplicateFile>>>,
    /// The contents that were read to distinguish messages that share a name.
    pub(in crate::maildir) contents: Arc<ContentDigests>,
}

impl Snapshot {
    /// A Maildir that was never made.
    pub(in crate::maildir) fn empty() -> Self {
        let stamps = Stamps { new: None, cur: None };
        Self {
            listed: Arc::new(Messages::from_iter([])),
            entries: Arc::new([]),
            ids: UidState::default(),
            stamps,
            local: false,
            validity: Validity::None,
            odd: false,
            surrogates: None,
            copies: Arc::default(),
            contents: Arc::default(),
        }
    }

    /// The file systems of other machines that contain `new` and `cur`.
    pub(in crate::maildir) fn file_systems(&self) -> FileSystems {
        let parts = [self.stamps.new, self.stamps.cur].into_iter().flatten();
        let remote = parts.filter(|_| !self.local).map(|stamp| FileSystems::remote(stamp.device()));
        remote.fold(FileSystems::default(), |all, one| all.and(&one))
    }

    /// Octets of memory that it takes at most.
    pub(super) fn memory(&self) -> usize {
        /// What the allocator adds to each name.
        const OVERHEAD: usize = 16;
        /// What a message that shares its name with another takes.
        const SHARED_NAME: usize = 512;
        let names: usize = self.entries.iter().map(|entry| entry.found.name.len() + OVERHEAD).sum();
        let surrogates = self.surrogates.as_ref().map_or(0, Surrogates::memory);
        let shared_name = (self.ids.name_sharers.len() + self.contents.len() + self.copies.len()) * SHARED_NAME;
        let listed = self.listed.memory() + self.ids.memory();
        size_of::<Self>() + names + size_of_val(&*self.entries) + listed + surrogates + shared_name
    }
}

/// What the index contains of a snapshot, and what it saves.
impl Snapshot {
    /// The further files of a message, with the same octets.
    pub(in crate::maildir) fn copies(&self, index: usize) -> &[DuplicateFile] {
        self.copies.get(&index).map_or(&[], Vec::as_slice)
    }

    /// The further files of all messages.
    pub(in crate::maildir) fn all_copies(&self) -> impl Iterator<Item = &MessageFile> {
        self.copies.values().flatten().map(|copy| &copy.found)
    }

    /// Whether reading the unindexed messages again would cost more than writing the index. A message costs an `open`
    /// and its reading, while the index is written as a whole: a few new messages, which are soon deleted, are not
    /// worth it.
    pub(super) fn is_worth_indexing(&self) -> bool {
        /// Costs in microseconds: to open a message, and for each `OCTETS` of it; to write an index, and for each
        /// `MESSAGES` in it.
        const OPEN: u64 = 20;
        const OCTETS: u64 = 2000;
        const WRITE: u64 = 200;
        const MESSAGES: u64 = 5;
        const WORTH: u64 = 4;
        let (mut again, mut messages) = (0_u64, 0);
        for (entry, listed) in self.entries.iter().zip(self.listed.iter()) {
            if entry.counted_mail().is_none() {
                continue;
            }
            again += if entry.indexed { 0 } else { OPEN + listed.octets / OCTETS };
            messages += 1;
        }
        again > WORTH * (WRITE + messages / MESSAGES)
    }

    /// Whether anything was counted that the index does not have.
    pub(in crate::maildir) fn has_unindexed(&self) -> bool {
        self.entries.iter().any(|entry| entry.counted_mail().is_some() && !entry.indexed)
    }

    /// The octets of an index of these messages: of those that were counted.
    pub(in crate::maildir) fn index(&self) -> Vec<u8> {
        self.index_without(&[])
    }

    /// The same without the messages at these indices, which ascend.
    pub(in crate::maildir) fn index_without(&self, left_out: &[usize]) -> Vec<u8> {
        let pairs = self.entries.iter().zip(self.listed.iter()).enumerate();
        let pairs = pairs.filter(|(index, _)| left_out.binary_search(index).is_err());
        index::write(pairs.filter_map(|(_, (entry, listed))| {
            let (state, found) = (entry.counted_mail()?, &entry.found);
            let indexed = IndexedSize { octets: listed.octets, state, inode: found.inode };
            Some((file_name::stem(found.base()), indexed))
        }))
    }

    /// The index was written.
    pub(in crate::maildir) fn set_indexed(&mut self) {
        // Nothing shares it before it is cached.
        for entry in Arc::get_mut(&mut self.entries).into_iter().flatten() {
            entry.indexed = entry.counted_mail().is_some();
        }
    }

    /// The same messages after some were pinned: with the unique-ids that changed, by index.
    pub(in crate::maildir) fn with_pins(&self, ids: UidState, changed: &HashMap<usize, UniqueId>) -> Self {
        Self {
            listed: renewed(&self.listed, changed),
            entries: Arc::clone(&self.entries),
            ids,
            stamps: self.stamps,
            local: self.local,
            validity: self.validity,
            odd: self.odd,
            surrogates: self.surrogates.as_ref().map(|surrogates| surrogates.renewed(changed)),
            copies: Arc::clone(&self.copies),
            contents: Arc::clone(&self.contents),
        }
    }
}

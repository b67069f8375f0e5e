//! A maildrop as it was at one moment: the messages in order, their octets and unique-ids.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use super::cache::{Corrections, RemovedFiles};
use super::index::{self, IndexedSize, SizeIndex};
use super::kin::{DuplicateFile, Fingerprint, Fingerprints, SharedNameFiles};
use super::surrogates::Surrogates;
use crate::maildir::fault::EnterFault;
use crate::maildir::files::{FileList, FileState, MessageFile, SharedName, Stamps, name};
use crate::maildir::mail_root::FileSystems;
use crate::maildir::maildrop::NoMail;
use crate::maildir::unique_ids::{Assignment, UidState};
use crate::pop3::{Listed, Messages, UniqueId};

/// A message's file, and in which state it was counted; none if its octets were believed from its name, or could not be
/// counted.
#[derive(Debug)]
pub(in crate::maildir) struct SnapshotEntry {
    pub(in crate::maildir) found: MessageFile,
    pub(in crate::maildir) counted: Option<FileState>,
    /// The index beside the mail has it, unless somebody else has written another one since.
    pub(in crate::maildir) noted: bool,
    /// It could not be read when the snapshot was made.
    unreadable: bool,
    /// Its file, in the state in which it was counted, cannot be read as mail.
    pub(in crate::maildir) no_mail: Option<NoMail>,
}

/// How many octets a message has, and how that is known.
#[derive(Clone, Copy, Debug)]
pub(in crate::maildir) struct Size {
    octets: u64,
    counted: Option<FileState>,
    noted: bool,
    unreadable: bool,
    no_mail: Option<NoMail>,
}

impl Size {
    pub(in crate::maildir) fn counted(octets: u64, state: FileState) -> Self {
        Self { counted: Some(state), ..Self::believed(octets) }
    }

    /// Of a file that cannot be read as mail: the octets of the file.
    pub(in crate::maildir) fn of_no_mail(why: NoMail, state: FileState) -> Self {
        Self { no_mail: Some(why), ..Self::counted(state.size, state) }
    }

    /// Of a message that cannot be counted.
    pub(in crate::maildir) fn unreadable(octets: u64) -> Self {
        Self { unreadable: true, ..Self::believed(octets) }
    }

    /// The octets on disk that were read to count it; none if none were.
    pub(in crate::maildir) fn read(self) -> Option<u64> {
        self.counted.map(|state| state.size)
    }

    fn believed(octets: u64) -> Self {
        Self { octets, counted: None, noted: false, unreadable: false, no_mail: None }
    }
}

impl SnapshotEntry {
    /// The state of its file in which it was read whole, as mail.
    pub(in crate::maildir) fn counted_mail(&self) -> Option<FileState> {
        self.counted.filter(|_| self.no_mail.is_none())
    }
}

/// What sessions share; `entries` and `listed` go in step.
#[derive(Debug)]
pub(in crate::maildir) struct Snapshot {
    pub(in crate::maildir) listed: Arc<Messages>,
    pub(in crate::maildir) entries: Arc<[SnapshotEntry]>,
    /// What the unique-ids were settled from, and which of them must be pinned before they are told.
    pub(in crate::maildir) ids: UidState,
    pub(in crate::maildir) stamps: Stamps,
    /// It lies on local file systems, which answer from memory what they have in memory.
    pub(in crate::maildir) local: bool,
    /// While the stamps stay as they are, nothing has changed.
    pub(in crate::maildir) settled: bool,
    /// Something else than messages lies in the Maildir, and the log has told.
    pub(in crate::maildir) odd: bool,
    /// What clients that did not say UTF8 are offered, if that may be something else.
    pub(in crate::maildir) surrogates: Option<Surrogates>,
    /// The further files of messages, by index.
    pub(in crate::maildir) copies: Arc<HashMap<usize, Vec<DuplicateFile>>>,
    /// What was read to tell messages of one name apart.
    pub(in crate::maildir) contents: Arc<Fingerprints>,
}

/// What a session found out about a message's octets after they were told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::maildir) enum Correction {
    /// So many were sent, from a file in this state.
    Sent(u64, FileState),
    /// In this state it cannot be read as mail.
    NoMail(NoMail, FileState),
    /// The file is no longer the counted one.
    Forget,
}

/// What is known of the messages before their files are opened.
pub(in crate::maildir) struct PriorSizes<'a> {
    earlier: Option<&'a Snapshot>,
    by_file: HashMap<FileKey<'a>, (&'a SnapshotEntry, &'a Listed)>,
    mends: &'a Corrections,
    index: Option<&'a SizeIndex<'a>>,
}

impl<'a> PriorSizes<'a> {
    /// `removed`: a file that has the inode of one of them since is another message.
    pub(in crate::maildir) fn new(
        earlier: Option<&'a Snapshot>,
        mends: &'a Corrections,
        removed: &RemovedFiles,
    ) -> Self {
        let pairs = earlier.iter().flat_map(|snapshot| snapshot.entries.iter().zip(snapshot.listed.iter()));
        let pairs = pairs.filter(|(entry, _)| !removed.has(&entry.found));
        let by_file = pairs.map(|(entry, listed)| (file(&entry.found), (entry, listed))).collect();
        Self { earlier, by_file, mends, index: None }
    }

    /// Besides, what the index says.
    pub(in crate::maildir) fn and(self, index: Option<&'a SizeIndex<'a>>) -> Self {
        Self { index, ..self }
    }

    fn size(&self, found: &MessageFile) -> Option<Size> {
        let mend = || self.mends.get(&(found.inode, found.identity().into()));
        match if self.mends.is_empty() { None } else { mend() } {
            Some(Correction::Sent(octets, state)) => return Some(Size::counted(*octets, *state)),
            Some(Correction::NoMail(why, state)) => return Some(Size::of_no_mail(*why, *state)),
            Some(Correction::Forget) => return None,
            None => {}
        }
        let Some((SnapshotEntry { counted, noted, no_mail, .. }, listed)) = self.same_file(found) else {
            return self.noted(found);
        };
        counted.map(|state| Size { noted: *noted, no_mail: *no_mail, ..Size::counted(listed.octets, state) })
    }

    /// Whether it could not be read before.
    pub(in crate::maildir) fn is_unreadable(&self, found: &MessageFile) -> bool {
        self.same_file(found).is_some_and(|(entry, _)| entry.unreadable)
    }

    fn noted(&self, found: &MessageFile) -> Option<Size> {
        let noted = self.index?.get(&name::stem(found.base()), found.inode)?;
        Some(Size { noted: true, ..Size::counted(noted.octets, noted.state) })
    }

    /// Whether an earlier snapshot had the file.
    pub(in crate::maildir) fn is_listed(&self, found: &MessageFile) -> bool {
        self.same_file(found).is_some()
    }

    /// Whether the index has the file.
    pub(in crate::maildir) fn is_noted(&self, found: &MessageFile) -> bool {
        self.noted(found).is_some()
    }

    /// Whether any message had kin.
    pub(in crate::maildir) fn has_kin(&self) -> bool {
        self.earlier.is_some_and(|earlier| !earlier.ids.twins.is_empty())
    }

    /// How a message stood to others of its name.
    pub(in crate::maildir) fn kin(&self, found: &MessageFile) -> Option<&'a SharedName> {
        self.same_file(found)?.0.found.kin.as_deref()
    }

    /// What was read of a file.
    pub(in crate::maildir) fn content(&self, found: &MessageFile) -> Option<Fingerprint> {
        self.earlier?.contents.get(&found.inode).copied()
    }

    /// The unique-id that the message had.
    pub(in crate::maildir) fn unique_id(&self, found: &MessageFile) -> Option<&'a UniqueId> {
        let (entry, listed) = self.same_file(found)?;
        (entry.found.identity() == found.identity()).then_some(&listed.unique_id)
    }

    fn same_file(&self, found: &MessageFile) -> Option<(&'a SnapshotEntry, &'a Listed)> {
        self.by_file.get(&file(found)).copied()
    }
}

/// What a file is known by when its name may have changed: the stem of the name, and the inode.
type FileKey<'a> = (Cow<'a, [u8]>, u64);

fn file(found: &MessageFile) -> FileKey<'_> {
    (name::stem(found.base()), found.inode)
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
            settled: false,
            odd: false,
            surrogates: None,
            copies: Arc::default(),
            contents: Arc::default(),
        }
    }

    /// The file systems of other machines on which `new` and `cur` lie.
    pub(in crate::maildir) fn file_systems(&self) -> FileSystems {
        let parts = [self.stamps.new, self.stamps.cur].into_iter().flatten();
        let remote = parts.filter(|_| !self.local).map(|stamp| FileSystems::remote(stamp.device()));
        remote.fold(FileSystems::default(), |all, one| all.and(&one))
    }

    /// Octets of memory that it takes at most.
    pub(in crate::maildir) fn memory(&self) -> usize {
        /// What the allocator adds to each name.
        const OVERHEAD: usize = 16;
        /// What a message takes that shares its name with another.
        const KIN: usize = 512;
        let names: usize = self.entries.iter().map(|entry| entry.found.name.len() + OVERHEAD).sum();
        let surrogates = self.surrogates.as_ref().map_or(0, Surrogates::memory);
        let kin = (self.ids.twins.len() + self.contents.len() + self.copies.len()) * KIN;
        let listed = self.listed.memory() + self.ids.memory();
        size_of::<Self>() + names + size_of_val(&*self.entries) + listed + surrogates + kin
    }

    /// Puts a snapshot together from names whose messages are settled. `measure` opens a file and counts it, if neither an
    /// earlier snapshot nor its name tells the octets. Messages for which it finds no file are left out and given back, and
    /// then the snapshot is not settled.
    pub(in crate::maildir) fn build(
        names: &FileList,
        settlement: Assignment,
        mut ids: UidState,
        known: &PriorSizes<'_>,
        mut resolved: SharedNameFiles,
        mut measure: impl FnMut(&MessageFile) -> Result<Option<Size>, EnterFault>,
    ) -> Result<(Self, Vec<MessageFile>), EnterFault> {
        let mut entries = Vec::with_capacity(settlement.messages.len());
        let mut listed = Vec::with_capacity(settlement.messages.len());
        let (mut left, mut copies) = (Vec::new(), HashMap::new());
        for message in settlement.messages {
            let found = message.found;
            // Of several of one name the size in it is not every one's, and what is opened must be known by its state.
            let told = || name::told_octets(found.base()).filter(|_| found.kin.is_none()).map(Size::believed);
            let size = match known.size(&found).or_else(told) {
                Some(size) => Some(size),
                None => measure(&found)?,
            };
            let Some(Size { octets, counted, noted, unreadable, no_mail }) = size else {
                left.push(found);
                continue;
            };
            ids.note(entries.len(), found.kin.is_some(), message.wish);
            copies.extend(resolved.copies(&found).map(|files| (entries.len(), files)));
            entries.push(SnapshotEntry { found, counted, noted, unreadable, no_mail });
            listed.push(Listed { octets, unique_id: message.unique_id });
        }
        let settled = names.settled && left.is_empty();
        let (stamps, local, odd) = (names.stamps, names.local, names.odd.is_some());
        let (listed, entries) = (Arc::new(listed.into_iter().collect()), entries.into());
        let (copies, contents) = (Arc::new(copies), Arc::new(resolved.contents));
        Ok((Self { listed, entries, ids, stamps, local, settled, odd, surrogates: None, copies, contents }, left))
    }
}

/// What the index takes of a snapshot, and what it saves.
impl Snapshot {
    /// The further files of a message, with the same octets.
    pub(in crate::maildir) fn copies(&self, index: usize) -> &[DuplicateFile] {
        self.copies.get(&index).map_or(&[], Vec::as_slice)
    }

    /// The further files of all messages.
    pub(in crate::maildir) fn all_copies(&self) -> impl Iterator<Item = &MessageFile> {
        self.copies.values().flatten().map(|copy| &copy.found)
    }

    /// Whether to find out again what is not noted would cost more than to note it. A message costs an `open` and the
    /// reading, the index its writing whole: a few new messages, which their reader soon deletes, are not worth it.
    pub(in crate::maildir) fn is_worth_noting(&self) -> bool {
        /// Microseconds: to open and read one message, for each so many octets of it, to write an index, and for each so
        /// many messages in it.
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
            again += if entry.noted { 0 } else { OPEN + listed.octets / OCTETS };
            messages += 1;
        }
        again > WORTH * (WRITE + messages / MESSAGES)
    }

    /// Whether anything was counted that the index does not have.
    pub(in crate::maildir) fn has_news(&self) -> bool {
        self.entries.iter().any(|entry| entry.counted_mail().is_some() && !entry.noted)
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
            let noted = IndexedSize { octets: listed.octets, state, inode: found.inode };
            Some((name::stem(found.base()), noted))
        }))
    }

    /// The index was written.
    pub(in crate::maildir) fn set_noted(&mut self) {
        // Nobody shares it before it is kept.
        for entry in Arc::get_mut(&mut self.entries).into_iter().flatten() {
            entry.noted = entry.counted_mail().is_some();
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
            settled: self.settled,
            odd: self.odd,
            surrogates: self.surrogates.as_ref().map(|surrogates| surrogates.renewed(changed)),
            copies: Arc::clone(&self.copies),
            contents: Arc::clone(&self.contents),
        }
    }
}

/// The same messages with the unique-ids that changed, by index.
pub(in crate::maildir) fn renewed(listed: &Arc<Messages>, changed: &HashMap<usize, UniqueId>) -> Arc<Messages> {
    if changed.is_empty() {
        return Arc::clone(listed);
    }
    let renewed = |(index, message): (usize, &Listed)| {
        let unique_id = changed.get(&index).unwrap_or(&message.unique_id).clone();
        Listed { octets: message.octets, unique_id }
    };
    Arc::new(listed.iter().enumerate().map(renewed).collect())
}

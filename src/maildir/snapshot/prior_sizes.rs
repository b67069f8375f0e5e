//! What is known of messages before their files are opened: by an earlier snapshot, by corrections, by the index.

use std::borrow::Cow;
use std::collections::HashMap;

use super::corrections::{Correction, Corrections, RemovedFiles};
use super::entry::{Size, SnapshotEntry};
use super::fingerprint::Fingerprint;
use super::index::SizeIndex;
use super::messages::Snapshot;
use crate::maildir::files::{MessageFile, SharedName, name};
use crate::pop3::{Listed, UniqueId};

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

    pub(super) fn size(&self, found: &MessageFile) -> Option<Size> {
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

//! What is known about messages before their files are opened: from an earlier snapshot, from corrections, from the
//! index.

use std::borrow::Cow;
use std::collections::HashMap;

use super::content_digest::ContentDigest;
use super::corrections::{Correction, Corrections, RemovedFiles};
use super::entry::{Size, SnapshotEntry};
use super::index::SizeIndex;
use super::messages::Snapshot;
use crate::maildir::files::{MessageFile, SharedName, file_name};
use crate::pop3::{Listed, UniqueId};

/// What is known about the messages before their files are opened.
pub(in crate::maildir) struct PriorSizes<'a> {
    earlier: Option<&'a Snapshot>,
    by_file: HashMap<FileKey<'a>, (&'a SnapshotEntry, &'a Listed)>,
    corrections: &'a Corrections,
    index: Option<&'a SizeIndex<'a>>,
}

impl<'a> PriorSizes<'a> {
    /// `removed`: a file that now has the inode of one of these is another message.
    pub(in crate::maildir) fn new(
        earlier: Option<&'a Snapshot>,
        corrections: &'a Corrections,
        removed: &RemovedFiles,
    ) -> Self {
        let pairs = earlier.iter().flat_map(|snapshot| snapshot.entries.iter().zip(snapshot.listed.iter()));
        let pairs = pairs.filter(|(entry, _)| !removed.has(&entry.found));
        let by_file = pairs.map(|(entry, listed)| (file(&entry.found), (entry, listed))).collect();
        Self { earlier, by_file, corrections, index: None }
    }

    /// Adds what the index says.
    pub(in crate::maildir) fn and(self, index: Option<&'a SizeIndex<'a>>) -> Self {
        Self { index, ..self }
    }

    pub(super) fn size(&self, found: &MessageFile) -> Option<Size> {
        let correction = || self.corrections.get(&(found.inode, found.identity().into()));
        match if self.corrections.is_empty() { None } else { correction() } {
            Some(Correction::Sent(octets, state)) => return Some(Size::counted(*octets, *state)),
            Some(Correction::NoMail(why, state)) => return Some(Size::of_no_mail(*why, *state)),
            Some(Correction::Forget) => return None,
            None => {}
        }
        let Some((SnapshotEntry { counted, indexed, no_mail, .. }, listed)) = self.same_file(found) else {
            return self.indexed(found);
        };
        counted.map(|state| Size { indexed: *indexed, no_mail: *no_mail, ..Size::counted(listed.octets, state) })
    }

    /// Whether it could not be read before.
    pub(super) fn is_unreadable(&self, found: &MessageFile) -> bool {
        self.same_file(found).is_some_and(|(entry, _)| entry.unreadable)
    }

    fn indexed(&self, found: &MessageFile) -> Option<Size> {
        let indexed = self.index?.get(&file_name::stem(found.base()), found.inode)?;
        Some(Size { indexed: true, ..Size::counted(indexed.octets, indexed.state) })
    }

    /// Whether an earlier snapshot had the file.
    pub(in crate::maildir) fn is_listed(&self, found: &MessageFile) -> bool {
        self.same_file(found).is_some()
    }

    /// Whether the index has the file.
    pub(super) fn is_indexed(&self, found: &MessageFile) -> bool {
        self.indexed(found).is_some()
    }

    /// Whether any message shared its name with another.
    pub(super) fn has_shared_names(&self) -> bool {
        self.earlier.is_some_and(|earlier| !earlier.ids.name_sharers.is_empty())
    }

    /// The rank of a message among those that share its name.
    pub(in crate::maildir) fn shared_name(&self, found: &MessageFile) -> Option<&'a SharedName> {
        self.same_file(found)?.0.found.shared_name.as_deref()
    }

    /// The known content of a file.
    pub(in crate::maildir) fn content(&self, found: &MessageFile) -> Option<ContentDigest> {
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

/// What identifies a file although its name may have changed: the stem of the name, and the inode.
type FileKey<'a> = (Cow<'a, [u8]>, u64);

fn file(found: &MessageFile) -> FileKey<'_> {
    (file_name::stem(found.base()), found.inode)
}

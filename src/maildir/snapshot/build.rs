//! Putting a snapshot together.

use std::collections::HashMap;
use std::sync::Arc;

use super::entry::{Size, SnapshotEntry};
use super::messages::Snapshot;
use super::prior_sizes::PriorSizes;
use super::shared_names::SharedNameFiles;
use crate::maildir::fault::EnterFault;
use crate::maildir::files::{FileList, MessageFile, Validity, file_name};
use crate::maildir::unique_ids::{Assignment, UidState};
use crate::pop3::Listed;

impl Snapshot {
    /// Puts a snapshot together from messages with their unique-ids. `measure` opens a file and counts it, if neither
    /// an earlier snapshot nor its name has the octets. Messages for which it finds no file are left out and returned,
    /// and then the snapshot cannot be used again.
    pub(in crate::maildir) fn build(
        names: &FileList,
        assignment: Assignment,
        mut ids: UidState,
        known: &PriorSizes<'_>,
        mut resolved: SharedNameFiles,
        mut measure: impl FnMut(&MessageFile) -> Result<Option<Size>, EnterFault>,
    ) -> Result<(Self, Vec<MessageFile>), EnterFault> {
        let mut entries = Vec::with_capacity(assignment.messages.len());
        let mut listed = Vec::with_capacity(assignment.messages.len());
        let (mut left, mut copies) = (Vec::new(), HashMap::new());
        for message in assignment.messages {
            let found = message.found;
            // The size in a name that several messages share is not the size of each, and the state of an opened file
            // must be known.
            let by_name =
                || file_name::octets_in_name(found.base()).filter(|_| found.shared_name.is_none()).map(Size::believed);
            let size = match known.size(&found).or_else(by_name) {
                Some(size) => Some(size),
                None => measure(&found)?,
            };
            let Some(Size { octets, counted, indexed, unreadable, no_mail }) = size else {
                left.push(found);
                continue;
            };
            ids.note(entries.len(), found.shared_name.is_some(), message.pending_pin);
            copies.extend(resolved.copies(&found).map(|files| (entries.len(), files)));
            entries.push(SnapshotEntry { found, counted, indexed, unreadable, no_mail });
            listed.push(Listed { octets, unique_id: message.unique_id });
        }
        let validity = if left.is_empty() { names.validity } else { Validity::None };
        let (stamps, local, odd) = (names.stamps, names.local, names.odd.is_some());
        let (listed, entries) = (Arc::new(listed.into_iter().collect()), entries.into());
        let (copies, contents) = (Arc::new(copies), Arc::new(resolved.contents));
        Ok((Self { listed, entries, ids, stamps, local, validity, odd, surrogates: None, copies, contents }, left))
    }
}

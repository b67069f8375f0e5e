//! Files that arrive during a session under the names of messages that it deletes: a restored back-up, or other mail.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use super::reach::Reach;
use super::session::Maildrop;
use crate::maildir::files::{MessageFile, Validity};
use crate::maildir::snapshot::{DuplicateFile, SnapshotEntry};

/// The further files with the same octets of messages that are about to be removed, by their places in the snapshot.
#[derive(Default)]
pub(in crate::maildir) struct Latecomers {
    further: HashMap<usize, Vec<DuplicateFile>>,
    /// They were looked for.
    are_known: bool,
}

impl Latecomers {
    pub(in crate::maildir) fn of(&self, place: usize) -> &[DuplicateFile] {
        self.further.get(&place).map_or(&[], Vec::as_slice)
    }
}

impl Maildrop {
    /// Whether no other file has the base name of a message that is about to be removed.
    pub(super) fn is_alone(&self, place: usize, latecomers: &Latecomers) -> bool {
        let shares_listed = self.shares_name(place) || !self.snapshot.copies(place).is_empty();
        latecomers.are_known && !shares_listed && !self.has_latecomers(place)
    }

    /// Looks for files that arrived since the listing under the names of messages that are about to be removed. Files
    /// with the same octets are the same message, and are returned. Other mail is pinned, since nothing else shows that
    /// it is other mail once the messages are gone.
    pub(super) fn latecomers(&mut self, places: &[usize], reach: &mut Reach) -> Latecomers {
        self.find_latecomers(places, reach).unwrap_or_else(|error| {
            tracing::warn!(
                name: "files_that_arrived_cannot_be_determined",
                maildrop = self.path.to_string(),
                reason = error.to_string(),
                "files that arrived under the names of deleted messages cannot be determined"
            );
            Latecomers::default()
        })
    }

    fn find_latecomers(&mut self, places: &[usize], reach: &mut Reach) -> io::Result<Latecomers> {
        if self.snapshot.validity >= Validity::Session
            && reach.parts.stamps(self.snapshot.local)? == self.snapshot.stamps
        {
            return Ok(Latecomers { are_known: true, ..Latecomers::default() });
        }
        self.rescan_for(reach)?;
        let concerned: Vec<usize> = places.iter().copied().filter(|place| self.has_latecomers(*place)).collect();
        if concerned.is_empty() {
            return Ok(Latecomers { are_known: true, ..Latecomers::default() });
        }
        let gone = self.gone_of(&concerned);
        // A file that has their name now is other mail, also for the listing that is about to be made.
        for found in &gone {
            self.cached.note_removed(found);
        }
        self.site().require_markers(&self.path).map_err(io::Error::other)?;
        let snapshot = self.snapshots.take(&self.path, &self.cached).map_err(io::Error::other)?;
        let (snapshots, cached) = (Arc::clone(&self.snapshots), Arc::clone(&self.cached));
        let mut fresh = Self::new(snapshots, self.path.clone(), cached, snapshot);
        fresh.pin_namesakes_of(&gone, &[]);
        let pairs: Vec<(usize, usize)> = concerned
            .into_iter()
            .filter_map(|place| Some((place, fresh.place_of(&self.entry(place)?.found)?)))
            .collect();
        let fresh_places: Vec<usize> = pairs.iter().map(|(_, fresh_place)| *fresh_place).collect();
        fresh.pin_others_named_like(&fresh_places);
        let further = pairs.into_iter().map(|(place, fresh_place)| {
            let files = fresh.files(fresh_place).into_iter().filter(|copy| !self.is_listed(place, &copy.found));
            (place, files.collect())
        });
        Ok(Latecomers { further: further.collect(), are_known: true })
    }

    /// The messages that another program has removed.
    fn gone_of(&self, places: &[usize]) -> Vec<MessageFile> {
        let found = places.iter().filter_map(|place| self.entry(*place)).map(|entry| &entry.found);
        found.filter(|found| self.rescanned_files().is_some_and(|names| !names.has(found))).cloned().collect()
    }

    /// Whether files that were not listed have a message's name now.
    fn has_latecomers(&self, place: usize) -> bool {
        let Some((names, entry)) = self.rescanned_files().zip(self.entry(place)) else { return false };
        let mut others = names.like(&entry.found).filter(|now| !now.is_same_message(&entry.found));
        others.any(|now| !self.other_files().any(|listed| listed.is_same_message(now)))
    }

    fn is_listed(&self, place: usize, found: &MessageFile) -> bool {
        let is_same = |listed: &MessageFile| listed.is_same_message(found);
        self.entry(place).is_some_and(|entry| is_same(&entry.found)) || self.other_files().any(is_same)
    }

    /// The place of the message that has this file.
    fn place_of(&self, file: &MessageFile) -> Option<usize> {
        let has_file = |place: usize| self.snapshot.copies(place).iter().any(|copy| copy.found.is_same_message(file));
        let is_it = |(place, entry): (usize, &SnapshotEntry)| {
            entry.found.is_same_message(file) || (entry.found.order(file).is_eq() && has_file(place))
        };
        self.snapshot.entries.iter().enumerate().position(is_it)
    }

    /// All files of a message whose octets were compared.
    fn files(&self, place: usize) -> Vec<DuplicateFile> {
        let entry = self.entry(place);
        let content = |found: &MessageFile| self.snapshot.contents.get(&found.inode);
        let front = entry.and_then(|entry| {
            let state = content(&entry.found)?.state;
            Some(DuplicateFile { found: entry.found.clone(), state })
        });
        front.into_iter().chain(self.snapshot.copies(place).iter().cloned()).collect()
    }
}

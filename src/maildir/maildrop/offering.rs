//! Which person's session it is, and which messages that person is offered.

use std::sync::Arc;

use super::seen::SEEN;
use super::session::Maildrop;
use crate::maildir::fault::EnterFault;
use crate::maildir::files::{MessageFile, file_name};
use crate::maildir::removal::Expiry;
use crate::maildir::settings::{MarkSeen, Offer};
use crate::maildir::unique_ids::Retrievals;

impl Maildrop {
    /// Sets the person, by the canonical name, and when mail that they leave is removed; leaves out messages that the
    /// settings do not offer. Blocks while the disk answers.
    ///
    /// # Errors
    /// The person's retrievals cannot be read.
    pub fn of(mut self, person: &str, expiry: Option<Expiry>) -> Result<Self, EnterFault> {
        self.person = person.into();
        self.expiry = expiry;
        if self.site().settings().offer == Offer::Unread {
            self.offered = Some(self.unread()?);
        }
        Ok(self)
    }

    /// The unread messages: those that are not flagged as seen and that the person has not retrieved. If retrieved
    /// messages are flagged as seen, only the flag is used, so that removing it offers the message again.
    fn unread(&self) -> Result<Arc<[usize]>, EnterFault> {
        let unseen = |found: &MessageFile| !file_name::flags(&found.name).is_some_and(|flags| flags.contains(&SEEN));
        let retrievals = match self.site().settings().mark_seen {
            MarkSeen::Retrieved => None,
            MarkSeen::None => Some(self.site().retrievals(&self.path)?),
        };
        let is_retrieved = |place: usize, found: &MessageFile| {
            let last_by = |all: &Retrievals| all.last_by(&self.person, found, self.shares_name(place));
            retrievals.as_ref().is_some_and(|all| last_by(all).is_some())
        };
        let found = self.snapshot.entries.iter().map(|entry| &entry.found).enumerate();
        let unread = found.filter(|(place, found)| unseen(found) && !is_retrieved(*place, found));
        Ok(unread.map(|(place, _)| place).collect())
    }

    /// The place in the snapshot of a message of the listing.
    pub(in crate::maildir) fn place(&self, index: usize) -> usize {
        match &self.offered {
            None => index,
            // A message that is not in the listing has no place in the snapshot either.
            Some(offered) => offered.get(index).copied().unwrap_or(usize::MAX),
        }
    }

    /// The places of all messages of the listing.
    pub(super) fn all_places(&self) -> Vec<usize> {
        self.offered.as_ref().map_or_else(|| (0..self.snapshot.entries.len()).collect(), |offered| offered.to_vec())
    }

    pub(super) fn places(&self, indices: &[usize]) -> Vec<usize> {
        indices.iter().map(|index| self.place(*index)).collect()
    }
}

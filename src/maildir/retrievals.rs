//! Who has retrieved which message of a maildrop.

use std::collections::HashMap;

use super::fault::EnterFault;
use super::maildrop::Maildrop;
use super::path::MaildropPath;
use super::pins::Retrieval;
use super::scan::Found;
use super::store::Store;

/// What is noted of a maildrop. A mark that was lost means "not retrieved".
pub(super) struct Retrievals(HashMap<Box<[u8]>, Vec<Retrieval>>);

impl Retrievals {
    pub(super) fn read(store: &Store, path: &MaildropPath) -> Result<Self, EnterFault> {
        store.retrievals(path).map(Self).map_err(|error| EnterFault::unavailable(format!("{path}: the pins"), &error))
    }

    /// When a message was last retrieved for the first time by somebody, in seconds since 1970; none if this person never
    /// did.
    pub(super) fn last_by(&self, person: &str, found: &Found) -> Option<u64> {
        let retrievals = self.of(found);
        retrievals.iter().any(|retrieval| *retrieval.by == *person).then_some(())?;
        retrievals.iter().map(|retrieval| retrieval.at).max()
    }

    /// Whether anybody else has retrieved a message.
    pub(super) fn are_of_others(&self, person: &str, found: &Found) -> bool {
        self.of(found).iter().any(|retrieval| *retrieval.by != *person)
    }

    fn of(&self, found: &Found) -> &[Retrieval] {
        let retrievals = self.0.get(found.base()).or_else(|| self.0.get(&*found.identity()));
        retrievals.map(Vec::as_slice).unwrap_or_default()
    }
}

impl Maildrop {
    pub(super) fn retrievals(&self) -> Result<Retrievals, EnterFault> {
        Retrievals::read(&self.store, &self.path)
    }
}

//! What all connections of the embedded directory share.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::fault_injection::{InjectedFault, RequestCounts};
use super::tree::Tree;
use crate::names::Dn;

/// What all connections share.
pub(super) struct DirectoryState {
    pub(super) tree: Tree,
    pub(super) service: Option<Dn>,
    pub(super) injected: InjectedFault,
    pub(super) asked: RequestCounts,
}

impl DirectoryState {
    /// Whether a DN is that of the service, which alone may search.
    pub(super) fn is_service(&self, dn: &str) -> bool {
        let service = self.service.as_ref();
        service.is_some_and(|service| Dn::parse(dn).is_some_and(|dn| dn.matches(service)))
    }
}

pub(super) fn lock(state: &Mutex<DirectoryState>) -> MutexGuard<'_, DirectoryState> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

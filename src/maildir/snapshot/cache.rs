//! What is cached about a maildrop between sessions, and shared by concurrent ones.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::corrections::{Correction, Corrections, RemovedFiles};
use super::messages::Snapshot;
use crate::maildir::files::{MessageFile, Validity};

/// The last snapshot of one maildrop, and what sessions found out since.
#[derive(Debug, Default)]
pub(in crate::maildir) struct CachedMaildrop {
    state: Mutex<CacheState>,
    building: Mutex<()>,
    has_failed: AtomicBool,
    /// The generation of the mounts in which the whole maildrop was on this machine; 0 for never.
    local_at: AtomicU64,
}

#[derive(Debug, Default)]
struct CacheState {
    snapshot: Option<Arc<Snapshot>>,
    corrections: Corrections,
    removed: RemovedFiles,
}

impl CachedMaildrop {
    /// The last snapshot, if it is valid as long as the stamps are unchanged.
    pub(in crate::maildir) fn reusable(&self) -> Option<Arc<Snapshot>> {
        let state = self.state();
        state
            .snapshot
            .as_ref()
            .filter(|snapshot| snapshot.validity == Validity::Lasting && state.corrections.is_empty())
            .cloned()
    }

    /// Locked while a snapshot is made: of several sessions that enter at once, one reads the disk.
    pub(super) fn building(&self) -> MutexGuard<'_, ()> {
        self.building.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the next snapshot can be made from: the last one, corrections, removed files.
    pub(super) fn known(&self) -> (Option<Arc<Snapshot>>, Corrections, RemovedFiles) {
        let state = self.state();
        (state.snapshot.clone(), state.corrections.clone(), state.removed.clone())
    }

    /// Caches a new snapshot, which takes `corrected` and `removed` into account.
    pub(in crate::maildir) fn replace(&self, snapshot: Arc<Snapshot>, corrected: &Corrections, removed: &RemovedFiles) {
        let mut state = self.state();
        state.snapshot = Some(snapshot);
        state.corrections.retain(|file, correction| corrected.get(file) != Some(correction));
        state.removed.subtract(removed);
    }

    /// Records that a message was removed, by us or by another program: no other file gets its unique-id.
    pub(in crate::maildir) fn note_removed(&self, found: &MessageFile) {
        self.state().removed.add(found);
    }

    /// Replaces a snapshot by one made from it, if it is still the last.
    pub(in crate::maildir) fn renew(&self, before: &Arc<Snapshot>, snapshot: &Arc<Snapshot>) {
        let mut state = self.state();
        if state.snapshot.as_ref().is_some_and(|last| Arc::ptr_eq(last, before)) {
            state.snapshot = Some(Arc::clone(snapshot));
        }
    }

    /// Records a correction for the next snapshot; returns whether it is new.
    pub(in crate::maildir) fn correct(&self, found: &MessageFile, correction: Correction) -> bool {
        self.state().corrections.insert((found.inode, found.identity().into()), correction) != Some(correction)
    }

    /// Whether this is the first failure: it is logged only once.
    pub(super) fn is_first_failure(&self) -> bool {
        !self.has_failed.swap(true, Ordering::Relaxed)
    }

    /// The whole maildrop is on this machine, as long as the mounts do not change.
    pub(in crate::maildir) fn set_local_at(&self, generation: u64) {
        self.local_at.store(generation, Ordering::Relaxed);
    }

    /// Whether that is known for this generation of the mounts.
    pub(super) fn is_local_at(&self, generation: u64) -> bool {
        self.local_at.load(Ordering::Relaxed) == generation
    }

    /// The number of messages in the last snapshot.
    pub(in crate::maildir) fn messages(&self) -> usize {
        self.state().snapshot.as_ref().map_or(0, |snapshot| snapshot.entries.len())
    }

    /// Whether clients have seen unique-ids that had to be pinned.
    pub(in crate::maildir) fn has_pins(&self) -> bool {
        self.state().snapshot.as_ref().is_some_and(|snapshot| snapshot.ids.has_pins())
    }

    /// Octets of memory that it takes, without corrections.
    pub(super) fn memory(&self) -> usize {
        size_of::<Self>() + self.state().snapshot.as_ref().map_or(0, |snapshot| snapshot.memory())
    }

    fn state(&self) -> MutexGuard<'_, CacheState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

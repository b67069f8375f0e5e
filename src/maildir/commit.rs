//! The commit: removing the marked messages at QUIT.

use std::io;

use super::beside;
use super::maildrop::Maildrop;
use super::reach::Refusal;
use super::removal::Removal;
use super::snapshot::Mend;

/// What became of the marked messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Committed {
    /// How many were removed.
    pub removed: usize,
    /// How many others had removed before; they count as deleted.
    pub already_gone: usize,
    /// The file name of each that is still there, and the reason.
    pub failed: Vec<String>,
}

impl Maildrop {
    /// Removes the messages at these indices of the listing, each where it lies now. A failure stops none of the
    /// others. One whose file is no longer the one that was listed stays, and so does one that cannot be read as mail: no
    /// client can have it. Blocks while the disk answers.
    pub fn commit(&mut self, marks: &[usize]) -> Committed {
        let mut committed = Committed::default();
        if marks.is_empty() {
            return committed;
        }
        let mut reach = match self.reach() {
            Ok(reach) => reach,
            Err(fault) => {
                committed.failed.extend(marks.iter().map(|index| self.failure(self.place(*index), &fault)));
                return committed;
            }
        };
        let (store, path) = (self.store.clone(), self.path.clone());
        let mut removal = Removal::begin(&store, &path);
        let mut changed = Vec::new();
        for index in self.places(marks) {
            let counted = self.state_seen(index);
            let readability = self.readability(index);
            let removed = self.reach_for(index, &mut reach, |parts, found| {
                readability.require(parts, found)?;
                removal.remove(parts, found, counted)
            });
            match removed {
                Ok(Some(())) => committed.removed += 1,
                Ok(None) => committed.already_gone += 1,
                Err(refusal) => {
                    changed.extend(matches!(refusal, Refusal::Changed).then_some(index));
                    committed.failed.push(self.failure(index, &refusal));
                }
            }
        }
        self.forget(&changed);
        if let Err(errno) = removal.settle() {
            committed.failed.push(format!("what was removed may come back after a crash: {errno}"));
        }
        committed
    }

    /// Forgets what is known of messages whose files have changed, in memory and in the index: whoever enters next, here or
    /// after a restart, counts them anew, and can remove them then.
    pub(super) fn forget(&self, changed: &[usize]) {
        let entries = || changed.iter().filter_map(|index| self.entry(*index));
        for entry in entries() {
            self.kept.mend(&entry.found, Mend::Forget);
        }
        if !entries().any(|entry| entry.noted) {
            return;
        }
        let index = self.snapshot.index_without(changed);
        let written = self.store.root().open().map_err(io::Error::other);
        if let Err(error) = written.and_then(|root| beside::write(&root, &self.path, &index)) {
            tracing::warn!(maildrop = %self.path, %error, "the index cannot be put right");
        }
    }
}

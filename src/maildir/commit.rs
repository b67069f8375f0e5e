//! The commit: removing the marked messages at QUIT.

use super::maildrop::Maildrop;
use super::removal::Removal;

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
        for index in self.places(marks) {
            let counted = self.entry(index).and_then(|entry| entry.counted);
            let readability = self.readability(index);
            let removed = self.reach_for(index, &mut reach, |parts, found| {
                readability.require(parts, found)?;
                removal.remove(parts, found, counted)
            });
            match removed {
                Ok(Some(())) => committed.removed += 1,
                Ok(None) => committed.already_gone += 1,
                Err(refusal) => committed.failed.push(self.failure(index, &refusal)),
            }
        }
        if let Err(errno) = removal.settle() {
            committed.failed.push(format!("what was removed may come back after a crash: {errno}"));
        }
        committed
    }
}

//! The commit: removing the marked messages at QUIT, and nothing else.

use rustix::io::Errno;

use super::maildrop::{Maildrop, TRIES};
use super::removal::{Refusal, Removal};
use super::scan::Parts;

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

enum Outcome {
    Removed,
    AlreadyGone,
    Failed(String),
}

impl Maildrop {
    /// Removes the messages at these indices of the listing, each where it lies now. A failure stops none of the
    /// others. One whose file is no longer the one that was listed stays. Blocks while the disk answers.
    pub fn commit(&mut self, marks: &[usize]) -> Committed {
        let mut committed = Committed::default();
        if marks.is_empty() {
            return committed;
        }
        let parts = self.parts().map_err(|fault| fault.to_string());
        let (store, path) = (self.store.clone(), self.path.clone());
        let mut removal = Removal::begin(&store, &path);
        let mut reread = false;
        for &index in marks {
            let outcome = match &parts {
                Ok(parts) => self.remove(index, parts, &mut removal, &mut reread),
                Err(reason) => Outcome::Failed(reason.clone()),
            };
            match outcome {
                Outcome::Removed => committed.removed += 1,
                Outcome::AlreadyGone => committed.already_gone += 1,
                Outcome::Failed(reason) => committed.failed.push(self.failure(index, &reason)),
            }
        }
        if let Err(errno) = removal.settle() {
            committed.failed.push(format!("what was removed may come back after a crash: {errno}"));
        }
        committed
    }

    /// `reread`: the names were read during this commit, so what is not among them is gone.
    fn remove(&mut self, index: usize, parts: &Parts, removal: &mut Removal<'_>, reread: &mut bool) -> Outcome {
        for _ in 0..TRIES {
            let found = if *reread { self.seen_anew(index) } else { self.last_seen(index) };
            let Some(found) = found else { return Outcome::AlreadyGone };
            let counted = self.entry(index).and_then(|entry| entry.counted);
            match removal.remove(parts, &found, counted) {
                Ok(()) => return Outcome::Removed,
                Err(Refusal::Changed) => return Outcome::Failed("changed after it was listed".to_owned()),
                Err(Refusal::NoPlace(why)) => return Outcome::Failed(why),
                Err(Refusal::Kernel(Errno::NOENT)) => {}
                Err(Refusal::Kernel(errno)) => return Outcome::Failed(errno.to_string()),
            }
            if let Err(error) = self.reread(parts) {
                return Outcome::Failed(error.to_string());
            }
            *reread = true;
        }
        Outcome::Failed("moved whenever it was reached for".to_owned())
    }

    fn failure(&self, index: usize, reason: &str) -> String {
        match self.last_seen(index) {
            Some(found) => format!("{}: {reason}", found.path().display()),
            None => format!("message {index}: {reason}"),
        }
    }
}

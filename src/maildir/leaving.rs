//! What is done at the end of a session that ended by QUIT, besides removing what it marked.

use super::maildrop::Maildrop;
use super::removal::Deletion;
use super::store::Store;

impl Store {
    /// Whether the settings want anything done at the end of a session that marked and fetched nothing.
    pub(super) fn has_duties(&self) -> bool {
        *self.deletion() != Deletion::Remove
    }
}

impl Maildrop {
    /// Whether [`Maildrop::leave`] would do anything.
    #[must_use]
    pub fn leaves_something(&self) -> bool {
        self.store.has_duties()
    }

    /// Does what the settings want done at the end of a session, which no failure makes a failed QUIT: all of it can be
    /// done again. Blocks while the disk answers.
    pub fn leave(&mut self) {
        if let Err(fault) = self.store.clean_up(&self.path) {
            tracing::warn!(maildrop = %self.path, %fault, "what was deleted long ago is not cleaned up");
        }
    }
}

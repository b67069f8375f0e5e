//! What is done at the end of a session that ended by QUIT, besides removing what it marked.

use super::maildrop::Maildrop;
use super::removal::Deletion;
use super::settings::MarkSeen;

impl Maildrop {
    /// Whether [`Maildrop::leave`] would do anything for a session that retrieved something, or did not.
    #[must_use]
    pub fn leaves_something(&self, retrieved: bool) -> bool {
        let settings = self.store.settings();
        settings.deletion != Deletion::Remove || retrieved && settings.mark_seen != MarkSeen::None
    }

    /// Does what the settings want done at the end of a session. `retrieved`: the messages that its client got whole and
    /// did not mark as deleted. No failure makes a failed QUIT, since all of it can be done again; the log tells. Blocks
    /// while the disk answers.
    pub fn leave(&mut self, retrieved: &[usize]) {
        if self.store.settings().mark_seen == MarkSeen::Retrieved {
            for reason in self.mark_seen(retrieved) {
                tracing::warn!(maildrop = %self.path, reason, "message not marked as seen");
            }
        }
        if let Err(fault) = self.store.clean_up(&self.path) {
            tracing::warn!(maildrop = %self.path, %fault, "what was deleted long ago is not cleaned up");
        }
    }
}

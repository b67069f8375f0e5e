//! Heeding what a followed directory tells: what is held falls as soon as it may be wrong.

use crate::directory::Change;
use crate::identity::IdentityMap;

impl IdentityMap {
    /// Takes to heart what a directory's follower has heard.
    pub fn on_directory_change(&self, directory: &str, change: Change) {
        match change {
            Change::Entry(id) => {
                tracing::debug!(directory, %id, "an entry has changed: its person is looked up anew");
                self.flushes.entry_changed(id);
            }
            // Whose membership it touches is only known by asking: groups lie within groups.
            Change::Groups => {
                self.flushes.anybody_changed();
                tracing::debug!(directory, "a group has changed: everybody is looked up anew");
            }
            Change::Following => {
                self.flushes.every_name();
                tracing::info!(directory, "the directory is followed: what is held of a person falls when it changes");
            }
            Change::Lost(reason) => {
                self.flushes.every_name();
                tracing::warn!(directory, reason, "the directory is not followed: what is held lasts for its lifetime");
            }
        }
    }
}

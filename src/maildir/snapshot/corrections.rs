//! What sessions found out after the last snapshot; the next one must take it into account.

use std::collections::{HashMap, HashSet};

use crate::maildir::fault::NoMail;
use crate::maildir::files::{FileState, MessageFile};

/// What a session found out about a message's octets after they were listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::maildir) enum Correction {
    /// This many were sent, from a file in this state.
    Sent(u64, FileState),
    /// In this state it cannot be read as mail.
    NoMail(NoMail, FileState),
    /// The file is no longer the counted one.
    Forget,
}

/// What sessions found out about messages, by inode as in the directory and by name.
pub(in crate::maildir) type Corrections = HashMap<(u64, Box<[u8]>), Correction>;

/// The messages that sessions removed since the last snapshot, with the inodes of their files.
#[derive(Clone, Debug, Default)]
pub(in crate::maildir) struct RemovedFiles(HashMap<Box<[u8]>, HashSet<u64>>);

impl RemovedFiles {
    pub(super) fn add(&mut self, found: &MessageFile) {
        self.0.entry(found.identity().into()).or_default().insert(found.inode);
    }

    /// Removes those that a snapshot has taken into account.
    pub(super) fn subtract(&mut self, known: &Self) {
        for (identity, inodes) in &known.0 {
            if let Some(left) = self.0.get_mut(identity) {
                left.retain(|inode| !inodes.contains(inode));
            }
        }
        self.0.retain(|_, inodes| !inodes.is_empty());
    }

    pub(in crate::maildir) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a message of this name was removed, and this is another file.
    pub(super) fn has_another(&self, found: &MessageFile) -> bool {
        !self.is_empty() && self.0.get(&*found.identity()).is_some_and(|inodes| !inodes.contains(&found.inode))
    }

    /// Whether this very file was removed.
    pub(in crate::maildir) fn has(&self, found: &MessageFile) -> bool {
        !self.is_empty() && self.0.get(&*found.identity()).is_some_and(|inodes| inodes.contains(&found.inode))
    }
}

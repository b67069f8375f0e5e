//! One message of a snapshot: its file, its octets, and where those come from.

use crate::maildir::fault::NoMail;
use crate::maildir::files::{FileState, MessageFile};

/// A message's file, and the state in which it was counted; none if its octets come from its name, or could not be
/// counted.
#[derive(Debug)]
pub(in crate::maildir) struct SnapshotEntry {
    pub(in crate::maildir) found: MessageFile,
    pub(in crate::maildir) counted: Option<FileState>,
    /// The index beside the mail has it, unless another process has written a new one since.
    pub(in crate::maildir) indexed: bool,
    /// It could not be read when the snapshot was made.
    pub(super) unreadable: bool,
    /// Its file, in the state in which it was counted, cannot be read as mail.
    pub(in crate::maildir) no_mail: Option<NoMail>,
}

/// The octets of a message, and where they come from.
#[derive(Clone, Copy, Debug)]
pub(in crate::maildir) struct Size {
    pub(super) octets: u64,
    pub(super) counted: Option<FileState>,
    pub(super) indexed: bool,
    pub(super) unreadable: bool,
    pub(super) no_mail: Option<NoMail>,
}

impl Size {
    pub(in crate::maildir) fn counted(octets: u64, state: FileState) -> Self {
        Self { counted: Some(state), ..Self::believed(octets) }
    }

    /// Of a file that cannot be read as mail: the octets of the file.
    pub(super) fn of_no_mail(why: NoMail, state: FileState) -> Self {
        Self { no_mail: Some(why), ..Self::counted(state.size, state) }
    }

    /// Of a message that cannot be counted.
    pub(super) fn unreadable(octets: u64) -> Self {
        Self { unreadable: true, ..Self::believed(octets) }
    }

    /// The octets on disk that were read to count it; none if none were.
    pub(in crate::maildir) fn read(self) -> Option<u64> {
        self.counted.map(|state| state.size)
    }

    pub(super) fn believed(octets: u64) -> Self {
        Self { octets, counted: None, indexed: false, unreadable: false, no_mail: None }
    }
}

impl SnapshotEntry {
    /// The state of its file in which it was read as a whole message.
    pub(super) fn counted_mail(&self) -> Option<FileState> {
        self.counted.filter(|_| self.no_mail.is_none())
    }
}

//! Unique-ids of another server, read from its own lists, so that after a move no client downloads its mail again.
//!
//! Files of other programs are never written, renamed or deleted, and their locks are not taken: their writers append
//! whole lines, or rename a new list over the old one.

mod contents;
mod courier;
mod format;
mod lists;
mod neutral;
mod settings;
mod text;
mod uidlist;

pub(in crate::maildir) use contents::{LIST_FILES, ListContents, ListStamps, changed_since};
pub use format::{FormatFault, UidlFormat};
pub(in crate::maildir) use lists::{ForeignLists, ListedUid};
pub use settings::{ImportMode, ListKind, OverLong, UniqueIdSettings};

/// The lines of a list that could not be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct UnreadLines {
    first: Option<usize>,
    count: usize,
}

impl UnreadLines {
    fn note(&mut self, line: usize) {
        self.first = self.first.or(Some(line));
        self.count += 1;
    }
}

//! Looking at Maildirs without a session: for `check`, `audit`, `index` and `uidl`. Nothing is pinned, removed or renamed.
//!
//! In: the mail root, or one maildrop's path. Out: reports. `indexing` alone writes, and only the index.
//!
//! | question | where |
//! |---|---|
//! | which Maildirs lie below the mail root? | `walk` |
//! | may the service read and write this one? | `inspect` |
//! | which files cannot be read as mail? | `unreadable` |
//! | what would a move from another server come to? | `plan` |
//! | how large are all messages, before the first login asks? | `indexing` |

mod indexing;
mod inspect;
mod plan;
mod unreadable;
mod walk;

pub use indexing::Indexed;
pub use inspect::{DirectoryId, MaildirCondition};
pub use plan::{Planned, PlannedMessage};
pub use unreadable::Unreadable;
pub use walk::Surveyed;

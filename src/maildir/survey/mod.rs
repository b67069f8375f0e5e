//! Inspecting Maildirs without a session: for `check`, `audit`, `index` and `uidl`. Nothing is pinned, removed or
//! renamed.
//!
//! In: the mail root, or one maildrop's path. Out: reports. Only `indexing` writes, and only the index.
//!
//! | question | where |
//! |---|---|
//! | which Maildirs are below the mail root? | `walk` |
//! | may the service read and write this one? | `inspect` |
//! | which files cannot be read as mail? | `unreadable` |
//! | which unique-ids would clients get after a move from another server? | `plan` |
//! | how large are all messages? (before the first login) | `indexing` |

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

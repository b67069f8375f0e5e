//! The unique-id of each message (RFC 1939 §7, UIDL), and the permanent record of those that clients have seen.
//!
//! In: the messages of a Maildir, the pins beside them, another server's lists. Out: a unique-id for each message,
//! their order, and which unique-ids must be pinned before a client may see them.
//!
//! | rule | where |
//! |---|---|
//! | a pin comes first, then another server's list, then our own rule; no two messages share a unique-id | `assign` |
//! | our own rule: the base name, or a hash of it | `unique` |
//! | unique-ids that clients have seen stay on disk, with a checksum for each line | `pins` |
//! | lists of Dovecot, Courier and others are read, never written | `import` |
//! | another server's order comes before the order of arrival | `order` |
//! | whether pins and lists are still those that a snapshot was made from | `state` |
//! | who has retrieved which message | `retrievals` |

mod assign;
mod import;
mod order;
pub(in crate::maildir) mod pins;
mod retrievals;
mod state;
pub(in crate::maildir) mod unique;

pub use assign::UidlOrigin;
pub(in crate::maildir) use assign::{AssignedMessage, Assignment, PendingPin, UidAssigner};
pub(in crate::maildir) use import::LIST_FILES;
pub use import::{FormatFault, ImportMode, ListKind, OverLong, UidlFormat, UniqueIdSettings};
pub(in crate::maildir) use order::Rank;
pub use pins::Retrieval;
pub(in crate::maildir) use pins::{Day, LockedPins, Pin, PinLine, Pins, day};
pub(in crate::maildir) use retrievals::Retrievals;
pub(in crate::maildir) use state::{UidSources, UidState};

//! Maildirs: which one is a person's, what is in it, and what is removed from it. The code is synchronous: a call
//! blocks while the disk answers, unless its comment says otherwise.
//!
//! ```text
//!  path template, person's fields ─▶ mail_root ─▶ files ─▶ unique_ids ─▶ snapshot ─▶ maildrop ─▶ a client's session
//!                                    (which       (names,   (UIDL,        (messages    (listing,      │
//!                                     Maildir)     octets)   pins, lists)  in order)    RETR, QUIT)    ▼
//!                                                                             removal: deleted, kept, expired, brought back
//! ```
//!
//! A room names only rooms to its left, and `removal` is left of `maildrop`. `site` has what all of them need: the
//! roots, the mounts, the clock, the settings. [`Store`] is the interface for everything outside; `survey` inspects
//! maildrops without a session.
//!
//! | question | answer |
//! |---|---|
//! | What may delete a message's file? | `removal`, and nothing else; it begins in `removal/removing.rs` |
//! | Where are octets counted? | `files/count.rs`, by the rule in `pop3/multiline.rs`, and nowhere else |
//! | When is a missing Maildir an empty maildrop? | `missing` |
//! | Which of two Maildirs is used, if an entry has superfluous blanks? | `choose` |
//! | When is the clock plausible? | `clock` |
//! | What can go wrong, and what must the caller do? | `fault` |
//!
//! Nothing outside the mail root is ever opened, except another server's lists if they have a root of their own. In
//! `new` and `cur`, only messages that a user deleted, or that the settings let expire, are removed; and with
//! `mark_seen`, messages are renamed to set the flag. Otherwise only our own files are written; their names begin with
//! `restante`: an index, which is a cache; pins; a lock; and deleted mail that is kept. An existing `maildirsize` gets
//! a line for each removal.

mod choose;
mod clock;
mod fault;
mod files;
mod mail_root;
mod maildrop;
mod missing;
mod removal;
mod settings;
mod site;
mod snapshot;
mod store;
mod survey;
mod unique_ids;

pub use clock::ClockFault;
pub use fault::{EnterFault, FetchFault, NoMail, StoreFault};
pub use files::FolderName;
pub use mail_root::{Field, FieldValue, FileSystems, MaildropPath, PathRefusal, PathTemplate, TemplateFault};
pub use maildrop::{Committed, LockId, LockResult, Maildrop, MaildropLock, Message, PinFault};
pub use removal::{Deleted, DeletedMail, Expired, Expiry};
pub use settings::{Deletion, EightBitHeaders, MarkSeen, Missing, Offer, Settings};
pub use store::Store;
pub use survey::{DirectoryId, Indexed, MaildirCondition, Planned, PlannedMessage, Surveyed, Unreadable};
pub use unique_ids::{
    FormatFault, ImportMode, ListKind, OverLong, Retrieval, UidlFormat, UidlOrigin, UniqueIdSettings,
};

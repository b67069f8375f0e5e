//! Maildirs: which one, what is in it, and what is removed from it. Synchronous code.
//!
//! A maildrop is a snapshot taken at login. Nothing outside the mail root is ever opened, but another server's lists
//! where their own root is set. Of what lies in `new` and `cur`, nothing is renamed or deleted but the messages that a user
//! deleted, and those that the settings say so of; beside them, only files of our own are written, whose names begin with
//! `restante`: an index, which is a cache, pins, and what was deleted and is kept; and `maildirsize`, where it is there,
//! gets a line for what was removed.

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
pub use survey::{Condition, DirectoryId, Indexed, Planned, PlannedMessage, Surveyed, Unreadable};
pub use unique_ids::{
    FormatFault, ImportMode, ListKind, OverLong, Retrieval, UidlFormat, UidlOrigin, UniqueIdSettings,
};

//! Maildirs: which one, what is in it, and what is removed from it. Synchronous code.
//!
//! A maildrop is a snapshot taken at login. Nothing outside the mail root is ever opened, but another server's lists
//! where their own root is set. Of what lies in `new` and `cur`, nothing is renamed or deleted but the messages that a user
//! deleted, and those that the settings say so of; beside them, only files of our own are written, whose names begin with
//! `restante`: an index, which is a cache, pins, and what was deleted and is kept; and `maildirsize`, where it is there,
//! gets a line for what was removed.

mod beneath;
mod beside;
mod bounds;
mod cached;
mod choose;
mod clock;
mod commit;
mod compressed;
mod count;
mod deleted;
mod expiry;
mod fault;
mod folder;
mod fresh;
mod hold;
mod ids;
mod import;
mod index;
mod indexing;
mod inspect;
mod kept;
mod kin;
mod latecomers;
mod leaving;
mod maildrop;
mod measure;
mod message;
mod missing;
mod mounts;
mod name;
mod names;
mod no_mail;
mod offering;
mod order;
mod path;
mod pinning;
mod pins;
mod plan;
mod quota;
mod reach;
mod removal;
mod renaming;
mod retrievals;
mod root;
mod scan;
mod seen;
mod settings;
mod settle;
mod snapshot;
mod stamp;
mod store;
mod surrogates;
mod survey;
mod template;
mod undeleting;
mod unique;

pub use clock::ClockFault;
pub use commit::Committed;
pub use expiry::{Expired, Expiry};
pub use fault::{EnterFault, FetchFault, StoreFault};
pub use folder::FolderName;
pub use hold::{Hold, HoldId, Holding};
pub use import::{FormatFault, ImportMode, ListKind, OverLong, UidlFormat, UniqueIdSettings};
pub use indexing::Indexed;
pub use inspect::{Condition, Place};
pub use maildrop::Maildrop;
pub use message::Message;
pub use mounts::FileSystems;
pub use no_mail::{NoMail, Unreadable};
pub use path::{FieldValue, MaildropPath, PathRefusal};
pub use pinning::PinFault;
pub use pins::Retrieval;
pub use plan::{Planned, PlannedMessage};
pub use removal::Deletion;
pub use settings::{MarkSeen, Missing, Offer, Settings};
pub use settle::UidlOrigin;
pub use store::Store;
pub use surrogates::EightBitHeaders;
pub use survey::Surveyed;
pub use template::{Field, PathTemplate, TemplateFault};
pub use undeleting::{Deleted, DeletedMail};

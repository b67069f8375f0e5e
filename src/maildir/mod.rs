//! Maildirs: which one, what is in it, and what is removed from it. Synchronous code.
//!
//! A maildrop is a snapshot taken at login. Nothing outside the mail root is ever opened, but another server's lists
//! where their own root is set. Nothing of others is ever written or renamed, and nothing is deleted but the messages
//! that a user deleted. What is written beside the mail is our own: an index, which is a cache, and pins.

mod beneath;
mod beside;
mod cached;
mod commit;
mod count;
mod fault;
mod ids;
mod import;
mod index;
mod indexing;
mod inspect;
mod kept;
mod maildrop;
mod message;
mod mounts;
mod name;
mod order;
mod path;
mod pinning;
mod pins;
mod plan;
mod root;
mod scan;
mod settings;
mod settle;
mod snapshot;
mod stamp;
mod store;
mod surrogates;
mod survey;
mod template;
mod unique;

pub use commit::Committed;
pub use fault::{EnterFault, FetchFault, StoreFault};
pub use import::{FormatFault, ImportMode, ListKind, OverLong, UidlFormat, UniqueIdSettings};
pub use indexing::Indexed;
pub use inspect::{Condition, Place};
pub use maildrop::Maildrop;
pub use message::Message;
pub use mounts::FileSystem;
pub use path::{FieldValue, MaildropPath, PathRefusal};
pub use pinning::PinFault;
pub use pins::Retrieval;
pub use plan::{Planned, PlannedMessage};
pub use settings::Settings;
pub use settle::UidlOrigin;
pub use store::Store;
pub use surrogates::EightBitHeaders;
pub use survey::Surveyed;
pub use template::{Field, PathTemplate, TemplateFault};

//! Maildirs: which one, what is in it, and what is removed from it. Synchronous code.
//!
//! A maildrop is a snapshot taken at login. Nothing outside the mail root is ever opened; nothing of others is ever
//! written or renamed, and nothing is deleted but the messages that a user deleted. What is written is our own index, a
//! cache beside the mail.

mod beneath;
mod beside;
mod cached;
mod commit;
mod count;
mod fault;
mod index;
mod indexing;
mod inspect;
mod kept;
mod maildrop;
mod message;
mod mounts;
mod name;
mod path;
mod root;
mod scan;
mod settings;
mod snapshot;
mod stamp;
mod store;
mod surrogates;
mod survey;
mod template;
mod unique;

pub use commit::Committed;
pub use fault::{EnterFault, FetchFault, StoreFault};
pub use indexing::Indexed;
pub use inspect::{Condition, Place};
pub use maildrop::Maildrop;
pub use message::Message;
pub use mounts::FileSystem;
pub use path::{FieldValue, MaildropPath, PathRefusal};
pub use settings::Settings;
pub use store::Store;
pub use surrogates::EightBitHeaders;
pub use survey::Surveyed;
pub use template::{Field, PathTemplate, TemplateFault};

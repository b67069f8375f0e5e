//! Maildirs: which one, what is in it, and what is removed from it. Synchronous code.
//!
//! A maildrop is a snapshot taken at login. Nothing outside the mail root is ever opened, nothing is ever written or
//! renamed, and nothing is deleted but the messages that a user deleted.

mod beneath;
mod commit;
mod count;
mod fault;
mod hold;
mod inspect;
mod kept;
mod maildrop;
mod message;
mod name;
mod path;
mod root;
mod scan;
mod settings;
mod snapshot;
mod stamp;
mod store;
mod survey;
mod template;
mod unique;

pub use commit::Committed;
pub use fault::{EnterFault, FetchFault, StoreFault};
pub use hold::{Hold, HoldId, Holding};
pub use inspect::{Condition, Place};
pub use maildrop::Maildrop;
pub use message::Message;
pub use path::{FieldValue, MaildropPath, PathRefusal};
pub use settings::Settings;
pub use store::Store;
pub use survey::Surveyed;
pub use template::{Field, PathTemplate, TemplateFault};

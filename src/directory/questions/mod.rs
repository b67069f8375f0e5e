//! What a directory is asked.
//!
//! In goes what a login or a command wants to know; out come entries, or a sentence. Each file turns one such question into
//! searches.
//!
//! | file | question |
//! |---|---|
//! | `people` | who has this login name; which entry has this DN now; where is this entry now |
//! | `claims` | to whom may this certificate belong |
//! | `membership` | is this person admitted, as a member of a group |
//! | `scram` | which SCRAM credentials does this entry hold |
//! | `walk` | everybody, page by page |
//! | `readable` | which attributes may the service not read |
//! | `root_dse` | who made the server, and which trees it holds |
//! | `ldapsearch` | the searches of a look-up, as an administrator would type them |

mod claims;
mod ldapsearch;
mod membership;
mod people;
mod readable;
mod root_dse;
mod scram;
mod walk;

pub use self::claims::SubjectNames;
pub use self::readable::{AttributeNeed, AttributeUse};
pub use self::root_dse::{RootDse, ServerVendor};
pub use self::scram::StoredScram;
pub use self::walk::{Walk, WalkEnd};

pub(crate) use self::claims::{CANDIDATES, candidates};
pub(crate) use self::ldapsearch::searches;
pub(crate) use self::people::{entry_of, id_at, look_up, probe};
pub(crate) use self::readable::{instead_of_people, shows_locks, unreadable};
pub(crate) use self::root_dse::root_dse;
pub(crate) use self::scram::scram;
pub(crate) use self::walk::walk;

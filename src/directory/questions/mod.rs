//! What a directory is asked.
//!
//! In goes what a login or a command wants to know; out come entries, or a sentence. Each file turns one such question into
//! searches.
//!
//! | file | question |
//! |---|---|
//! | `claims` | whose may this certificate be |
//! | `admission` | is this person admitted: by an attribute, by membership of a group |
//! | `identify` | which entry lies at this DN now |
//! | `scram` | which SCRAM credentials does this entry hold |
//! | `walk` | everybody, page by page |
//! | `readable` | which attributes may the service not read |
//! | `ldapsearch` | the searches of a look-up, as an administrator would type them |

mod admission;
mod claims;
mod identify;
mod ldapsearch;
mod readable;
mod scram;
mod walk;

pub use self::admission::{Admission, Exclusion, Group};
pub use self::claims::{CertificateMapping, Claims};
pub use self::readable::{Access, Need};
pub use self::scram::HeldScram;
pub use self::walk::{Walk, WalkEnd};

pub(crate) use self::admission::WITH_MEMBERS;
pub(crate) use self::claims::CANDIDATES;

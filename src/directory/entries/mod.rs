//! What a directory's entries say. Pure: nothing here asks a directory.
//!
//! In goes what a search found; out comes an [`Entry`]: its id, DN and change stamp, its names, the state of the
//! account, and whether it is within the limits of its directory.
//!
//! | file | rule |
//! |---|---|
//! | `entry` | which operational attributes identify an entry; which entries lost a replication conflict |
//! | `values` | values by attribute description, with options (RFC 4512 §2.5) |
//! | `attributes` | which attributes hold which kind of name; **a new schema begins here** |
//! | `name_limits` | `names_below` and `mail_domains`: whether an entry is in the scope of its directory |
//! | `admission` | `allowed_group` and `enabled_attribute`, as far as the entry itself says |
//! | `account` | which attributes bar a person from logging in, and when |
//! | `shut_out`, `refusal` | why a person is not served, and why a person is refused |
//! | `stamp` | which attribute changes when a password may have changed |
//! | `timestamps` | Generalized Time, Windows and shadow(5) counts |

mod account;
mod admission;
mod attributes;
mod entry;
mod name_limits;
mod refusal;
mod shut_out;
mod stamp;
mod timestamps;
mod values;

pub use self::account::{Account, Barred};
pub use self::admission::{Admission, Group};
pub use self::attributes::{Attributes, Source};
pub use self::entry::{Entry, EntryId};
pub use self::name_limits::NameLimits;
pub use self::refusal::DirectoryRefusal;
pub use self::shut_out::{Exclusion, OutOfScope};
pub use self::stamp::Stamp;

pub(crate) use self::account::STATE;
pub(crate) use self::admission::{MEMBER_OF, WITH_MEMBERS};
pub(crate) use self::entry::{CHANGE_STAMPS, CONFLICT, FINER_STAMPS, IDS, constructed};
pub(crate) use self::timestamps::generalized;

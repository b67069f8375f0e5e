//! The name policy: which look-ups a typed login name stands for. Pure; nothing here asks a directory.
//!
//! | file | rule |
//! |---|---|
//! | `login_name` | which octets are a valid login name |
//! | `kind`, `policy` | the kinds of name, and which of them may be used |
//! | `look_up` | **from a login name to the look-ups that a directory is asked for** |
//! | `comparison` | when two values are equal (RFC 4518) |
//! | `dn`, `dn_value`, `hierarchical`, `pattern` | distinguished names, hierarchical names, patterns of them |

mod comparison;
mod dn;
mod dn_value;
mod hierarchical;
mod kind;
mod login_name;
mod look_up;
mod pattern;
mod policy;

pub use comparison::{fold, normal_forms, prepared};
pub use dn::{Dn, Rdn};
pub use hierarchical::HierarchicalName;
pub use kind::Kind;
pub use login_name::{LoginName, LoginNameFault};
pub use look_up::{Equality, LookUp};
pub use pattern::DnPattern;
pub use policy::Policy;

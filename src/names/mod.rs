//! The name policy: which look-ups a typed login name stands for. Pure; nothing here asks a directory.

mod dn;
mod hierarchical;
mod kind;
mod login_name;
mod look_up;
mod pattern;
mod policy;

pub use dn::{Dn, Rdn};
pub use hierarchical::HierarchicalName;
pub use kind::Kind;
pub use login_name::{LoginName, LoginNameFault};
pub use look_up::{Equality, LookUp};
pub use pattern::DnPattern;
pub use policy::Policy;

/// Folds a value as LDAP's `caseIgnoreMatch` compares it (RFC 4517 §4.2.11): case aside, blanks trimmed and runs of them
/// taken for one.
#[must_use]
pub fn fold(value: &str) -> String {
    value.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>().join(" ")
}

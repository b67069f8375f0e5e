//! The name policy: which look-ups a typed login name stands for. Pure; nothing here asks a directory.

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

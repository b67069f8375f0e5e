//! Which Maildir belongs to a person, and how to open what lies in it without leaving the mail root.
//!
//! In: a path template and a person's fields. Out: a [`MaildropPath`]; and an `OpenRoot`, beneath which directories are opened.
//!
//! | rule | where |
//! |---|---|
//! | `..`, NUL, a slash in a single name, an absolute value outside the root: no path | `path` |
//! | nothing outside the mail root is opened; a link counts only if its owner may make it | `beneath` |
//! | missing is not empty while the root is another directory, a marker is missing, or a disk is not mounted | `root`, `mounts` |
//! | which file systems can hang, so that file calls on them run elsewhere | `mounts` |

pub(in crate::maildir) mod beneath;
mod mounts;
mod path;
mod root;
mod template;

pub(in crate::maildir) use beneath::{BENEATH, PASSING};
pub use mounts::FileSystems;
pub(in crate::maildir) use mounts::{Mounts, is_local};
pub use path::{FieldValue, MaildropPath, PathRefusal};
pub(in crate::maildir) use root::{OpenRoot, Root, RootKind};
pub use template::{Field, PathTemplate, TemplateFault};

//! Which Maildir belongs to a person, and how to open its files without leaving the mail root.
//!
//! In: a path template and a person's fields. Out: a [`MaildropPath`]; and an `OpenRoot`, beneath which files are opened.
//!
//! | rule | where |
//! |---|---|
//! | `..`, NUL, a slash in a single name, an absolute value outside the root: no path | `path` |
//! | nothing outside the mail root is opened, and links are followed only beneath it | `beneath` |
//! | with another directory at the root, a missing marker or an unmounted disk, no mail counts as missing | `root`, `mounts` |
//! | calls that may wait for another machine are known in advance | `mounts`, `file_system_type` |

pub(in crate::maildir) mod beneath;
mod file_system_type;
mod mounts;
mod path;
mod root;
mod template;

pub(in crate::maildir) use beneath::{BENEATH, PASSING};
pub(in crate::maildir) use file_system_type::is_local;
pub use mounts::FileSystems;
pub(in crate::maildir) use mounts::Mounts;
pub use path::{FieldValue, MaildropPath, PathRefusal};
pub(in crate::maildir) use root::{OpenRoot, Root, RootKind};
pub use template::{Field, PathTemplate, TemplateFault};

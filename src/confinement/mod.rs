//! The confinement of the running service: it reaches the files that its configuration names, and no others (Landlock,
//! landlock(7)). No program can be run.
//!
//! | file | rule |
//! |---|---|
//! | `allowed` | which folders are allowed, and for which use |
//! | `links` | the folders that the links on a file's way lead to, so that a renewed file is found |
//! | `system` | what the C library and the kernel's reports need |
//! | `enforcement` | the rules are handed to the kernel; what it enforces |
//!
//! The rules are about folders, not about files: a file that is replaced by renaming is another one to the kernel. They
//! apply to the calling thread and to the threads that it starts, and cannot be extended later. Network access is not
//! restricted: directories, relays and listeners have ports of any number, and a reload of the configuration may bring
//! others.

mod allowed;
mod enforcement;
mod links;
mod system;

use std::path::PathBuf;

pub use allowed::AllowedFolders;
pub use enforcement::{Confinement, ConfinementLevel};

/// What the configuration names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Whether the service confines itself.
    pub is_on: bool,
    /// The mail roots, and what else is written like mail. Everything below them may be read, written and moved.
    pub mail: Vec<PathBuf>,
    /// Files that are only read, the configuration file itself among them. Everything in their folders may be read.
    pub files: Vec<PathBuf>,
    /// Unix sockets that the service creates. In their folders sockets may be created, and files removed.
    pub sockets: Vec<PathBuf>,
}

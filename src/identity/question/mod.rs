//! Asking the directories.

pub(super) mod answers;
pub(super) mod directories;
pub(super) mod query;

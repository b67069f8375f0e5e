//! What is remembered of names, certificates and passwords, and when it is dropped.

pub(super) mod flush;
pub(super) mod flushes;
pub(super) mod names;
pub(super) mod password_record;
pub(super) mod passwords;
pub(super) mod single_flight;

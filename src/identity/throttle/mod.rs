//! Counting wrong passwords.

pub(super) mod counters;
pub(super) mod familiar;
pub(super) mod locked;
pub(super) mod ticket;

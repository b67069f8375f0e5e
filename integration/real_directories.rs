//! What real directory servers say, word for word: the ground that verdicts stand on.

#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a fault here is a failed test, and all modules are this file's own"
)]

mod support;

#[path = "real_directories/ds389.rs"]
mod ds389;
#[path = "real_directories/every.rs"]
mod every;
#[path = "real_directories/samba.rs"]
mod samba;
#[path = "real_directories/slapd.rs"]
mod slapd;

//! Tokens: what counts and what does not, and logins with them.

#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a fault here is a failed test, and all modules are this file's own"
)]

mod support;

#[path = "tokens/clients.rs"]
mod clients;
#[path = "tokens/configuration.rs"]
mod configuration;
#[path = "tokens/key_files.rs"]
mod key_files;
#[path = "tokens/logins.rs"]
mod logins;
#[path = "tokens/secrets.rs"]
mod secrets;
#[path = "tokens/site.rs"]
mod site;
#[path = "tokens/vectors.rs"]
mod vectors;

//! The library, called by the tests in their own process, without the service: what reads configurations, finds people
//! and keeps mail.
//!
//! `cargo test --test library maildir::` runs one area, `cargo test --test library maildir::sharing::` a part of it. What
//! starts other programs all the time stands elsewhere: between fork and exec a child has whatever this process has open,
//! so that a lock or a port that a test has just given up would be taken for a moment longer.

#![cfg(test)] // A fault in any item is a failed test: that is how clippy.toml then judges a panic.

#[path = "../support/mod.rs"]
mod support;

/// The faults of a configuration file: all at once, each with its position.
mod configuration;
/// The folder of `restante demo` is one to begin with.
mod demo;
/// The embedded directory fails on command and recovers.
mod fault_injection;
/// What the identity map caches, for how long, and what it asks the directory.
mod identity_map;
/// Maildirs on a real file system, through the door that sessions use.
mod maildir;

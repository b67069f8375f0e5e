//! The library, called by the tests in their own process, without the service: what reads configurations, finds people
//! and keeps mail; and the tests' own means, compared with what they stand for.
//!
//! `cargo test --test library maildir::` runs one area, `cargo test --test library maildir::sharing::` a part of it.

#![cfg(test)] // A fault in any item is a failed test: that is how clippy.toml then judges a panic.

#[path = "../support/mod.rs"]
mod support;

/// The faults of a configuration file: all at once, each with its position.
mod configuration;
/// The folder of `restante demo` is one to begin with.
mod demo;
/// The embedded directory answers as a real slapd does.
mod directory_double;
/// The embedded directory fails on command and recovers.
mod fault_injection;
/// The means of the tests do what all tests take for granted.
mod harness;
/// What the identity map caches, for how long, and what it asks the directory.
mod identity_map;
/// Maildirs on a real file system, through the door that sessions use.
mod maildir;
/// What OpenLDAP, 389 Directory Server and Samba answer, word for word.
mod real_directories;

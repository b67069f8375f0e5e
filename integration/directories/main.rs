//! Directory servers by themselves: what the real ones say, whether the embedded one says the same, and whether the means
//! with which all tests start, end and ask them do what they promise.
//!
//! A program of its own, because it starts servers all the time, which those of the library that look at locks and ports
//! must not have beside them. `cargo test --test directories real_directories::` runs one area.

#![cfg(test)] // A fault in any item is a failed test: that is how clippy.toml then judges a panic.

#[path = "../support/mod.rs"]
mod support;

/// The embedded directory answers as a real slapd does.
mod directory_double;
/// The means of the tests do what all tests take for granted.
mod harness;
/// What OpenLDAP, 389 Directory Server and Samba answer, word for word.
mod real_directories;

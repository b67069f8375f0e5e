//! Mail programs that people really use fetch every message from Restante, with people of a real slapd.
//!
//! A program of its own, because it alone needs them all installed, and a screen: nobody who works on anything else has
//! to wait for them. `cargo test --test clients curl::` runs one of them.

#![cfg(test)] // A fault in any item is a failed test: that is how clippy.toml then judges a panic.

#[path = "../support/mod.rs"]
mod support;

/// curl: it gives out exactly the octets that were sent.
mod curl;
/// fetchmail: TOP, or RETR if it is told to fetch all.
mod fetchmail;
/// getmail6: POP3S only.
mod getmail;
/// mpop: it sends its commands in a pipeline.
mod mpop;
/// poplib of Python: what most scripts use.
mod poplib;
/// S-nail: the mail program of the terminal.
mod s_nail;
/// Sylpheed: a client with windows.
mod sylpheed;
/// Thunderbird: what it makes of the settings that we write for it.
mod thunderbird;

/// Messages that clients and servers get wrong.
mod letters;
/// A machine with mail on it, and a home for the client that fetches it.
mod machine;

#[test]
#[should_panic(expected = "It is in the Debian package mailer")]
fn a_missing_client_is_a_failure() {
    let machine = machine::Machine::with("alamb", &[]);
    machine.run(&mut machine.client("mailer-that-nobody-installed"), "mailer");
}

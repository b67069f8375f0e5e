//! Mail from the disk to the client and back: what changes beneath a session, what fails, and what is never deleted.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a fault here is a failed test")]

#[path = "maildrops/changing.rs"]
mod changing;
#[path = "maildrops/committing.rs"]
mod committing;
#[path = "maildrops/compressed.rs"]
mod compressed;
#[path = "maildrops/disk_errors.rs"]
mod disk_errors;
#[path = "maildrops/eight_bit_headers.rs"]
mod eight_bit_headers;
#[path = "maildrops/entering.rs"]
mod entering;
#[path = "maildrops/hanging.rs"]
mod hanging;
#[path = "maildrops/index.rs"]
mod index;
#[path = "maildrops/one_session.rs"]
mod one_session;
#[path = "maildrops/quota.rs"]
mod quota;
#[path = "maildrops/seen.rs"]
mod seen;
mod support;
#[path = "maildrops/unchanged.rs"]
mod unchanged;
#[path = "maildrops/undelivered.rs"]
mod undelivered;
#[path = "maildrops/waiting.rs"]
mod waiting;

/// What is said of a message that cannot be sent whole.
const NOT_NOW: &str = "-ERR this message cannot be read now";

/// A message of so many lines of 64 octets on the wire, after a header of 19 octets.
fn long(lines: usize) -> Vec<u8> {
    let line = format!("{}\n", "x".repeat(62));
    format!("Subject: a long\n\n{}", line.repeat(lines)).into_bytes()
}

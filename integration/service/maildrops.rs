//! Mail from the disk to the client and back: what changes beneath a session, what fails, and what is never deleted.

mod changing;
mod committing;
mod compressed;
mod disk_errors;
mod eight_bit_headers;
mod entering;
mod hanging;
mod index;
mod one_session;
mod quota;
mod seen;
mod unchanged;
mod undelivered;
mod waiting;

/// What is said of a message that cannot be sent whole.
const NOT_NOW: &str = "-ERR this message cannot be read now";

/// A message of so many lines of 64 octets on the wire, after a header of 19 octets.
fn long(lines: usize) -> Vec<u8> {
    let line = format!("{}\n", "x".repeat(62));
    format!("Subject: a long\n\n{}", line.repeat(lines)).into_bytes()
}

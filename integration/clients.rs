//! Clients that people really use fetch every message from Restante, with people of a real slapd.

#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a fault here is a failed test, and all modules are this file's own"
)]

mod support;

#[path = "clients/curl.rs"]
mod curl;
#[path = "clients/fetchmail.rs"]
mod fetchmail;
#[path = "clients/getmail.rs"]
mod getmail;
#[path = "clients/letters.rs"]
mod letters;
#[path = "clients/machine.rs"]
mod machine;
#[path = "clients/mpop.rs"]
mod mpop;
#[path = "clients/poplib.rs"]
mod poplib;
#[path = "clients/s_nail.rs"]
mod s_nail;
#[path = "clients/sylpheed.rs"]
mod sylpheed;

#[test]
#[should_panic(expected = "It is in the Debian package mailer")]
fn a_missing_client_is_a_failure() {
    let machine = machine::Machine::with("alamb", &[]);
    machine.run(&mut machine.client("mailer-that-nobody-installed"), "mailer");
}

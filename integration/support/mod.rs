//! What the tests against real servers share: servers to start, a client to talk with, Maildirs to fill.

#![allow(dead_code, unreachable_pub, reason = "every program takes its own part of this")]

pub mod calls;
pub mod certificates;
pub mod conversation;
pub mod courier;
pub mod cyrus;
pub mod directory;
pub mod dovecot;
pub mod ds389;
pub mod examples;
pub mod factory;
pub mod haproxy;
pub mod imap;
pub mod ldap_relay;
pub mod login;
pub mod machine;
pub mod maildir;
pub mod mbsync;
pub mod mount;
pub mod mta_client;
pub mod overlays;
pub mod ports;
pub mod postfix;
pub mod probe;
pub mod process;
pub mod relay;
pub mod samba;
pub mod scram;
pub mod service;
pub mod slapd;
pub mod stage;
pub mod submission;
pub mod submission_exim;
pub mod submission_postfix;
pub mod terminal;
pub mod tokens;
pub mod unpacked;

use std::time::{Duration, Instant};

/// How long anything on this machine may take before a test gives up.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Looks again and again until something holds, and fails the test if it never does.
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "waited {PATIENCE:?} in vain until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Waits until the last change of a Maildir is older than the margin, so that an unchanged one is known by two looks.
pub fn wait_until_settled(maildir: &std::path::Path) {
    let is_old = |part: &str| {
        let changed = std::fs::metadata(maildir.join(part)).unwrap().modified().unwrap();
        changed.elapsed().is_ok_and(|age| age > Duration::from_millis(2100))
    };
    wait_until("the Maildir is settled", || is_old("new") && is_old("cur"));
}

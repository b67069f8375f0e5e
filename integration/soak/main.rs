//! Everybody at once, for a while: with an exact account of every message at the end.
//!
//! `SOAK_SECONDS` (20) says how long, `KILL_ROUNDS` (12) how often a node is killed in the middle of its work. An hour and
//! 200 rounds: `SOAK_SECONDS=3600 KILL_ROUNDS=200 cargo test --release --test soak`. As a release build it has a hundred
//! sessions a second in the Maildir that never holds still.
//!
//! A program of its own, because it is meant to run alone for hours, and uses the machine as far as it can.

#![cfg(test)] // A fault in any item is a failed test: that is how clippy.toml then judges a panic.

#[path = "../support/mod.rs"]
mod support;

/// Deliveries, IMAP clients, programs that touch files and POP3 clients at once in one Maildir.
mod everybody;
/// A node that is killed at any moment of its work, with room on its disk and without.
mod killing;
/// Three nodes over one mail root behind `HAProxy`, with two replicas of the directory, each of them killed in turn.
mod nodes;
/// A Maildir that never holds still, and a service that is killed again and again.
mod restless;

/// Which messages there are, which were deleted by whom, and under which unique-id each was seen.
mod account;
/// The same where a message may have several files, and several messages one name.
mod ledger;
/// The octets of messages, as they are read and as they lie on disk.
mod mail;
/// The account at the end of a round, when nobody works in the Maildir.
mod settling;
/// A client that takes the end of a connection as it comes.
mod talk;
/// How often what was done.
mod tally;

use std::time::{SystemTime, UNIX_EPOCH};

/// A number from the environment.
fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

/// Numbers that nobody can foresee (xorshift64).
struct Dice(u64);

impl Dice {
    fn new(salt: u64) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let seed = now.as_secs() ^ u64::from(now.subsec_nanos()) << 32;
        Self((seed ^ salt.wrapping_mul(0x9e37_79b9_7f4a_7c15)) | 1)
    }

    /// From 0 to below `end`.
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(end).unwrap()).unwrap()
    }

    fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }
}

//! Everybody at once, for a while: with an exact account of every message at the end.
//!
//! `SOAK_SECONDS` (20) says how long, `KILL_ROUNDS` (12) how often a node is killed in the middle of its work. An hour and
//! 200 rounds: `SOAK_SECONDS=3600 KILL_ROUNDS=200 cargo test --release --test soak`. As a release build it has a hundred
//! sessions a second in the Maildir that never holds still.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a fault here is a failed test"
)]

#[path = "soak/account.rs"]
mod account;
#[path = "soak/everybody.rs"]
mod everybody;
#[path = "soak/killing.rs"]
mod killing;
#[path = "soak/ledger.rs"]
mod ledger;
#[path = "soak/mail.rs"]
mod mail;
#[path = "soak/restless.rs"]
mod restless;
#[path = "soak/settling.rs"]
mod settling;
mod support;
#[path = "soak/talk.rs"]
mod talk;
#[path = "soak/tally.rs"]
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

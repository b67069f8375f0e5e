//! Counters of guesses: distinct wrong passwords within a time, by person or name and by network.
//!
//! Nothing here reads a clock, a file or a socket. A password is represented by a [`Tag`], a keyed hash: equal for
//! equal passwords, and revealing nothing about them. So a device that repeats an old password counts once.
//!
//! | file | rule |
//! |---|---|
//! | `counter` | one counter: when it locks out, and for how long |
//! | `table` | many counters in bounded memory |
//! | `network` | the unit in which clients are counted |
//! | `repeats` | log lines that anybody can cause are summed up |

mod counter;
mod network;
mod repeats;
mod table;

use std::time::Duration;

pub use counter::{Counter, LockOut, MOST_DELAY_STEPS, SERIES, Tag, Threshold};
pub use network::{Block, Network};
pub use repeats::{Pace, Repeats, Sum};
pub use table::Table;

/// The thresholds, and the duration of lock-outs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Distinct wrong passwords that lock a person out; 0 disables this.
    pub person: usize,
    /// Distinct refused pairs of name and password that lock a network out; 0 disables this.
    pub network: usize,
    /// How long a password counts after it was last tried.
    pub within: Duration,
    /// How long a first lock-out lasts; each further one within a day lasts twice as long as the one before.
    pub lasts: Duration,
    /// How long a lock-out lasts at most.
    pub lasts_at_most: Duration,
    /// Networks that are not counted, since many people come from each of their addresses.
    pub exempt_networks: Vec<Block>,
}

impl Settings {
    /// Nothing is counted.
    #[must_use]
    pub fn off() -> Self {
        Self { person: 0, network: 0, ..Self::default() }
    }

    /// The threshold of a person, and of a name that does not exist.
    #[must_use]
    pub fn of_person(&self) -> Threshold {
        self.threshold(self.person)
    }

    /// The threshold of a network.
    #[must_use]
    pub fn of_network(&self) -> Threshold {
        self.threshold(self.network)
    }

    fn threshold(&self, most: usize) -> Threshold {
        let Self { within, lasts, lasts_at_most, .. } = *self;
        Threshold { most, within, lasts, lasts_at_most }
    }

    /// Whether an address is in an exempt network.
    #[must_use]
    pub fn exempts(&self, address: std::net::IpAddr) -> bool {
        self.exempt_networks.iter().any(|block| block.contains(address))
    }
}

impl Default for Settings {
    fn default() -> Self {
        let (quarter, lasts_at_most) = (Duration::from_secs(15 * 60), Duration::from_secs(4 * 60 * 60));
        // Directories usually lock an account at five.
        Self { person: 4, network: 50, within: quarter, lasts: quarter, lasts_at_most, exempt_networks: Vec::new() }
    }
}

//! How lock-outs end: by time, or by an administrator who has counters forgotten.

use std::net::IpAddr;
use std::time::Instant;

use crate::directory::EntryId;
use crate::identity::IdentityMap;

/// Whose wrong passwords are to be forgotten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResetScope {
    /// A person, by the name that the log calls them; or a name that nobody has, as it was typed. Upper and lower case
    /// are alike.
    Person(String),
    /// The network of an address.
    Network(IpAddr),
    /// Everybody.
    All,
}

impl IdentityMap {
    /// Writes down the lock-outs that are over, and lets what was refused before them be asked anew. Each login does it;
    /// so that the log tells an end when it comes, call it now and then.
    pub fn end_lock_outs(&self) {
        self.lock_outs_ended(&self.guard.end_lock_outs(Instant::now()));
    }

    /// Forgets what was counted of a person, a network or everybody, and lets them in again; tells how many counters
    /// there were.
    pub fn reset_counters(&self, whom: &ResetScope) -> usize {
        let (forgotten, lifted) = self.guard.reset(whom);
        self.lock_outs_ended(&lifted);
        forgotten
    }

    /// What was refused before a lock-out is asked anew after it.
    fn lock_outs_ended(&self, people: &[EntryId]) {
        for person in people {
            self.passwords.forget_refused(person);
        }
    }
}

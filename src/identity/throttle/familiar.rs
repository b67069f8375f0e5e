//! Familiar networks: those from which a person logged in recently. A lock-out caused elsewhere does not affect the
//! person there.

use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use moka::policy::EvictionPolicy;
use moka::sync::Cache;

use crate::lockout::Network;

/// A network stays familiar for this long after the last login from it.
const FAMILIAR: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// Networks remembered for each person. With one more, the least recently used is dropped: somebody who logs in from
/// thousands of networks takes nobody else's place.
const OF_A_PERSON: usize = 32;

/// A person's networks, each with its last login.
type Networks = Arc<Mutex<Vec<(Network, Instant)>>>;

/// The familiar networks of all people.
pub(super) struct FamiliarNetworks<Person> {
    people: Cache<Person, Networks>,
}

impl<Person: Clone + Eq + Hash + Send + Sync + 'static> FamiliarNetworks<Person> {
    /// Room for this many people. The least recently used is dropped: the cache's usual policy (`TinyLFU`) would admit
    /// a new person only if they were looked up more often than one who is already there, which cannot happen here.
    pub(super) fn new(people: u64) -> Self {
        let people =
            Cache::builder().max_capacity(people).eviction_policy(EvictionPolicy::lru()).time_to_idle(FAMILIAR).build();
        Self { people }
    }

    /// For how many people there is room.
    pub(super) fn room(&self) -> u64 {
        self.people.policy().max_capacity().unwrap_or(u64::MAX)
    }

    /// The same networks, with room for another number of people.
    pub(super) fn with_room(&self, people: u64) -> Self {
        let renewed = Self::new(people);
        for (person, networks) in &self.people {
            renewed.people.insert(Person::clone(&person), networks);
        }
        renewed
    }

    /// A person logged in from a network.
    pub(super) fn note(&self, person: &Person, network: Network, now: Instant) {
        let networks = self.people.get_with_by_ref(person, Networks::default);
        let mut networks = networks.lock().unwrap_or_else(PoisonError::into_inner);
        networks.retain(|(other, last)| *other != network && is_recent(*last, now));
        if networks.len() >= OF_A_PERSON {
            // In the order of their last logins.
            networks.remove(0);
        }
        networks.push((network, now));
    }

    /// Whether a person logged in from a network recently.
    pub(super) fn contains(&self, person: &Person, network: Network, now: Instant) -> bool {
        let Some(networks) = self.people.get(person) else { return false };
        let networks = networks.lock().unwrap_or_else(PoisonError::into_inner);
        networks.iter().any(|(other, last)| *other == network && is_recent(*last, now))
    }
}

fn is_recent(last: Instant, now: Instant) -> bool {
    now.saturating_duration_since(last) < FAMILIAR
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(number: usize) -> Network {
        let octets = u32::try_from(number).unwrap().to_be_bytes();
        Network::of(octets.into())
    }

    #[test]
    fn newcomers_are_learnt_though_it_is_full() {
        let (familiar, now) = (FamiliarNetworks::new(100), Instant::now());
        for number in 0..100 {
            familiar.note(&number, network(1), now);
        }
        familiar.people.run_pending_tasks();
        for _ in 0..20 {
            for number in 0..100 {
                assert!(familiar.contains(&number, network(1), now));
            }
            familiar.people.run_pending_tasks();
        }
        for number in 100..150 {
            familiar.note(&number, network(1), now);
            familiar.people.run_pending_tasks();
            assert!(familiar.contains(&number, network(1), now), "{number}");
        }
        assert!(familiar.people.entry_count() <= 100);
    }

    #[test]
    fn many_networks_of_one_person_take_nobody_elses_place() {
        let (familiar, now) = (FamiliarNetworks::new(10), Instant::now());
        familiar.note(&1, network(1), now);
        for number in 0..1_000 {
            familiar.note(&2, network(number), now);
        }
        familiar.people.run_pending_tasks();
        assert!(familiar.contains(&1, network(1), now));
        assert!(familiar.contains(&2, network(999), now) && !familiar.contains(&2, network(0), now));
        let networks = familiar.people.get(&2).unwrap();
        assert_eq!(networks.lock().unwrap().len(), OF_A_PERSON);
    }

    #[test]
    fn a_network_is_familiar_for_a_fortnight_after_the_last_login() {
        let (familiar, begin) = (FamiliarNetworks::new(10), Instant::now());
        familiar.note(&1, network(1), begin);
        let again = begin + FAMILIAR / 2;
        assert!(familiar.contains(&1, network(1), again));
        familiar.note(&1, network(1), again);
        assert!(familiar.contains(&1, network(1), begin + FAMILIAR));
        assert!(!familiar.contains(&1, network(1), again + FAMILIAR));
    }
}

//! Events that anybody can cause: the first ones of each kind from a network are reported one by one, and those that
//! follow are summed up.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::{Duration, Instant};

use super::Network;

/// How often events of a kind are reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// This many from a network are reported one by one within [`Self::within`]; with 0, only sums are reported: the
    /// first at the next call of [`Repeats::sums`], then at most one within that time.
    pub one_by_one: u32,
    /// The time after which the others are summed up.
    pub within: Duration,
}

/// Events that were not reported one by one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sum<Kind> {
    /// What they were.
    pub kind: Kind,
    /// Where they came from; none for networks beyond the limit.
    pub network: Option<Network>,
    /// How many there were.
    pub count: u64,
}

/// What is remembered of events, by kind and network. Bounded.
#[derive(Debug)]
pub struct Repeats<Kind> {
    pace: Pace,
    most: usize,
    seen: HashMap<(Kind, Option<Network>), Seen>,
}

#[derive(Debug)]
struct Seen {
    reported: u32,
    summed: u64,
    due: Instant,
}

impl<Kind: Clone + Eq + Hash> Repeats<Kind> {
    /// With this pace, for at most this many pairs of kind and network.
    #[must_use]
    pub fn new(pace: Pace, most: usize) -> Self {
        Self { pace, most, seen: HashMap::new() }
    }

    /// Notes an event; returns whether to report it by itself. Otherwise it is part of a sum.
    pub fn note(&mut self, kind: Kind, network: Network, now: Instant) -> bool {
        let Pace { one_by_one, within } = self.pace;
        let key = (kind, Some(network));
        let key = if self.seen.len() < self.most || self.seen.contains_key(&key) { key } else { (key.0, None) };
        let due = if one_by_one == 0 { now } else { now + within };
        let seen = self.seen.entry(key).or_insert(Seen { reported: 0, summed: 0, due });
        if seen.reported < one_by_one {
            seen.reported += 1;
            return true;
        }
        seen.summed += 1;
        false
    }

    /// The sums that are due. Where nothing was summed up since the last one, counting begins anew.
    pub fn sums(&mut self, now: Instant) -> Vec<Sum<Kind>> {
        let (mut sums, within) = (Vec::new(), self.pace.within);
        self.seen.retain(|(kind, network), seen| {
            if seen.due > now {
                return true;
            }
            if seen.summed > 0 {
                sums.push(Sum { kind: kind.clone(), network: *network, count: seen.summed });
            }
            // While it goes on, only sums are reported.
            let goes_on = seen.summed > 0;
            (seen.summed, seen.due) = (0, now + within);
            goes_on
        });
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn network(number: u32) -> Network {
        Network::of(std::net::IpAddr::from(number.to_be_bytes()))
    }

    fn counts(sums: &[Sum<&str>]) -> Vec<u64> {
        sums.iter().map(|sum| sum.count).collect()
    }

    #[test]
    fn the_first_ones_are_reported_and_the_others_summed_up() {
        let mut repeats = Repeats::new(Pace { one_by_one: 3, within: MINUTE }, 100);
        let begin = Instant::now();
        let reported =
            |repeats: &mut Repeats<&str>, now| (0..10).filter(|_| repeats.note("x", network(1), now)).count();
        assert_eq!(reported(&mut repeats, begin), 3);
        assert!(repeats.note("x", network(2), begin) && repeats.note("y", network(1), begin), "each for itself");
        assert_eq!(repeats.sums(begin), []);
        let sum = Sum { kind: "x", network: Some(network(1)), count: 7 };
        assert_eq!(repeats.sums(begin + MINUTE), [sum]);
        assert_eq!(reported(&mut repeats, begin + MINUTE), 0, "it goes on");
        assert_eq!(counts(&repeats.sums(begin + 2 * MINUTE)), [10]);
        assert_eq!(repeats.sums(begin + 3 * MINUTE), []);
        assert_eq!(reported(&mut repeats, begin + 4 * MINUTE), 3, "after a minute of quiet");
    }

    #[test]
    fn without_single_reports_the_first_sum_comes_at_once() {
        let mut repeats = Repeats::new(Pace { one_by_one: 0, within: MINUTE }, 100);
        let begin = Instant::now();
        assert!(!repeats.note("x", network(1), begin));
        assert_eq!(counts(&repeats.sums(begin)), [1]);
        for _ in 0..1_000 {
            assert!(!repeats.note("x", network(1), begin));
        }
        assert_eq!(repeats.sums(begin + MINUTE / 2), []);
        assert_eq!(counts(&repeats.sums(begin + MINUTE)), [1_000]);
    }

    #[test]
    fn a_flood_from_everywhere_takes_bounded_memory_and_is_counted() {
        let mut repeats = Repeats::new(Pace { one_by_one: 1, within: MINUTE }, 10);
        let begin = Instant::now();
        let reported = (0..1_000).filter(|number| repeats.note("x", network(*number), begin)).count();
        assert_eq!((reported, repeats.seen.len()), (11, 11));
        let sums = repeats.sums(begin + MINUTE);
        assert_eq!(sums, [Sum { kind: "x", network: None, count: 989 }]);
    }
}

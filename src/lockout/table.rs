//! Many counters in bounded memory.

use std::hash::{BuildHasher, Hash, RandomState};
use std::time::Instant;

use super::counter::{Counter, LockOut, Tag, Threshold};

/// Counters by key, in sets of `WAYS`; a key's set is chosen by a hash that is not predictable from outside.
///
/// A flood of new keys does not displace the counters that matter: a new key replaces the counter of least weight in
/// its set. A lock-out is replaced only if the whole set is locked out, and then the one that ends first; if lock-outs
/// were never replaced, new keys could be guessed without limit.
pub struct Table<Key> {
    threshold: Threshold,
    hasher: RandomState,
    sets: Box<[Vec<(Key, Counter)>]>,
}

/// Keys of one set.
const WAYS: usize = 16;

/// No table has room for more keys.
const MOST_KEYS: usize = 1_000_000;

impl<Key: Hash + Eq> Table<Key> {
    /// With room for this many keys, a million at most. With a threshold of 0 nothing is counted.
    #[must_use]
    pub fn new(threshold: Threshold, keys: usize) -> Self {
        let sets = if threshold.most == 0 { 0 } else { keys.clamp(WAYS, MOST_KEYS).div_ceil(WAYS) };
        Self { threshold, hasher: RandomState::new(), sets: (0..sets).map(|_| Vec::new()).collect() }
    }

    /// Changes the threshold and the room. Counters stay, unless nothing is counted any more, or there is no room for them:
    /// then those of least weight go. A lock-out that has begun ends when it was to end.
    pub fn retune(&mut self, threshold: Threshold, keys: usize, now: Instant) {
        let mut retuned = Self::new(threshold, keys);
        if retuned.sets.len() == self.sets.len() {
            self.threshold = threshold;
            return;
        }
        for (key, counter) in std::mem::take(&mut self.sets).into_iter().flatten() {
            if let Some(room) = retuned.room(key, now) {
                *room = counter;
            }
        }
        *self = retuned;
    }

    /// See [`Counter::reserve`]; if nothing is counted, every password may be tried.
    pub fn reserve(&mut self, key: Key, tag: Tag, now: Instant) -> bool {
        let threshold = self.threshold;
        self.room(key, now).is_none_or(|counter| counter.reserve(tag, threshold, now))
    }

    /// See [`Counter::count`].
    pub fn count(&mut self, key: Key, tag: Tag, now: Instant) -> Option<LockOut> {
        let threshold = self.threshold;
        self.room(key, now)?.count(tag, threshold, now)
    }

    /// See [`Counter::withdraw`].
    pub fn withdraw(&mut self, key: &Key, tag: Tag) {
        if let Some(counter) = self.counter(key) {
            counter.withdraw(tag);
        }
    }

    /// See [`Counter::clear`].
    pub fn clear(&mut self, key: &Key, tag: Tag) {
        if let Some(counter) = self.counter(key) {
            counter.clear(tag);
        }
    }

    /// Whether a key is locked out now.
    #[must_use]
    pub fn is_locked(&self, key: &Key, now: Instant) -> bool {
        self.held(key).is_some_and(|counter| counter.locked_until(now).is_some())
    }

    /// See [`Counter::delay_steps`].
    #[must_use]
    pub fn delay_steps(&self, key: &Key, now: Instant) -> u32 {
        self.held(key).map_or(0, |counter| counter.delay_steps(self.threshold, now))
    }

    /// Forgets the counters of some keys, including lock-outs; returns how many.
    pub fn forget(&mut self, is_meant: impl Fn(&Key) -> bool) -> usize {
        let mut forgotten = 0;
        for set in &mut self.sets {
            let before = set.len();
            set.retain(|(key, _)| !is_meant(key));
            forgotten += before - set.len();
        }
        forgotten
    }

    /// Forgets the counter of one key.
    pub fn forget_one(&mut self, key: &Key) {
        let place = self.place(key);
        if let Some(set) = self.sets.get_mut(place) {
            set.retain(|(held, _)| held != key);
        }
    }

    fn place(&self, key: &Key) -> usize {
        let sets = u64::try_from(self.sets.len()).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.hasher.hash_one(key) % sets).unwrap_or(0)
    }

    fn held(&self, key: &Key) -> Option<&Counter> {
        self.sets.get(self.place(key))?.iter().find(|(held, _)| held == key).map(|(_, counter)| counter)
    }

    fn counter(&mut self, key: &Key) -> Option<&mut Counter> {
        let place = self.place(key);
        self.sets.get_mut(place)?.iter_mut().find(|(held, _)| held == key).map(|(_, counter)| counter)
    }

    /// The counter of a key, a fresh one if it has none.
    fn room(&mut self, key: Key, now: Instant) -> Option<&mut Counter> {
        let (place, threshold) = (self.place(&key), self.threshold);
        let set = self.sets.get_mut(place)?;
        if let Some(at) = set.iter().position(|(held, _)| *held == key) {
            return set.get_mut(at).map(|(_, counter)| counter);
        }
        if set.len() >= WAYS {
            let weights = set.iter().map(|(_, counter)| counter.weight(threshold, now)).enumerate();
            let (lightest, _) = weights.min_by_key(|(_, weight)| *weight)?;
            set.swap_remove(lightest);
        }
        set.push((key, Counter::default()));
        set.last_mut().map(|(_, counter)| counter)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);
    const FIVE: Threshold = Threshold { most: 5, within: HOUR, lasts: HOUR, lasts_at_most: HOUR };

    fn size<Key>(table: &Table<Key>) -> usize {
        table.sets.iter().map(Vec::len).sum()
    }

    #[test]
    fn with_a_threshold_of_0_nothing_is_counted() {
        let (mut table, now) = (Table::new(Threshold { most: 0, ..FIVE }, 100), Instant::now());
        for tag in 0..100 {
            assert!(table.reserve("a", tag, now));
            assert_eq!(table.count("a", tag, now), None);
        }
        assert_eq!((table.is_locked(&"a", now), table.delay_steps(&"a", now), size(&table)), (false, 0, 0));
    }

    #[test]
    fn counters_stay_when_threshold_and_room_change() {
        let (mut table, now) = (Table::new(FIVE, 100), Instant::now());
        for tag in 0..5 {
            table.count("locked", tag, now);
        }
        for tag in 0..2 {
            table.count("counted", tag, now);
        }
        table.retune(Threshold { most: 3, ..FIVE }, 100_000, now);
        assert!(table.is_locked(&"locked", now) && !table.is_locked(&"counted", now));
        assert!(table.count("counted", 2, now).is_some(), "the third of three");
        table.retune(Threshold { most: 0, ..FIVE }, 100_000, now);
        assert_eq!((table.is_locked(&"locked", now), size(&table)), (false, 0));
        table.retune(FIVE, 100, now);
        assert!(table.count("locked", 0, now).is_none(), "counted anew");
        assert_eq!(size(&table), 1);
    }

    #[test]
    fn who_is_forgotten_is_no_longer_locked_out() {
        let (mut table, now) = (Table::new(FIVE, 100), Instant::now());
        for key in ["a", "b"] {
            for tag in 0..5 {
                table.count(key, tag, now);
            }
        }
        assert_eq!(table.forget(|key| *key == "a"), 1);
        assert!(!table.is_locked(&"a", now) && table.is_locked(&"b", now));
    }

    /// Else an attacker who has filled a table with lock-outs could guess everybody else's passwords without end.
    #[test]
    fn newcomers_are_counted_though_everybody_is_locked_out() {
        let (mut table, now) = (Table::new(FIVE, WAYS), Instant::now());
        let later = |key: usize| now + Duration::from_secs(u64::try_from(key).unwrap());
        for key in 0..WAYS {
            for tag in 0..5 {
                table.count(key, tag, later(key));
            }
        }
        for tag in 0..4 {
            assert_eq!(table.count(WAYS, tag, later(WAYS)), None);
        }
        assert_eq!(table.delay_steps(&WAYS, later(WAYS)), 3);
        assert!(table.count(WAYS, 4, later(WAYS)).is_some());
        let locked: Vec<usize> = (0..=WAYS).filter(|key| table.is_locked(key, later(WAYS))).collect();
        assert_eq!(locked, (1..=WAYS).collect::<Vec<_>>(), "the one that would have ended first made room");
    }

    #[test]
    fn a_flood_does_not_forget_that_somebody_was_locked_out() {
        let (mut table, now) = (Table::new(Threshold { lasts_at_most: 4 * HOUR, ..FIVE }, WAYS), Instant::now());
        let lock_out = |table: &mut Table<u32>, now| (0..5).find_map(|tag| table.count(0, tag, now)).unwrap();
        assert_eq!(lock_out(&mut table, now).until, now + HOUR);
        let later = now + 2 * HOUR;
        for key in 1..1_000 {
            table.count(key, 1, later);
        }
        assert_eq!(lock_out(&mut table, later).until, later + 2 * HOUR);
        assert_eq!(table.forget(|key| *key == 0), 1);
        assert_eq!(lock_out(&mut table, later).until, later + HOUR, "forgiven");
    }

    proptest! {
        /// A key that was caught guessing is still known after a flood of fresh keys, and the table does not grow.
        #[test]
        fn a_flood_empties_it_of_nobody_who_is_counted(
            guesses in prop::collection::vec(2..=5_u64, 1..4),
            flood in 1_000..4_000_u32,
        ) {
            let (mut table, now) = (Table::new(FIVE, 64), Instant::now());
            for (guesser, tags) in (0..).zip(&guesses) {
                for tag in 0..*tags {
                    table.count(guesser, tag, now);
                }
            }
            for key in 0..flood {
                let later = now + Duration::from_millis(key.into());
                table.count(1_000 + key, 1, later);
                prop_assert!(table.reserve(1_000_000 + key, 1, later));
            }
            prop_assert!(size(&table) <= 64);
            for (guesser, tags) in (0..).zip(guesses) {
                let now = now + Duration::from_secs(10);
                prop_assert_eq!(table.is_locked(&guesser, now), tags == 5);
                prop_assert_eq!(u64::from(table.delay_steps(&guesser, now)), tags - 1);
            }
        }
    }
}

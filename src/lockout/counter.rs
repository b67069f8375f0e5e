//! One counter: distinct wrong passwords within a time, and what they lead to.

use std::time::{Duration, Instant};

/// A keyed hash of a password, or of a name and a password: equal for equal ones, and revealing nothing of them.
pub type Tag = u64;

/// When a counter locks out, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Threshold {
    /// The number of distinct wrong passwords that begins a lock-out; 0 counts nothing.
    pub most: usize,
    /// How long a password counts after it was last tried.
    pub within: Duration,
    /// How long a first lock-out lasts. Each further one that begins within [`SERIES`] of the end of the one before
    /// lasts twice as long as that.
    pub lasts: Duration,
    /// How long a lock-out lasts at most; where this is less than `lasts`, each lasts as long as the first.
    pub lasts_at_most: Duration,
}

/// A lock-out that has just begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LockOut {
    /// The distinct wrong passwords that led to it.
    pub count: usize,
    /// Its place in its series, 1 for the first: each lasts twice as long as the one before.
    pub in_a_row: u32,
    /// When it ends.
    pub until: Instant,
}

/// The most steps by which a refusal is delayed beyond the first one: those of a counter at its threshold.
pub const MOST_DELAY_STEPS: u32 = 4;

/// Within this time after a lock-out has ended, the next one is a repetition.
pub const SERIES: Duration = Duration::from_secs(24 * 60 * 60);

/// What is remembered of one person, name or network.
#[derive(Debug, Default)]
pub struct Counter {
    tries: Vec<Guess>,
    last_lock_out: Option<LastLockOut>,
}

#[derive(Clone, Copy, Debug)]
struct LastLockOut {
    until: Instant,
    in_a_row: u32,
}

impl Threshold {
    /// How long a lock-out lasts, by its place in its series.
    fn duration(&self, in_a_row: u32) -> Duration {
        let doubled = self.lasts.saturating_mul(2_u32.saturating_pow(in_a_row.saturating_sub(1)));
        doubled.min(self.lasts_at_most.max(self.lasts))
    }
}

#[derive(Clone, Copy, Debug)]
struct Guess {
    tag: Tag,
    at: Instant,
    /// It was refused; otherwise it is still being checked.
    is_wrong: bool,
}

impl Counter {
    /// Whether a password may be tried; if so, reserves a place for it until [`Self::count`] or [`Self::withdraw`].
    /// There are no more places than the threshold, so that many tries at once cannot exceed it.
    pub fn reserve(&mut self, tag: Tag, threshold: Threshold, now: Instant) -> bool {
        self.forget_old(threshold, now);
        if self.locked_until(now).is_some() {
            return false;
        }
        if self.tries.iter().any(|tried| tried.tag == tag) {
            return true;
        }
        if self.tries.len() >= threshold.most {
            return false;
        }
        self.tries.push(Guess { tag, at: now, is_wrong: false });
        true
    }

    /// Counts a wrong password; returns the lock-out if this one began a lock-out. A password that was counted before
    /// is only kept for longer. During a lock-out nothing is counted, so that its end does not depend on who goes on
    /// guessing.
    pub fn count(&mut self, tag: Tag, threshold: Threshold, now: Instant) -> Option<LockOut> {
        self.forget_old(threshold, now);
        if self.locked_until(now).is_some() {
            return None;
        }
        self.tries.retain(|tried| tried.tag != tag);
        self.tries.push(Guess { tag, at: now, is_wrong: true });
        let count = self.wrong(threshold, now);
        if count < threshold.most {
            return None;
        }
        let in_a_row = self.repetitions(now).saturating_add(1);
        let until = now + threshold.duration(in_a_row);
        *self = Self { tries: Vec::new(), last_lock_out: Some(LastLockOut { until, in_a_row }) };
        Some(LockOut { count, in_a_row, until })
    }

    /// Gives back the place of a password that was not judged.
    pub fn withdraw(&mut self, tag: Tag) {
        self.tries.retain(|tried| tried.tag != tag || tried.is_wrong);
    }

    /// Takes back a password that has turned out to be right.
    pub fn clear(&mut self, tag: Tag) {
        self.tries.retain(|tried| tried.tag != tag);
    }

    /// The end of the lock-out, if there is one now.
    #[must_use]
    pub fn locked_until(&self, now: Instant) -> Option<Instant> {
        self.last_lock_out.map(|last| last.until).filter(|until| *until > now)
    }

    /// How many lock-outs the next one would repeat.
    fn repetitions(&self, now: Instant) -> u32 {
        let recent = self.last_lock_out.filter(|last| now.saturating_duration_since(last.until) < SERIES);
        recent.map_or(0, |last| last.in_a_row)
    }

    /// How many distinct wrong passwords count now.
    #[must_use]
    pub fn wrong(&self, threshold: Threshold, now: Instant) -> usize {
        self.tries.iter().filter(|tried| tried.is_wrong && is_young(tried, threshold, now)).count()
    }

    /// The number of steps by which a refusal is delayed: none for the first wrong password, [`MOST_DELAY_STEPS`] from
    /// the threshold on and during a lock-out, and in proportion in between.
    #[must_use]
    pub fn delay_steps(&self, threshold: Threshold, now: Instant) -> u32 {
        if self.locked_until(now).is_some() {
            return MOST_DELAY_STEPS;
        }
        let (gone, way) = (self.wrong(threshold, now).saturating_sub(1), threshold.most.saturating_sub(1).max(1));
        u32::try_from(gone * MOST_DELAY_STEPS as usize / way)
            .map_or(MOST_DELAY_STEPS, |steps| steps.min(MOST_DELAY_STEPS))
    }

    /// How much this counter is worth keeping: a lock-out comes first, the one that ends last before the others; then
    /// the number of wrong passwords, of which a recent lock-out counts as two; then the time of the latest one.
    pub(super) fn weight(&self, threshold: Threshold, now: Instant) -> (bool, usize, Option<Instant>) {
        if let Some(until) = self.locked_until(now) {
            return (true, 0, Some(until));
        }
        let latest = self.tries.iter().map(|tried| tried.at).max();
        let repetitions = usize::try_from(self.repetitions(now)).unwrap_or(usize::MAX);
        (false, repetitions.saturating_mul(2).saturating_add(self.wrong(threshold, now)), latest)
    }

    fn forget_old(&mut self, threshold: Threshold, now: Instant) {
        self.tries.retain(|tried| is_young(tried, threshold, now));
    }
}

fn is_young(tried: &Guess, threshold: Threshold, now: Instant) -> bool {
    now.saturating_duration_since(tried.at) < threshold.within
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FIVE: Threshold = Threshold {
        most: 5,
        within: Duration::from_secs(900),
        lasts: Duration::from_secs(600),
        lasts_at_most: Duration::from_secs(4 * 3600),
    };

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_stale_password_repeated_all_day_counts_once() {
        let (mut counter, begin) = (Counter::default(), Instant::now());
        for poll in 0..288 {
            let now = begin + seconds(300 * poll);
            assert!(counter.reserve(7, FIVE, now));
            assert_eq!(counter.count(7, FIVE, now), None);
            assert_eq!((counter.wrong(FIVE, now), counter.delay_steps(FIVE, now)), (1, 0));
        }
    }

    #[test]
    fn the_delay_grows_to_the_lock_out_which_ends_and_leaves_no_delay() {
        let (mut counter, now) = (Counter::default(), Instant::now());
        for (tag, steps) in [(1, 0), (2, 1), (3, 2), (4, 3)] {
            assert_eq!((counter.count(tag, FIVE, now), counter.delay_steps(FIVE, now)), (None, steps));
        }
        let until = now + seconds(600);
        assert_eq!(counter.count(5, FIVE, now), Some(LockOut { count: 5, in_a_row: 1, until }));
        assert_eq!((counter.locked_until(now), counter.delay_steps(FIVE, now)), (Some(until), MOST_DELAY_STEPS));
        let before = now + seconds(599);
        assert!(!counter.reserve(1, FIVE, before) && counter.count(9, FIVE, before).is_none());
        assert!(counter.reserve(6, FIVE, until));
        assert_eq!((counter.locked_until(until), counter.wrong(FIVE, until)), (None, 0));
    }

    /// Locks it out at a moment; how long that lasts.
    fn lock_out(counter: &mut Counter, threshold: Threshold, now: Instant) -> Duration {
        let begun: Vec<LockOut> = (0..5).filter_map(|tag| counter.count(tag, threshold, now)).collect();
        assert_eq!(begun.len(), 1);
        begun[0].until - now
    }

    #[test]
    fn each_further_lock_out_within_a_day_lasts_twice_as_long() {
        let (mut counter, mut now) = (Counter::default(), Instant::now());
        for minutes in [10, 20, 40, 80, 160, 240, 240] {
            let lasts = lock_out(&mut counter, FIVE, now);
            assert_eq!(lasts, seconds(60 * minutes));
            now += lasts + SERIES / 2;
        }
        now += SERIES / 2;
        assert_eq!(lock_out(&mut counter, FIVE, now), seconds(600), "after a day without one");
    }

    #[test]
    fn lock_outs_do_not_grow_where_the_most_is_as_long_as_the_first() {
        for lasts_at_most in [FIVE.lasts, Duration::ZERO] {
            let (mut counter, mut now) = (Counter::default(), Instant::now());
            for _ in 0..40 {
                assert_eq!(lock_out(&mut counter, Threshold { lasts_at_most, ..FIVE }, now), FIVE.lasts);
                now += FIVE.lasts;
            }
        }
    }

    #[test]
    fn many_tries_at_once_are_no_way_around_the_threshold() {
        let (mut counter, now) = (Counter::default(), Instant::now());
        let admitted = (0..100).filter(|tag| counter.reserve(*tag, FIVE, now)).count();
        assert_eq!(admitted, 5);
        counter.withdraw(0);
        assert!(counter.reserve(100, FIVE, now), "a place was given back");
    }

    /// What a counter must do, given the whole history.
    struct Model(Vec<(Tag, Instant)>, Option<Instant>, u32);

    impl Model {
        fn count(&mut self, tag: Tag, now: Instant) -> bool {
            if self.1.is_some_and(|until| now < until) {
                return false;
            }
            if self.1.take().is_some() {
                self.0.clear();
            }
            self.0.push((tag, now));
            let mut young: Vec<Tag> =
                self.0.iter().filter(|(_, at)| now.duration_since(*at) < FIVE.within).map(|(tag, _)| *tag).collect();
            young.sort_unstable();
            young.dedup();
            if young.len() >= FIVE.most {
                self.1 = Some(now + (FIVE.lasts * 2_u32.pow(self.2)).min(FIVE.lasts_at_most));
                self.2 = (self.2 + 1).min(10);
            }
            self.1.is_some()
        }
    }

    proptest! {
        #[test]
        fn it_locks_exactly_at_so_many_distinct_ones_within_the_time(
            tries in prop::collection::vec((0..9_u64, 0..400_u64), 0..200)
        ) {
            let (mut counter, mut model) = (Counter::default(), Model(Vec::new(), None, 0));
            let mut now = Instant::now();
            for (tag, pause) in tries {
                now += seconds(pause);
                let begun = counter.count(tag, FIVE, now).is_some();
                prop_assert_eq!(begun, model.count(tag, now));
                prop_assert_eq!(counter.locked_until(now), model.1.filter(|until| *until > now));
                prop_assert!(counter.tries.len() < FIVE.most);
            }
        }

        #[test]
        fn a_right_password_leaves_no_trace_and_an_unjudged_one_does_not_either(
            wrong in prop::collection::vec(0..4_u64, 0..8)
        ) {
            let (mut counter, now) = (Counter::default(), Instant::now());
            for tag in wrong {
                counter.count(tag, FIVE, now);
            }
            let before = counter.wrong(FIVE, now);
            prop_assert!(counter.reserve(99, FIVE, now));
            counter.withdraw(99);
            prop_assert!(counter.reserve(98, FIVE, now));
            counter.clear(98);
            prop_assert_eq!((counter.wrong(FIVE, now), counter.tries.len()), (before, before));
        }
    }
}

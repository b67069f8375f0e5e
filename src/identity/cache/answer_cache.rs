//! Answers of the directories, each cached for a lifetime of its own and valid until a flush.

use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use moka::Expiry;
use moka::future::{Cache, CacheBuilder};
use moka::policy::EvictionPolicy;

use super::flushes::{Flushes, Generation};
use crate::directory::Fault;
use crate::ledger::CacheCounter;

/// A cache of answers. Only one look-up is made at a time for each key, however many ask.
pub(super) struct AnswerCache<Key, Value> {
    answers: Cache<Key, Dated<Value>>,
    flushes: Arc<Flushes>,
    counter: CacheCounter,
}

/// An answer, when it was asked for, and for how long it is cached.
#[derive(Clone)]
pub(super) struct Dated<Value> {
    pub(super) asked: Generation,
    pub(super) value: Value,
    pub(super) lifetime: Duration,
}

/// Each answer has a lifetime of its own.
struct OwnLifetime;

impl<Key, Value> Expiry<Key, Dated<Value>> for OwnLifetime {
    fn expire_after_create(&self, _: &Key, answer: &Dated<Value>, _: Instant) -> Option<Duration> {
        Some(answer.lifetime)
    }

    /// A replacement has its own lifetime, not the rest of the old one.
    fn expire_after_update(&self, _: &Key, answer: &Dated<Value>, _: Instant, _: Option<Duration>) -> Option<Duration> {
        Some(answer.lifetime)
    }
}

impl<Key, Value> AnswerCache<Key, Value>
where
    Key: Clone + Eq + Hash + Send + Sync + 'static,
    Value: Clone + Send + Sync + 'static,
{
    pub(super) fn new(most: u64, policy: EvictionPolicy, flushes: Arc<Flushes>, counter: CacheCounter) -> Self {
        let builder: CacheBuilder<_, _, Cache<Key, Dated<Value>>> = Cache::builder();
        let answers = builder.max_capacity(most).eviction_policy(policy).expire_after(OwnLifetime).build();
        Self { answers, flushes, counter }
    }

    /// The answer, from the cache or from `look_up`. An outage is never cached.
    ///
    /// The cache keeps the answer of a look-up that was in progress during a flush. Such an answer is not used: the
    /// login that finds it asks again. Changes may come faster than answers: an answer that was asked for after the
    /// first one was found is recent enough, but is not cached.
    pub(super) async fn get<Asked>(
        &self,
        key: &Key,
        look_up: impl Fn() -> Asked,
        is_believed: impl Fn(&Dated<Value>) -> bool,
    ) -> Result<Value, Fault>
    where
        Asked: Future<Output = Result<Dated<Value>, Fault>>,
    {
        let (mut anew, has_asked) = (None, AtomicBool::new(false));
        loop {
            let asking = async {
                has_asked.store(true, Ordering::Relaxed);
                look_up().await
            };
            let answer = self.answers.try_get_with_by_ref(key, asking).await;
            let answer = answer.map_err(|fault: Arc<Fault>| (*fault).clone());
            let is_hit = !has_asked.load(Ordering::Relaxed) && answer.as_ref().is_ok_and(&is_believed);
            if anew.is_none() {
                self.counter.note(is_hit);
            }
            let answer = answer?;
            if is_believed(&answer) {
                return Ok(answer.value);
            }
            self.answers.invalidate(key).await;
            if answer.asked >= *anew.get_or_insert_with(|| self.flushes.now()) {
                return Ok(answer.value);
            }
        }
    }

    pub(super) async fn insert(&self, key: Key, answer: Dated<Value>) {
        self.answers.insert(key, answer).await;
    }

    pub(super) async fn remove(&self, key: &Key) {
        self.answers.invalidate(key).await;
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Arc<Key>, Dated<Value>)> {
        self.answers.iter()
    }

    /// How many answers there are, once those that are due have been dropped.
    pub(super) async fn count(&self) -> u64 {
        self.answers.run_pending_tasks().await;
        self.answers.entry_count()
    }

    /// Drops everything; returns the number of answers.
    pub(super) fn clear(&self) -> u64 {
        let count = self.answers.iter().count();
        self.answers.invalidate_all();
        u64::try_from(count).unwrap_or(u64::MAX)
    }
}

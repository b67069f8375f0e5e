//! Who had a name or a certificate when all directories last answered. That may bridge an outage.

use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;
use moka::policy::EvictionPolicy;

use super::flushes::{Flushes, Generation};
use crate::identity::person::Identity;
use crate::names::Kind;

/// The last owners, for as long as an outage may be bridged.
pub(super) struct LastOwners<Key> {
    /// None if their lifetime is zero.
    owners: Option<Cache<Key, LastOwner>>,
    outage_grace: Duration,
    flushes: Arc<Flushes>,
}

/// Who was found when all directories last answered.
#[derive(Clone)]
pub(super) struct LastOwner {
    pub(super) asked: Generation,
    pub(super) person: Arc<Identity>,
    /// The kind of name that matched, if it was a name.
    pub(super) kind: Option<Kind>,
}

impl<Key: Clone + Eq + Hash + Send + Sync + 'static> LastOwners<Key> {
    /// Room for this many, each for a lifetime. Only keys that lead to one person are remembered; a new one replaces
    /// the least recently used.
    pub(super) fn new(most: u64, lifetime: Duration, outage_grace: Duration, flushes: Arc<Flushes>) -> Self {
        let builder = Cache::builder().max_capacity(most).eviction_policy(EvictionPolicy::lru());
        let owners = (!lifetime.is_zero()).then(|| builder.time_to_live(lifetime).build());
        Self { owners, outage_grace, flushes }
    }

    /// Lets another one bridge the same outages.
    pub(super) async fn copy_to(&self, other: &Self) {
        let (Some(own), Some(others)) = (&self.owners, &other.owners) else { return };
        for (key, owner) in own {
            others.insert(Key::clone(&key), owner).await;
        }
    }

    /// The last owner, if no flush was about them since. If the new answers contradict it, it bridges no further
    /// outage.
    pub(super) async fn known(
        &self,
        key: &Key,
        is_still: impl Fn(Option<&Arc<Identity>>) -> bool,
    ) -> Option<Arc<Identity>> {
        let last = self.get(key).await;
        let known = last.filter(|last| self.flushes.believes_of(last.asked, &last.person)).map(|last| last.person);
        if let Some(owners) = self.owners.as_ref().filter(|_| !is_still(known.as_ref())) {
            owners.invalidate(key).await;
        }
        known
    }

    async fn get(&self, key: &Key) -> Option<LastOwner> {
        self.owners.as_ref()?.get(key).await
    }

    /// The last owner, if every directory answered within the outage grace: then nobody else has the key.
    pub(super) fn is_sure(&self, known: &Identity) -> bool {
        known.is_within(self.outage_grace)
    }

    /// How long an answer that relies on the last owner is valid.
    pub(super) fn time_left(&self, sure: &Identity) -> Duration {
        self.outage_grace.saturating_sub(sure.looked_up.elapsed())
    }

    /// Every directory answered, and this is the owner.
    pub(super) async fn insert(&self, key: Key, owner: LastOwner) {
        if let Some(owners) = &self.owners {
            owners.insert(key, owner).await;
        }
    }

    /// The last owner, if an outage may be bridged by that: no change of the person was reported since.
    pub(super) async fn bridging(&self, key: &Key) -> Option<LastOwner> {
        self.get(key).await.filter(|last| self.flushes.bridges(last.asked, &last.person))
    }

    /// The same if the look-up itself is the proof.
    pub(super) async fn proof(&self, key: &Key) -> Option<LastOwner> {
        self.bridging(key).await.filter(|last| self.is_sure(&last.person))
    }

    pub(super) fn clear(&self) {
        if let Some(owners) = &self.owners {
            owners.invalidate_all();
        }
    }
}

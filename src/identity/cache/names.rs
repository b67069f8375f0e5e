//! Login names, with what they lead to.

use std::sync::Arc;
use std::time::Duration;

use moka::policy::EvictionPolicy;

use super::answer_cache::{AnswerCache, Dated};
use super::flushes::{FlushTarget, Flushes, Generation};
use super::last_owners::{LastOwner, LastOwners};
use super::single_flight::SingleFlight;
use crate::directory::{EntryId, Fault};
use crate::identity::person::Identity;
use crate::identity::question::{NameOwner, NameQuery};
use crate::identity::settings::Lifetimes;
use crate::ledger::CacheCounter;
use crate::names::{Kind, LoginName};

/// What a name leads to.
type CachedName = Dated<Arc<NameOwner>>;

/// From login names to people.
pub(crate) struct NameCache {
    names: AnswerCache<LoginName, Arc<NameOwner>>,
    last: LastOwners<LoginName>,
    /// Look-ups in progress of names that are cached already.
    anew: SingleFlight<(LoginName, Generation), Result<CachedName, Fault>>,
    lifetimes: Lifetimes,
    flushes: Arc<Flushes>,
}

impl NameCache {
    pub(crate) fn new(lifetimes: Lifetimes, flushes: Arc<Flushes>, counter: CacheCounter) -> Self {
        // Anybody can type unknown names. With TinyLFU, a name that is asked for once does not displace names that are
        // asked for again and again; it is admitted once it is asked for as often.
        let names = AnswerCache::new(lifetimes.people, EvictionPolicy::tiny_lfu(), flushes.clone(), counter);
        // A password may be proven after its owner was looked up, by `found` at most.
        let bridged = lifetimes.outage_grace + lifetimes.found;
        let last = LastOwners::new(lifetimes.people, bridged, lifetimes.outage_grace, flushes.clone());
        Self { names, last, anew: SingleFlight::default(), lifetimes, flushes }
    }

    /// An empty one with other lifetimes, which bridges the same outages.
    pub(super) async fn renewed(&self, lifetimes: Lifetimes, counter: CacheCounter) -> Self {
        let renewed = Self::new(lifetimes, self.flushes.clone(), counter);
        self.last.copy_to(&renewed.last).await;
        renewed
    }

    /// What a name leads to, from the cache or from the directories.
    pub(crate) async fn find(&self, query: NameQuery<'_>) -> Result<Arc<NameOwner>, Fault> {
        let is_believed = |answer: &CachedName| self.flushes.believes(answer.asked, query.login, &answer.value);
        self.names.get(query.login, || self.look_up(query), is_believed).await
    }

    /// The same from the directories, whatever is cached. The cached answer stays until there is a new one: a stranger
    /// who uses a name while the directory is silent takes nothing away from its owner.
    pub(crate) async fn find_anew(&self, query: NameQuery<'_>) -> Result<Arc<NameOwner>, Fault> {
        let question = (query.login.clone(), self.flushes.now());
        let answer = self.anew.once(question, self.look_up(query)).await?;
        self.names.insert(query.login.clone(), answer.clone()).await;
        if self.flushes.believes(answer.asked, query.login, &answer.value) {
            return Ok(answer.value);
        }
        self.find(query).await
    }

    /// Who last had a name, if an outage may be bridged by that.
    pub(crate) async fn last(&self, login: &LoginName) -> Option<Arc<Identity>> {
        Some(self.last.bridging(login).await?.person)
    }

    /// The same if the look-up itself is the proof, with the kind of name.
    pub(crate) async fn last_proof(&self, login: &LoginName) -> Option<(Arc<Identity>, Option<Kind>)> {
        let last = self.last.proof(login).await?;
        Some((last.person, last.kind))
    }

    /// A name that no longer leads to one person bridges no outage. The person it leads to can bridge one only from a
    /// look-up in which every directory answered.
    async fn look_up(&self, query: NameQuery<'_>) -> Result<CachedName, Fault> {
        let asked = self.flushes.now();
        let answers = query.ask().await;
        let known = self.last.known(query.login, |known| answers.still(known).is_some()).await;
        let are_complete = answers.are_complete();
        // All directories said that nobody else has the name when the known person was looked up.
        let sure = known.as_ref().filter(|known| self.last.is_sure(known));
        let owner = answers.owner(sure, query.settings)?;
        if let Some(known) =
            known.as_ref().filter(|known| are_complete && owner.people().iter().all(|person| person.id != known.id))
        {
            // Renamed, or gone: the person's other names are looked up again as well.
            self.flushes.entry_changed(known.id.clone());
        }
        let mut lifetime = self.lifetime(&owner);
        if let NameOwner::One(person, kind) = &owner {
            if are_complete {
                let last = LastOwner { asked, person: person.clone(), kind: *kind };
                self.last.insert(query.login.clone(), last).await;
            } else if let Some(sure) = sure {
                lifetime = lifetime.min(self.last.time_left(sure));
            }
        }
        Ok(Dated { asked, value: Arc::new(owner), lifetime })
    }

    fn lifetime(&self, owner: &NameOwner) -> Duration {
        match owner {
            NameOwner::One(..) => self.lifetimes.found,
            NameOwner::Nobody | NameOwner::OutsidePolicy | NameOwner::OutsideLimits(_) | NameOwner::Ambiguous(_) => {
                self.lifetimes.missed
            }
        }
    }

    /// How many names are cached.
    pub(crate) async fn count(&self) -> u64 {
        self.names.count().await
    }

    /// Drops every name; returns how many were cached.
    pub(crate) fn drop_all(&self) -> u64 {
        let dropped = self.names.clear();
        self.last.clear();
        dropped
    }

    /// The entries that the cached names of a flush lead to.
    pub(crate) fn ids_of(&self, target: &FlushTarget) -> Vec<EntryId> {
        let about = |(login, answer): (Arc<LoginName>, CachedName)| match &*answer.value {
            NameOwner::One(person, _) if target.is_about(&login, &answer.value) => Some(person.id.clone()),
            _ => None,
        };
        self.names.iter().filter_map(about).collect()
    }

    /// Drops the names that a flush is about; returns how many were cached.
    pub(crate) async fn drop_target(&self, target: &FlushTarget) -> u64 {
        let about =
            |(login, answer): (Arc<LoginName>, CachedName)| target.is_about(&login, &answer.value).then_some(login);
        let names: Vec<Arc<LoginName>> = self.names.iter().filter_map(about).collect();
        for name in &names {
            self.names.remove(name).await;
        }
        u64::try_from(names.len()).unwrap_or(u64::MAX)
    }
}

//! Login names held in memory, with what they lead to.

use std::sync::Arc;
use std::time::{Duration, Instant};

use moka::Expiry;
use moka::future::Cache;
use moka::policy::EvictionPolicy;

use crate::directory::{EntryId, Fault};
use crate::identity::cache::flushes::{FlushTarget, Flushes, Generation};
use crate::identity::cache::single_flight::SingleFlight;
use crate::identity::person::NameOwner;
use crate::identity::question::query::NameQuery;
use crate::identity::{Identity, Lifetimes};
use crate::names::{Kind, LoginName};

/// From login names to people. One look-up at a time for each name, however many ask.
pub(crate) struct NameCache {
    held: Cache<LoginName, CachedName>,
    /// For as long as an outage may be bridged: a password was proven later than its owner was looked up, by `found` at most.
    last: Cache<LoginName, LastOwner>,
    /// Look-ups of cached names that are made all the same.
    anew: SingleFlight<(LoginName, Generation), Result<CachedName, Fault>>,
    lifetimes: Lifetimes,
    flushes: Arc<Flushes>,
}

/// What a name leads to, since when that is known, and for how long it is believed.
#[derive(Clone)]
struct CachedName {
    asked: Generation,
    found: Arc<NameOwner>,
    lifetime: Duration,
}

/// Who was found under a name when all directories were last heard.
#[derive(Clone)]
struct LastOwner {
    asked: Generation,
    person: Arc<Identity>,
    kind: Option<Kind>,
}

/// Findings are believed for different times.
struct PerName;

impl Expiry<LoginName, CachedName> for PerName {
    fn expire_after_create(&self, _: &LoginName, held: &CachedName, _: Instant) -> Option<Duration> {
        Some(held.lifetime)
    }

    /// A replaced finding has a lifetime of its own, not what was left of the old one.
    fn expire_after_update(
        &self,
        _: &LoginName,
        held: &CachedName,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(held.lifetime)
    }
}

impl NameCache {
    pub(crate) fn new(lifetimes: Lifetimes, flushes: Arc<Flushes>) -> Self {
        // Anybody can type names that nobody has: with TinyLFU, the cache's own policy, those that are asked for once take no
        // place from names that are asked for again and again; and a new one has its place once it is.
        let held = Cache::builder().max_capacity(lifetimes.people).expire_after(PerName).build();
        let bridged = lifetimes.outage_grace + lifetimes.found;
        // Names of people only; whoever is new takes the place of whoever was not there for the longest time.
        let last = Cache::builder()
            .max_capacity(lifetimes.people)
            .eviction_policy(EvictionPolicy::lru())
            .time_to_live(bridged)
            .build();
        Self { held, last, anew: SingleFlight::default(), lifetimes, flushes }
    }

    /// What a name leads to, from memory or from the directories. An outage is never held.
    ///
    /// The cache keeps the answer of a look-up that was under way while the name was flushed: such an answer is asked for
    /// anew, by whoever meets it. Changes may come faster than answers: one that was asked for after the first was met is
    /// true enough, and not kept.
    pub(crate) async fn find(&self, asking: NameQuery<'_>) -> Result<Arc<NameOwner>, Fault> {
        let (login, mut anew) = (asking.login, None);
        loop {
            let asked = self.look_up(asking);
            let held =
                self.held.try_get_with_by_ref(login, asked).await.map_err(|fault: Arc<Fault>| (*fault).clone())?;
            if self.flushes.believes(held.asked, login, &held.found) {
                return Ok(held.found);
            }
            self.held.invalidate(login).await;
            if held.asked >= *anew.get_or_insert_with(|| self.flushes.now()) {
                return Ok(held.found);
            }
        }
    }

    /// The same, from the directories whatever is cached. That stays where it is until there is an answer: a stranger who
    /// has a name looked up while the directory is silent takes nothing away from its owner.
    pub(crate) async fn find_anew(&self, asking: NameQuery<'_>) -> Result<Arc<NameOwner>, Fault> {
        let question = (asking.login.clone(), self.flushes.now());
        let held = self.anew.once(question, self.look_up(asking)).await?;
        self.held.insert(asking.login.clone(), held.clone()).await;
        if self.flushes.believes(held.asked, asking.login, &held.found) {
            return Ok(held.found);
        }
        self.find(asking).await
    }

    /// Who was last found under a name, if an outage may be bridged by that: no change of the person was reported since.
    pub(crate) async fn last(&self, login: &LoginName) -> Option<Arc<Identity>> {
        Some(self.last_bridging(login).await?.person)
    }

    /// The same where the look-up itself is the proof, with the kind of name.
    pub(crate) async fn last_proof(&self, login: &LoginName) -> Option<(Arc<Identity>, Option<Kind>)> {
        let last = self.last_bridging(login).await?;
        last.person.is_within(self.lifetimes.outage_grace).then_some((last.person, last.kind))
    }

    async fn last_bridging(&self, login: &LoginName) -> Option<LastOwner> {
        self.last.get(login).await.filter(|last| self.flushes.bridges(last.asked, &last.person))
    }

    /// A name that leads to no one person any more bridges no outage. Whom it leads to bridges one only from a look-up in
    /// which every directory was heard.
    async fn look_up(&self, asking: NameQuery<'_>) -> Result<CachedName, Fault> {
        let asked = self.flushes.now();
        let answer = asking.ask().await;
        let last = self.last.get(asking.login).await;
        let known = last.filter(|last| self.flushes.believes_of(last.asked, &last.person)).map(|last| last.person);
        if answer.still(known.as_ref()).is_none() {
            self.last.invalidate(asking.login).await;
        }
        let is_whole = answer.is_whole();
        // That nobody else has the name was heard from all directories when the known person was looked up.
        let sure = known.as_ref().filter(|known| known.is_within(self.lifetimes.outage_grace));
        let found = answer.found(sure, asking.settings)?;
        if let Some(known) =
            known.as_ref().filter(|known| is_whole && found.people().iter().all(|person| person.id != known.id))
        {
            // Renamed, or gone: then their other names are asked anew as well.
            self.flushes.entry_changed(known.id.clone());
        }
        let mut lifetime = self.lifetime(&found);
        if let NameOwner::One(person, kind) = &found {
            if is_whole {
                let last = LastOwner { asked, person: person.clone(), kind: *kind };
                self.last.insert(asking.login.clone(), last).await;
            } else if let Some(sure) = sure {
                lifetime = lifetime.min(self.lifetimes.outage_grace.saturating_sub(sure.looked_up.elapsed()));
            }
        }
        Ok(CachedName { asked, found: Arc::new(found), lifetime })
    }

    fn lifetime(&self, found: &NameOwner) -> Duration {
        match found {
            NameOwner::One(..) => self.lifetimes.found,
            NameOwner::Nobody | NameOwner::OutsidePolicy | NameOwner::OutsideLimits(_) | NameOwner::Ambiguous(_) => {
                self.lifetimes.missed
            }
        }
    }

    /// Forgets every name; tells how many were held.
    pub(crate) fn forget_all(&self) -> u64 {
        let held = self.held.iter().count();
        self.held.invalidate_all();
        self.last.invalidate_all();
        u64::try_from(held).unwrap_or(u64::MAX)
    }

    /// The entries that held names lead to and a flush is about.
    pub(crate) fn ids_of(&self, target: &FlushTarget) -> Vec<EntryId> {
        let about = |(login, held): (Arc<LoginName>, CachedName)| match &*held.found {
            NameOwner::One(person, _) if target.is_about(&login, &held.found) => Some(person.id.clone()),
            _ => None,
        };
        self.held.iter().filter_map(about).collect()
    }

    /// Forgets the names that a flush is about; tells how many were held.
    pub(crate) async fn forget(&self, target: &FlushTarget) -> u64 {
        let about = |(login, held): (Arc<LoginName>, CachedName)| target.is_about(&login, &held.found).then_some(login);
        let names: Vec<Arc<LoginName>> = self.held.iter().filter_map(about).collect();
        for name in &names {
            self.held.invalidate(&**name).await;
        }
        u64::try_from(names.len()).unwrap_or(u64::MAX)
    }
}

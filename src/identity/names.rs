//! Login names held in memory, with what they lead to.

use std::sync::Arc;
use std::time::{Duration, Instant};

use moka::Expiry;
use moka::future::Cache;
use moka::policy::EvictionPolicy;

use super::asking::Asking;
use super::flushes::{Flushes, Generation, Target};
use super::person::Found;
use super::{Identity, Lifetimes};
use crate::directory::{EntryId, Fault};
use crate::names::{Kind, LoginName};

/// From login names to people. One look-up at a time for each name, however many ask.
pub(super) struct Names {
    held: Cache<LoginName, Held>,
    /// Who was found under a name when all directories were last heard, by which kind of it, and when that was asked, for as
    /// long as an outage may be bridged.
    last: Cache<LoginName, (Generation, Arc<Identity>, Option<Kind>)>,
    flushes: Arc<Flushes>,
}

/// What a name leads to, and since when that is known.
#[derive(Clone)]
struct Held {
    asked: Generation,
    found: Arc<Found>,
}

/// A found person and an unknown name are believed for different times.
struct PerFinding(Lifetimes);

impl PerFinding {
    fn lifetime(&self, found: &Found) -> Duration {
        match found {
            Found::One(..) => self.0.found,
            Found::Nobody | Found::OutsidePolicy | Found::OutsideLimits(_) | Found::Ambiguous(_) => self.0.missed,
        }
    }
}

impl Expiry<LoginName, Held> for PerFinding {
    fn expire_after_create(&self, _: &LoginName, held: &Held, _: Instant) -> Option<Duration> {
        Some(self.lifetime(&held.found))
    }

    /// A replaced finding has a lifetime of its own, not what was left of the old one.
    fn expire_after_update(&self, _: &LoginName, held: &Held, _: Instant, _: Option<Duration>) -> Option<Duration> {
        Some(self.lifetime(&held.found))
    }
}

impl Names {
    pub(super) fn new(lifetimes: Lifetimes, flushes: Arc<Flushes>) -> Self {
        // Anybody can type names that nobody has: with TinyLFU, the cache's own policy, those that are asked for once take no
        // place from names that are asked for again and again; and a new one has its place once it is.
        let held = Cache::builder().max_capacity(lifetimes.people).expire_after(PerFinding(lifetimes)).build();
        let bridged = lifetimes.outage_grace + lifetimes.found;
        // Names of people only; whoever is new takes the place of whoever was not there for the longest time.
        let last = Cache::builder()
            .max_capacity(lifetimes.people)
            .eviction_policy(EvictionPolicy::lru())
            .time_to_live(bridged)
            .build();
        Self { held, last, flushes }
    }

    /// What a name leads to, from memory or from the directories. An outage is never held.
    ///
    /// The cache keeps the answer of a look-up that was under way while the name was flushed: such an answer is asked for
    /// anew, by whoever meets it. Changes may come faster than answers: one that was asked for after the first was met is
    /// true enough, and not kept.
    pub(super) async fn find(&self, asking: Asking<'_>) -> Result<Arc<Found>, Fault> {
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

    /// The same, from the directories whatever is held.
    pub(super) async fn find_anew(&self, asking: Asking<'_>) -> Result<Arc<Found>, Fault> {
        self.held.invalidate(asking.login).await;
        self.find(asking).await
    }

    /// Who was last found under a name, if that is believed while a directory is silent.
    pub(super) async fn last(&self, login: &LoginName) -> Option<Arc<Identity>> {
        self.last_by_kind(login).await.map(|(person, _)| person)
    }

    /// The same, with the kind of name.
    pub(super) async fn last_by_kind(&self, login: &LoginName) -> Option<(Arc<Identity>, Option<Kind>)> {
        let last = self.last.get(login).await;
        last.filter(|(asked, person, _)| self.flushes.believes_of(*asked, person))
            .map(|(_, person, kind)| (person, kind))
    }

    /// A name that leads to no one person any more bridges no outage. Whom it leads to bridges one only from a look-up in
    /// which every directory was heard.
    async fn look_up(&self, asking: Asking<'_>) -> Result<Held, Fault> {
        let asked = self.flushes.now();
        let answer = asking.ask().await;
        let known = self.last(asking.login).await;
        if answer.still(known.as_ref()).is_none() {
            self.last.invalidate(asking.login).await;
        }
        let is_whole = answer.is_whole();
        let found = answer.found(known.as_ref(), asking.settings)?;
        if let (Found::One(identity, kind), true) = (&found, is_whole) {
            self.last.insert(asking.login.clone(), (asked, identity.clone(), *kind)).await;
        }
        Ok(Held { asked, found: Arc::new(found) })
    }

    /// Forgets every name; tells how many were held.
    pub(super) fn forget_all(&self) -> u64 {
        let held = self.held.iter().count();
        self.held.invalidate_all();
        self.last.invalidate_all();
        u64::try_from(held).unwrap_or(u64::MAX)
    }

    /// The entries that held names lead to and a flush is about.
    pub(super) fn ids_of(&self, target: &Target) -> Vec<EntryId> {
        let about = |(login, held): (Arc<LoginName>, Held)| match &*held.found {
            Found::One(person, _) if target.is_about(&login, &held.found) => Some(person.id.clone()),
            _ => None,
        };
        self.held.iter().filter_map(about).collect()
    }

    /// Forgets the names that a flush is about; tells how many were held.
    pub(super) async fn forget(&self, target: &Target) -> u64 {
        let about = |(login, held): (Arc<LoginName>, Held)| target.is_about(&login, &held.found).then_some(login);
        let names: Vec<Arc<LoginName>> = self.held.iter().filter_map(about).collect();
        for name in &names {
            self.held.invalidate(&**name).await;
        }
        u64::try_from(names.len()).unwrap_or(u64::MAX)
    }
}

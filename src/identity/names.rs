//! Login names held in memory, with what they lead to.

use std::sync::Arc;
use std::time::{Duration, Instant};

use moka::Expiry;
use moka::future::Cache;

use super::flushes::{Flushes, Generation, Target};
use super::person::Found;
use super::steps::{Step, Steps};
use super::{Identity, Lifetimes, Settings};
use crate::directory::{Directory, Entry, EntryId, Fault};
use crate::names::LoginName;

/// From login names to people. One look-up at a time for each name, however many ask.
pub(super) struct Names {
    held: Cache<LoginName, Held>,
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
            Found::Nobody | Found::OutsidePolicy | Found::Ambiguous(_) => self.0.missed,
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
        let held = Cache::builder().max_capacity(lifetimes.people).expire_after(PerFinding(lifetimes)).build();
        Self { held, flushes }
    }

    /// What a name leads to, from memory or from the directory. An outage is never held.
    ///
    /// The cache keeps the answer of a look-up that was under way while the name was flushed: such an answer is asked for
    /// anew, by whoever meets it.
    pub(super) async fn find(
        &self,
        login: &LoginName,
        directory: &Directory,
        settings: &Settings,
        steps: &Steps,
    ) -> Result<Arc<Found>, Fault> {
        loop {
            let asked = async {
                let asked = self.flushes.now();
                let found = look_up(login, directory, settings, steps).await?;
                Ok(Held { asked, found })
            };
            let held =
                self.held.try_get_with_by_ref(login, asked).await.map_err(|fault: Arc<Fault>| (*fault).clone())?;
            if self.flushes.believes(held.asked, login, &held.found) {
                return Ok(held.found);
            }
            self.held.invalidate(login).await;
        }
    }

    /// The same, from the directory whatever is held.
    pub(super) async fn find_anew(
        &self,
        login: &LoginName,
        directory: &Directory,
        settings: &Settings,
        steps: &Steps,
    ) -> Result<Arc<Found>, Fault> {
        self.held.invalidate(login).await;
        self.find(login, directory, settings, steps).await
    }

    /// Forgets every name; tells how many were held.
    pub(super) fn forget_all(&self) -> u64 {
        let held = self.held.iter().count();
        self.held.invalidate_all();
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

/// Asks the directory, whatever is held.
pub(super) async fn look_up(
    login: &LoginName,
    directory: &Directory,
    settings: &Settings,
    steps: &Steps,
) -> Result<Arc<Found>, Fault> {
    let of_directory = directory.settings();
    let look_up = settings.policy.look_up(login, &of_directory.base);
    steps.note(|| Step::Asked {
        directory: of_directory.name.clone(),
        look_up: look_up.clone(),
        searches: directory.searches(&look_up),
    });
    if look_up.is_empty() {
        return Ok(Arc::new(Found::OutsidePolicy));
    }
    let answer = directory.look_up(look_up.clone()).await;
    let kind = |entry: &Entry| entry.kind_of_match(&look_up, &of_directory.attributes);
    steps.note_answer(&of_directory.name, &answer, kind);
    Ok(Arc::new(match answer?.as_slice() {
        [] => Found::Nobody,
        [entry] => {
            let identity = Identity::new(entry, &of_directory.attributes, &settings.template, &settings.root);
            Found::One(Arc::new(identity), kind(entry))
        }
        several => Found::Ambiguous(several.iter().map(|entry| entry.dn.to_string()).collect()),
    }))
}

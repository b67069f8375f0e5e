//! Login names held in memory, with what they lead to.

use std::sync::Arc;
use std::time::{Duration, Instant};

use moka::Expiry;
use moka::future::Cache;

use super::person::Found;
use super::{Identity, Lifetimes, Settings};
use crate::directory::{Directory, Fault};
use crate::names::LoginName;

/// From login names to people. One look-up at a time for each name, however many ask.
pub(super) struct Names {
    held: Cache<LoginName, Arc<Found>>,
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

impl Expiry<LoginName, Arc<Found>> for PerFinding {
    fn expire_after_create(&self, _: &LoginName, found: &Arc<Found>, _: Instant) -> Option<Duration> {
        Some(self.lifetime(found))
    }

    /// A replaced finding has a lifetime of its own, not what was left of the old one.
    fn expire_after_update(
        &self,
        _: &LoginName,
        found: &Arc<Found>,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(self.lifetime(found))
    }
}

impl Names {
    pub(super) fn new(lifetimes: Lifetimes) -> Self {
        let held = Cache::builder().max_capacity(lifetimes.people).expire_after(PerFinding(lifetimes)).build();
        Self { held }
    }

    /// What a name leads to, from memory or from the directory. An outage is never held.
    pub(super) async fn find(
        &self,
        login: &LoginName,
        directory: &Directory,
        settings: &Settings,
    ) -> Result<Arc<Found>, Fault> {
        let look_up = look_up(login, directory, settings);
        self.held.try_get_with_by_ref(login, look_up).await.map_err(|fault: Arc<Fault>| (*fault).clone())
    }

    /// The same, from the directory whatever is held.
    pub(super) async fn find_anew(
        &self,
        login: &LoginName,
        directory: &Directory,
        settings: &Settings,
    ) -> Result<Arc<Found>, Fault> {
        self.held.invalidate(login).await;
        self.find(login, directory, settings).await
    }
}

async fn look_up(login: &LoginName, directory: &Directory, settings: &Settings) -> Result<Arc<Found>, Fault> {
    let of_directory = directory.settings();
    let look_up = settings.policy.look_up(login, &of_directory.base);
    if look_up.is_empty() {
        return Ok(Arc::new(Found::OutsidePolicy));
    }
    let entries = directory.look_up(look_up.clone()).await?;
    Ok(Arc::new(match entries.as_slice() {
        [] => Found::Nobody,
        [entry] => {
            let kind = entry.kind_of_match(&look_up, &of_directory.attributes);
            let identity = Identity::new(entry, &of_directory.attributes, &settings.template, &settings.root);
            Found::One(Arc::new(identity), kind)
        }
        several => Found::Ambiguous(several.iter().map(|entry| entry.dn.to_string()).collect()),
    }))
}

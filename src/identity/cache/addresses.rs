//! Mail addresses, with the people who receive mail under them. They are cached apart from login names: an address is
//! one kind of name, whether the policy lets anybody log in by it or not.

use std::sync::Arc;

use super::flushes::{FlushTarget, Flushes};
use super::names::NameCache;
use crate::directory::{EntryId, Fault};
use crate::identity::person::Identity;
use crate::identity::question::NameQuery;
use crate::identity::settings::{Ambiguous, Settings};
use crate::ledger::CacheCounter;
use crate::names::{Kind, Policy};

/// Whose a mail address is.
#[derive(Clone, Debug)]
pub enum AddressOwner {
    /// One person's.
    One(Arc<Identity>),
    /// No directory has a person with this address who may use the service.
    Nobody,
    /// Several people have this address.
    Several(Vec<Arc<Identity>>),
}

/// From mail addresses to people.
pub(crate) struct AddressCache {
    pub(crate) settings: Settings,
    names: NameCache,
}

impl AddressCache {
    pub(super) fn new(settings: &Settings, flushes: Arc<Flushes>, counter: CacheCounter) -> Self {
        let (policy, ambiguous) = (Policy::literal(Kind::Mail), Ambiguous::Refuse);
        let settings = Settings { policy, ambiguous, ..settings.clone() };
        Self { names: NameCache::new(settings.cache, flushes, counter), settings }
    }

    /// Whose an address is, from the cache or from the directories. People whom the directory does not let use the
    /// service have no address here; the state of an account does not matter, since it bars logins and not mail.
    pub(crate) async fn find(&self, query: NameQuery<'_>) -> Result<AddressOwner, Fault> {
        let owner = self.names.find(query).await?;
        let admitted = owner.people().iter().filter(|person| person.exclusion.is_none());
        let mut people: Vec<Arc<Identity>> = admitted.cloned().collect();
        Ok(match people.pop() {
            None => AddressOwner::Nobody,
            Some(person) if people.is_empty() => AddressOwner::One(person),
            Some(person) => {
                people.push(person);
                AddressOwner::Several(people)
            }
        })
    }

    /// How many addresses are cached.
    pub(super) async fn count(&self) -> u64 {
        self.names.count().await
    }

    /// Drops every address.
    pub(super) fn drop_all(&self) {
        self.names.drop_all();
    }

    /// The entries that the cached addresses of a flush lead to.
    pub(super) fn ids_of(&self, target: &FlushTarget) -> Vec<EntryId> {
        self.names.ids_of(target)
    }

    /// Drops the addresses that a flush is about.
    pub(super) async fn drop_target(&self, target: &FlushTarget) {
        self.names.drop_target(target).await;
    }
}

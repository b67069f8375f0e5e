//! The claims of tokens, with the people they name. They are cached apart from login names: a claim is one kind of
//! name, letter by letter, and nothing else.

use std::sync::Arc;

use super::flushes::{FlushTarget, Flushes};
use super::names::NameCache;
use crate::directory::{EntryId, Fault};
use crate::identity::question::{NameOwner, NameQuery};
use crate::identity::settings::{Ambiguous, Settings};
use crate::identity::verdict::Proof;
use crate::ledger::CacheCounter;
use crate::names::{Kind, LoginName, Policy};

/// The names in tokens, by kind.
pub(crate) struct ClaimCache(Vec<ClaimNames>);

/// Names of one kind.
pub(crate) struct ClaimNames {
    kind: Kind,
    pub(crate) settings: Settings,
    names: NameCache,
}

impl ClaimCache {
    /// A cache for each kind of name that a claim of an issuer holds.
    pub(crate) fn new(settings: &Settings, flushes: &Arc<Flushes>, counter: &CacheCounter) -> Self {
        let mut by_kind: Vec<ClaimNames> = Vec::new();
        for kind in settings.tokens.iter().flat_map(|issuers| issuers.kinds()) {
            if by_kind.iter().all(|names| names.kind != kind) {
                by_kind.push(ClaimNames::new(kind, settings, flushes.clone(), counter.clone()));
            }
        }
        Self(by_kind)
    }

    /// The same for other lifetimes and issuers: empty ones, which bridge the same outages.
    pub(super) async fn renewed(&self, settings: &Settings, flushes: &Arc<Flushes>, counter: &CacheCounter) -> Self {
        let mut renewed = Self::new(settings, flushes, counter);
        for claims in &mut renewed.0 {
            if let Some(before) = self.of(claims.kind) {
                claims.names = before.names.renewed(settings.cache, counter.clone()).await;
            }
        }
        renewed
    }

    pub(crate) fn of(&self, kind: Kind) -> Option<&ClaimNames> {
        self.0.iter().find(|names| names.kind == kind)
    }

    /// How many names are cached.
    pub(super) async fn count(&self) -> u64 {
        let mut count = 0;
        for claims in &self.0 {
            count += claims.names.count().await;
        }
        count
    }

    /// Drops every name.
    pub(super) fn drop_all(&self) {
        for claims in &self.0 {
            claims.names.drop_all();
        }
    }

    /// The entries that the cached names of a flush lead to.
    pub(super) fn ids_of(&self, target: &FlushTarget) -> impl Iterator<Item = EntryId> {
        self.0.iter().flat_map(|claims| claims.names.ids_of(target))
    }

    /// Drops the names that a flush is about.
    pub(super) async fn drop_target(&self, target: &FlushTarget) {
        for claims in &self.0 {
            claims.names.drop_target(target).await;
        }
    }
}

impl ClaimNames {
    fn new(kind: Kind, settings: &Settings, flushes: Arc<Flushes>, counter: CacheCounter) -> Self {
        // A token has no password that could be tried on several people.
        let (policy, ambiguous) = (Policy::literal(kind), Ambiguous::Refuse);
        let settings = Settings { policy, ambiguous, tokens: None, ..settings.clone() };
        Self { kind, names: NameCache::new(settings.cache, flushes, counter), settings }
    }

    /// What a name leads to, from the cache or from the directories; and whether that is an earlier answer which
    /// bridges an outage ([`Proof::OutageGrace`]).
    pub(crate) async fn find(&self, query: NameQuery<'_>) -> Result<(Arc<NameOwner>, Proof), Fault> {
        self.or_bridge(query.login, self.names.find(query).await).await
    }

    /// The same from the directories, whatever is cached.
    pub(crate) async fn find_anew(&self, query: NameQuery<'_>) -> Result<(Arc<NameOwner>, Proof), Fault> {
        self.or_bridge(query.login, self.names.find_anew(query).await).await
    }

    async fn or_bridge(
        &self,
        login: &LoginName,
        answer: Result<Arc<NameOwner>, Fault>,
    ) -> Result<(Arc<NameOwner>, Proof), Fault> {
        match answer {
            Ok(owner) => Ok((owner, Proof::Token)),
            Err(fault) => self.bridge(login, fault).await,
        }
    }

    /// The person it last led to, if the directory is silent. If only the directory considered a name equal to the
    /// claim, although their letters differ, an outage does not let its owner in.
    pub(crate) async fn bridge(&self, login: &LoginName, fault: Fault) -> Result<(Arc<NameOwner>, Proof), Fault> {
        match self.names.last_proof(login).await {
            Some((person, Some(kind))) if fault.is_silence() => {
                Ok((Arc::new(NameOwner::One(person, Some(kind))), Proof::OutageGrace))
            }
            _ => Err(fault),
        }
    }
}

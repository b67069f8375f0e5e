//! What is remembered, for how long, and when it is dropped before its time.
//!
//! A warm login asks no directory. Everything that is cached can be dropped by a flush, and by what a followed
//! directory reports; answers that were still to come at that moment are dropped with it.
//!
//! | file | rule |
//! |---|---|
//! | `names`, `certificates`, `claims`, `addresses` | the owner of a login name, a certificate, a token's claim or a mail address |
//! | `answer_cache` | an answer is cached for its own lifetime; one asked for before a flush is asked for again |
//! | `last_owners` | what may bridge an outage: the owner of a name or certificate when all directories last answered |
//! | `passwords`, `password_record` | which passwords were verified or refused, under which change stamp |
//! | `flushes` | what was flushed or reported as changed, and what is therefore no longer valid |
//! | `single_flight` | the same question is asked once at a time, however many logins wait for the answer |

mod addresses;
mod answer_cache;
mod certificates;
mod claims;
mod flushes;
mod last_owners;
mod names;
mod password_record;
mod passwords;
mod single_flight;

use std::sync::Arc;

use aws_lc_rs::error::Unspecified;

pub(crate) use addresses::AddressCache;
pub use addresses::AddressOwner;
pub(crate) use certificates::{CertificateCache, fingerprint};
pub(crate) use claims::ClaimCache;
pub use flushes::Flushed;
pub(crate) use flushes::{FlushTarget, Flushes, Generation};
pub(crate) use names::NameCache;
pub(crate) use password_record::Submission;
pub(crate) use passwords::{GraceCheck, LastProof, PasswordCache, Recall};

use crate::directory::EntryId;
use crate::identity::settings::Settings;
use crate::ledger::CacheCounters;

/// All caches.
pub(crate) struct Caches {
    pub(crate) names: NameCache,
    pub(crate) certificates: CertificateCache,
    pub(crate) claims: ClaimCache,
    pub(crate) addresses: AddressCache,
    pub(crate) passwords: PasswordCache,
    pub(crate) flushes: Arc<Flushes>,
}

impl Caches {
    /// Empty ones, with a fresh key for the hashes of passwords.
    pub(crate) fn new(settings: &Settings, counters: &CacheCounters) -> Result<Self, Unspecified> {
        let (lifetimes, flushes) = (settings.cache, Arc::new(Flushes::default()));
        Ok(Self {
            names: NameCache::new(lifetimes, flushes.clone(), counters.names.clone()),
            certificates: CertificateCache::new(lifetimes, flushes.clone(), counters.certificates.clone()),
            claims: ClaimCache::new(settings, &flushes, &counters.claims),
            addresses: AddressCache::new(settings, flushes.clone(), counters.addresses.clone()),
            passwords: PasswordCache::new(lifetimes, flushes.clone())?,
            flushes,
        })
    }

    /// The same with other lifetimes, or for other issuers of tokens. Passwords that were verified stay, and owners that bridge
    /// an outage: whoever lengthens `outage_grace` while a directory is down locks nobody out by that. Answers of the
    /// directories are asked for again.
    pub(crate) async fn renewed(&self, settings: &Settings, counters: &CacheCounters) -> Self {
        let (lifetimes, flushes) = (settings.cache, self.flushes.clone());
        Self {
            names: self.names.renewed(lifetimes, counters.names.clone()).await,
            certificates: self.certificates.renewed(lifetimes, counters.certificates.clone()).await,
            claims: self.claims.renewed(settings, &flushes, &counters.claims).await,
            addresses: AddressCache::new(settings, flushes.clone(), counters.addresses.clone()),
            passwords: self.passwords.renewed(lifetimes),
            flushes,
        }
    }

    /// Notes how many entries each cache has.
    pub(crate) async fn note_sizes(&self, counters: &CacheCounters) {
        counters.note_size("names", self.names.count().await);
        counters.note_size("passwords", self.passwords.count());
        counters.note_size("certificates", self.certificates.count().await);
        counters.note_size("claims", self.claims.count().await);
        counters.note_size("addresses", self.addresses.count().await);
    }

    /// Drops everything, including answers that are still to come.
    pub(crate) fn drop_all(&self) -> Flushed {
        self.flushes.everybody();
        self.certificates.drop_all();
        self.claims.drop_all();
        self.addresses.drop_all();
        let names = self.names.drop_all();
        Flushed { names, ..self.passwords.drop_all() }
    }

    /// The entries that the cached names of a flush lead to.
    pub(crate) fn ids_of(&self, target: &FlushTarget) -> Vec<EntryId> {
        let mut ids = self.names.ids_of(target);
        ids.extend(self.claims.ids_of(target));
        ids.extend(self.addresses.ids_of(target));
        ids
    }

    /// Drops what is cached about one person, including answers that are still to come.
    pub(crate) async fn drop_person(&self, target: FlushTarget) -> Flushed {
        let passwords = target.ids().iter().map(|id| self.passwords.drop_person(id));
        let passwords = passwords.fold(Flushed::default(), Flushed::and);
        let names = self.names.drop_target(&target).await;
        self.claims.drop_target(&target).await;
        self.addresses.drop_target(&target).await;
        self.flushes.person(target);
        Flushed { names, ..passwords }
    }
}

//! Certificates, with their owners.

use std::sync::Arc;

use aws_lc_rs::digest;
use moka::policy::EvictionPolicy;

use super::answer_cache::{AnswerCache, Dated};
use super::flushes::Flushes;
use super::last_owners::{LastOwner, LastOwners};
use crate::certificate::Certificate;
use crate::directory::Fault;
use crate::identity::question::{CertificateOwner, CertificateQuery};
use crate::identity::settings::Lifetimes;
use crate::identity::verdict::Proof;
use crate::ledger::CacheCounter;

/// From certificates to people.
pub(crate) struct CertificateCache {
    owners: AnswerCache<Fingerprint, CertificateOwner>,
    last: LastOwners<Fingerprint>,
    lifetimes: Lifetimes,
    flushes: Arc<Flushes>,
}

/// SHA-256 of the whole certificate: a renewed one is looked up anew.
type Fingerprint = [u8; 32];

impl CertificateCache {
    pub(crate) fn new(lifetimes: Lifetimes, flushes: Arc<Flushes>, counter: CacheCounter) -> Self {
        // Each of them is signed by an authority, so strangers cannot flood the cache: a new one replaces the least
        // recently used.
        let owners = AnswerCache::new(lifetimes.people, EvictionPolicy::lru(), flushes.clone(), counter);
        let grace = lifetimes.outage_grace;
        let last = LastOwners::new(lifetimes.people, grace, grace, flushes.clone());
        Self { owners, last, lifetimes, flushes }
    }

    /// An empty one with other lifetimes, which bridges the same outages.
    pub(super) async fn renewed(&self, lifetimes: Lifetimes, counter: CacheCounter) -> Self {
        let renewed = Self::new(lifetimes, self.flushes.clone(), counter);
        self.last.copy_to(&renewed.last).await;
        renewed
    }

    /// How many certificates are cached.
    pub(crate) async fn count(&self) -> u64 {
        self.owners.count().await
    }

    /// Drops every certificate.
    pub(crate) fn drop_all(&self) {
        self.owners.clear();
        self.last.clear();
    }

    /// Drops one certificate's owner; an outage is still bridged.
    pub(crate) async fn drop_owner(&self, certificate: &Certificate) {
        self.owners.remove(&fingerprint(certificate)).await;
    }

    /// Whose a certificate is, from the cache or from the directories, and whether that is an earlier answer which
    /// bridges an outage ([`Proof::OutageGrace`]).
    pub(crate) async fn find(&self, query: CertificateQuery<'_>) -> Result<(CertificateOwner, Proof), Fault> {
        let fingerprint = fingerprint(query.certificate);
        let is_believed = |answer: &Dated<CertificateOwner>| match &answer.value {
            CertificateOwner::One(person) => self.flushes.believes_owner(answer.asked, person),
            // A person who was flushed since may be its owner now.
            CertificateOwner::Nobody(_) | CertificateOwner::Several(_) => answer.asked == self.flushes.now(),
        };
        match self.owners.get(&fingerprint, || self.look_up(fingerprint, query), is_believed).await {
            Ok(owner) => Ok((owner, Proof::Certificate)),
            Err(fault) => self.bridge(query.certificate, fault).await,
        }
    }

    /// Its last owner, if the directory is silent and no change of the owner was reported since.
    pub(crate) async fn bridge(
        &self,
        certificate: &Certificate,
        fault: Fault,
    ) -> Result<(CertificateOwner, Proof), Fault> {
        match self.last.proof(&fingerprint(certificate)).await {
            Some(last) if fault.is_silence() => Ok((CertificateOwner::One(last.person), Proof::OutageGrace)),
            _ => Err(fault),
        }
    }

    /// A certificate that has no owner any more bridges no outage. The grace runs from the last look-up in which every
    /// directory answered.
    async fn look_up(
        &self,
        fingerprint: Fingerprint,
        query: CertificateQuery<'_>,
    ) -> Result<Dated<CertificateOwner>, Fault> {
        let asked = self.flushes.now();
        let answers = query.ask().await;
        let known = self.last.known(&fingerprint, |known| answers.still(known).is_some()).await;
        let are_complete = answers.are_complete();
        let sure = known.filter(|known| self.last.is_sure(known));
        let owner = answers.owner(sure.as_ref())?;
        let mut lifetime = match owner {
            CertificateOwner::One(_) => self.lifetimes.found,
            CertificateOwner::Nobody(_) | CertificateOwner::Several(_) => self.lifetimes.missed,
        };
        match (&owner, sure) {
            (CertificateOwner::One(person), _) if are_complete => {
                self.last.insert(fingerprint, LastOwner { asked, person: person.clone(), kind: None }).await;
            }
            (CertificateOwner::One(_), Some(sure)) => lifetime = lifetime.min(self.last.time_left(&sure)),
            _ => {}
        }
        Ok(Dated { asked, value: owner, lifetime })
    }
}

/// The key of a certificate in the cache.
pub(crate) fn fingerprint(certificate: &Certificate) -> Fingerprint {
    let digest = digest::digest(&digest::SHA256, certificate.octets());
    let mut fingerprint = Fingerprint::default();
    fingerprint.iter_mut().zip(digest.as_ref()).for_each(|(to, from)| *to = *from);
    fingerprint
}

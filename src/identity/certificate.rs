//! Certificates: whose is one that TLS has verified, and is it the same person's as a password or a login name?
//!
//! A certificate login makes no bind. What is cached of a certificate is cached as long as what is cached of a login name;
//! its proof is the look-up that found it in the entry, and bridges an outage for `outage_grace` from then on.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use moka::Expiry;
use moka::future::Cache;
use moka::policy::EvictionPolicy;

use super::directories::Directories;
use super::flushes::{Flushes, Generation};
use super::heard::{Heard, told};
use super::{Identity, IdentityMap, Lifetimes, LockOutOf, Outcome, Proof, Reason, Settings, Steps, proven, refused};
use crate::certificate::Certificate;
use crate::directory::{self, CertificateMapping, Claims, Directory, Entry, Fault};
use crate::names::{Dn, LoginName};

/// Whose certificates are, held in memory.
pub(super) struct Owners {
    held: Cache<Fingerprint, Held>,
    /// Whose they last were and when that was asked, for as long as an outage may be bridged.
    last: Cache<Fingerprint, (Generation, Arc<Identity>)>,
    lifetimes: Lifetimes,
    flushes: Arc<Flushes>,
}

/// SHA-256 of the whole certificate: a renewed one is looked up anew.
type Fingerprint = [u8; 32];

/// Whose a certificate is, and since when that is known.
#[derive(Clone)]
struct Held {
    asked: Generation,
    owner: Owner,
    lifetime: Duration,
}

/// Whose a certificate is.
#[derive(Clone)]
pub(super) enum Owner {
    One(Arc<Identity>),
    /// Nobody's, and why.
    Nobody(Arc<str>),
    /// It cannot be told which one's of several; their DNs.
    Several(Vec<String>),
}

/// A found owner and "nobody's" are believed for different times.
struct PerOwner;

impl Expiry<Fingerprint, Held> for PerOwner {
    fn expire_after_create(&self, _: &Fingerprint, held: &Held, _: Instant) -> Option<Duration> {
        Some(held.lifetime)
    }
}

impl Owners {
    pub(super) fn new(lifetimes: Lifetimes, flushes: Arc<Flushes>) -> Self {
        // An authority has signed each of them: a new one takes the place of the one that was not shown for the longest time.
        let (most, policy) = (lifetimes.people, EvictionPolicy::lru());
        let held = Cache::builder().max_capacity(most).eviction_policy(policy.clone()).expire_after(PerOwner).build();
        let bridged = lifetimes.outage_grace;
        let last = Cache::builder().max_capacity(most).eviction_policy(policy).time_to_live(bridged).build();
        Self { held, last, lifetimes, flushes }
    }

    /// Forgets every certificate.
    pub(super) fn forget_all(&self) {
        self.held.invalidate_all();
        self.last.invalidate_all();
    }

    /// Whose a certificate is, from memory or from the directory; and whether only an earlier answer says so.
    async fn find(&self, certificate: &Certificate, all: All<'_>) -> Result<(Owner, Proof), Fault> {
        let fingerprint = fingerprint(certificate);
        match self.held(fingerprint, certificate, all).await {
            Ok(held) => Ok((held.owner, Proof::Certificate)),
            Err(fault) => self.bridge(fingerprint, fault).await,
        }
    }

    /// Whose it was last, if the directory is silent and no change of the owner was reported since.
    async fn bridge(&self, fingerprint: Fingerprint, fault: Fault) -> Result<(Owner, Proof), Fault> {
        let last = self.last.get(&fingerprint).await;
        let last = last.filter(|(asked, person)| {
            self.flushes.bridges(*asked, person) && person.is_within(self.lifetimes.outage_grace)
        });
        match last {
            Some((_, person)) if fault.is_silence() => Ok((Owner::One(person), Proof::Grace)),
            _ => Err(fault),
        }
    }

    /// As login names are held: what was asked before a flush that may be about it is asked anew.
    async fn held(&self, fingerprint: Fingerprint, certificate: &Certificate, all: All<'_>) -> Result<Held, Fault> {
        let mut anew = None;
        loop {
            let asked = self.look_up(fingerprint, certificate, all);
            let held =
                self.held.try_get_with(fingerprint, asked).await.map_err(|fault: Arc<Fault>| (*fault).clone())?;
            let is_believed = match &held.owner {
                Owner::One(person) => self.flushes.believes_owner(held.asked, person),
                // Whoever was flushed may be its owner by now.
                Owner::Nobody(_) | Owner::Several(_) => held.asked == self.flushes.now(),
            };
            if is_believed {
                return Ok(held);
            }
            self.held.invalidate(&fingerprint).await;
            if held.asked >= *anew.get_or_insert_with(|| self.flushes.now()) {
                return Ok(held);
            }
        }
    }

    /// A certificate that is nobody's any more bridges no outage. The grace runs from the last look-up in which every
    /// directory was heard.
    async fn look_up(&self, fingerprint: Fingerprint, certificate: &Certificate, all: All<'_>) -> Result<Held, Fault> {
        let asked = self.flushes.now();
        let search = all.ask(certificate).await;
        let last = self.last.get(&fingerprint).await;
        let known = last.filter(|(asked, person)| self.flushes.believes_of(*asked, person)).map(|(_, person)| person);
        if search.heard.still(known.as_ref()).is_none() {
            self.last.invalidate(&fingerprint).await;
        }
        let is_whole = search.heard.is_whole();
        let sure = known.filter(|known| known.is_within(self.lifetimes.outage_grace));
        let owner = search.owner(sure.as_ref())?;
        let mut lifetime = match owner {
            Owner::One(_) => self.lifetimes.found,
            Owner::Nobody(_) | Owner::Several(_) => self.lifetimes.missed,
        };
        match (&owner, sure) {
            (Owner::One(person), _) if is_whole => self.last.insert(fingerprint, (asked, person.clone())).await,
            (Owner::One(_), Some(sure)) => {
                lifetime = lifetime.min(self.lifetimes.outage_grace.saturating_sub(sure.looked_up.elapsed()));
            }
            _ => {}
        }
        Ok(Held { asked, owner, lifetime })
    }
}

impl IdentityMap {
    /// Judges a certificate that TLS has verified, without a password (SASL EXTERNAL), sent from an address. Some clients
    /// send an authorization identity: it may be empty, or any login name of the certificate's owner.
    ///
    /// What is refused counts for the network alone: nobody guesses a certificate.
    pub async fn verify_certificate(&self, certificate: &Certificate, authorization: &[u8], from: IpAddr) -> Outcome {
        let (named, shown) = (LoginName::as_typed(authorization), STANDARD.encode(fingerprint(certificate)));
        let (trial, now) = (self.guard.trial_of(&named, &shown, from), Instant::now());
        self.end_lock_outs();
        let mut outcome = if self.guard.shuts_out_network(&trial, now) {
            refused(None, Reason::LockedOut(LockOutOf::Network))
        } else {
            let outcome = self.judge_certificate(certificate, authorization).await;
            self.unless_silent(outcome, None, now).await
        };
        self.guard.settle_token(&trial, &mut outcome, Instant::now());
        outcome
    }

    async fn judge_certificate(&self, certificate: &Certificate, authorization: &[u8]) -> Outcome {
        let (owner, proof) = match self.owner_of(certificate).await {
            Ok((Owner::One(owner), proof)) => (owner, proof),
            Ok((Owner::Nobody(why), _)) => return refused(None, Reason::CertificateOfNobody(why.to_string())),
            Ok((Owner::Several(people), _)) => return refused(None, Reason::Ambiguous(people)),
            Err(fault) => return Outcome::unanswered(fault),
        };
        if let Some(reason) = self.bars(&owner) {
            return refused(Some(&owner), reason);
        }
        match self.may_be(&owner, authorization, Reason::NotTheirName).await {
            Ok(None) => proven(&owner, None, proof, Steps::IGNORED),
            Ok(Some(reason)) => refused(Some(&owner), reason),
            Err(fault) => Outcome::unanswered(fault),
        }
    }

    /// Whose a certificate is. What bars its owner is never told from memory: it may be over. Neither is it known from
    /// memory whose a DN is, where that alone makes the certificate somebody's: it can be given to a successor.
    pub(super) async fn owner_of(&self, certificate: &Certificate) -> Result<(Owner, Proof), Fault> {
        let began = Instant::now();
        let found = self.owners.find(certificate, self.all()).await?;
        let (Owner::One(owner), Proof::Certificate) = &found else { return self.unless_barred_since(found) };
        if owner.looked_up >= began {
            return Ok(found);
        }
        let is_theirs =
            if self.bars(owner).is_some() { Ok(false) } else { self.is_still_by_dn(certificate, owner).await };
        match is_theirs {
            Ok(true) => Ok(found),
            Ok(false) => {
                self.owners.held.invalidate(&fingerprint(certificate)).await;
                let found = self.owners.find(certificate, self.all()).await?;
                self.unless_barred_since(found)
            }
            Err(fault) => {
                let found = self.owners.bridge(fingerprint(certificate), fault).await?;
                self.unless_barred_since(found)
            }
        }
    }

    /// Nobody is let in by an earlier answer who was seen to be barred since, by whatever login.
    fn unless_barred_since(&self, found: (Owner, Proof)) -> Result<(Owner, Proof), Fault> {
        match &found {
            (Owner::One(owner), Proof::Grace) if self.passwords.was_barred_since(owner) => Err(barred_since()),
            _ => Ok(found),
        }
    }

    /// Whether a certificate that is somebody's by its subject's DN is still so by whose DN that is now.
    async fn is_still_by_dn(&self, certificate: &Certificate, owner: &Identity) -> Result<bool, Fault> {
        let mapping = self.directories.settings_of(&owner.id).map(|settings| settings.certificate_mapping);
        let is_by_dn = mapping == Some(CertificateMapping::Subject)
            && Dn::parse(&certificate.subject).is_some_and(|subject| subject.matches(&owner.dn));
        if is_by_dn { self.directories.is_still_theirs(owner).await } else { Ok(true) }
    }

    fn all(&self) -> All<'_> {
        All { directories: &self.directories, settings: &self.settings }
    }
}

/// While the directory is silent, the last that it said of a person is that they may not log in.
pub(super) fn barred_since() -> Fault {
    Fault::Unavailable { why: "silent, and the person was barred when it was last heard".to_owned(), silent: true }
}

fn fingerprint(certificate: &Certificate) -> Fingerprint {
    let digest = digest::digest(&digest::SHA256, certificate.octets());
    let mut fingerprint = Fingerprint::default();
    fingerprint.iter_mut().zip(digest.as_ref()).for_each(|(to, from)| *to = *from);
    fingerprint
}

/// All directories, each of which may have the owner.
#[derive(Clone, Copy)]
struct All<'a> {
    directories: &'a Directories,
    settings: &'a Settings,
}

/// Whose a certificate is, as far as directories were heard.
#[derive(Default)]
struct Search {
    heard: Heard,
    /// Why entries that its names fit are not its owner's.
    unfit: Vec<String>,
}

impl All<'_> {
    /// Asks each directory by its own mapping, at the same time.
    async fn ask(self, certificate: &Certificate) -> Search {
        let ask =
            |directory: &Directory| directory.candidates(claims(certificate, directory.settings().certificate_mapping));
        let asked: Vec<_> = self.directories.iter().map(|directory| (directory.settings(), ask(directory))).collect();
        let mut search = Search::default();
        for (of_directory, pending) in asked {
            match pending.await {
                Ok(candidates) => search.note(&candidates, certificate, of_directory, self.settings),
                Err(fault) => {
                    search.heard.note_fault(&of_directory.name, self.directories.told(fault, &of_directory.name));
                }
            }
        }
        search
    }
}

impl Search {
    /// Of more candidates than can be told apart each may be the owner.
    fn note(&mut self, candidates: &[Entry], certificate: &Certificate, of: &directory::Settings, settings: &Settings) {
        let are_too_many = candidates.len() > usize::from(Directory::CANDIDATES);
        for entry in candidates {
            if let Some(misfit) = &entry.out_of_scope {
                self.unfit.push(format!("{} in {}: {misfit}", entry.dn, of.name));
            } else if are_too_many
                || of.certificate_mapping == CertificateMapping::Subject
                || holds_key(entry, &of.attributes.certificate, certificate)
            {
                self.heard.people.push((Identity::found(entry, &of.attributes, settings), None));
            } else {
                self.unfit.push(format!("its key is not in {}", entry.dn));
            }
        }
    }

    /// Several are several, whoever else there may be.
    fn owner(mut self, known: Option<&Arc<Identity>>) -> Result<Owner, Fault> {
        let doubt = self.heard.doubt(known);
        match (self.heard.people.len(), doubt) {
            (0 | 1, Some(fault)) => return Err(fault),
            (0 | 1, None) => {}
            (2.., _) => return Ok(Owner::Several(told(self.heard.people.iter().map(|(person, _)| person)))),
        }
        Ok(match self.heard.people.pop() {
            Some((person, _)) => Owner::One(person),
            None if self.unfit.is_empty() => Owner::Nobody("no entry fits its subject".into()),
            None => Owner::Nobody(self.unfit.join("; ").into()),
        })
    }
}

/// What may be believed of a certificate's subject. With the key in the entry, every name is only a hint where to look;
/// without it, a common name would let in whoever is called alike.
fn claims(certificate: &Certificate, mapping: CertificateMapping) -> Claims {
    // A name of one part would be the root of a directory, and an empty one everybody's.
    let entry = Dn::parse(&certificate.subject).filter(|dn| dn.rdns().len() > 1);
    match mapping {
        CertificateMapping::Key => Claims {
            entry,
            common_names: certificate.common_names.clone(),
            mails: certificate.mails.iter().chain(&certificate.subject_mails).cloned().collect(),
            principal_names: Vec::new(),
        },
        CertificateMapping::Subject => Claims {
            entry,
            common_names: Vec::new(),
            mails: certificate.mails.clone(),
            principal_names: certificate.principal_names.clone(),
        },
    }
}

fn holds_key(entry: &Entry, attribute: &str, certificate: &Certificate) -> bool {
    entry.octets(attribute).filter_map(|octets| Certificate::read(octets).ok()).any(|own| own.has_key_of(certificate))
}

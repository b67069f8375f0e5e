//! Certificates: whose is one that TLS has verified, and is it the same person's as a password or a login name?
//!
//! A certificate login makes no bind. What is held of a certificate is held as long as what is held of a login name, and
//! bridges an outage as long: its proof is the look-up that found it in the entry.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_lc_rs::digest;
use moka::Expiry;
use moka::future::Cache;

use super::flushes::{Flushes, Generation};
use super::person::Found;
use super::{Identity, IdentityMap, Lifetimes, Outcome, Proof, Reason, Settings, Standing, Steps, proven, refused};
use crate::certificate::Certificate;
use crate::directory::{CertificateMapping, Claims, Directory, Entry, Fault};
use crate::names::{Dn, LoginName};
use crate::pop3::Credentials;

/// Whose certificates are, held in memory.
pub(super) struct Owners {
    held: Cache<Fingerprint, Held>,
    /// Whose they last were and when that was asked, for as long as an outage may be bridged.
    last: Cache<Fingerprint, (Generation, Arc<Identity>)>,
    flushes: Arc<Flushes>,
}

/// SHA-256 of the whole certificate: a renewed one is looked up anew.
type Fingerprint = [u8; 32];

/// Whose a certificate is, and since when that is known.
#[derive(Clone)]
struct Held {
    asked: Generation,
    owner: Owner,
}

/// Whose a certificate is.
#[derive(Clone)]
enum Owner {
    One(Arc<Identity>),
    /// Nobody's, and why.
    Nobody(Arc<str>),
    /// It cannot be told which one's of several; their DNs.
    Several(Vec<String>),
}

/// A found owner and "nobody's" are believed for different times.
struct PerOwner(Lifetimes);

impl Expiry<Fingerprint, Held> for PerOwner {
    fn expire_after_create(&self, _: &Fingerprint, held: &Held, _: Instant) -> Option<Duration> {
        Some(match held.owner {
            Owner::One(_) => self.0.found,
            Owner::Nobody(_) | Owner::Several(_) => self.0.missed,
        })
    }
}

impl Owners {
    pub(super) fn new(lifetimes: Lifetimes, flushes: Arc<Flushes>) -> Self {
        let held = Cache::builder().max_capacity(lifetimes.people).expire_after(PerOwner(lifetimes)).build();
        let bridged = lifetimes.outage_grace + lifetimes.found;
        let last = Cache::builder().max_capacity(lifetimes.people).time_to_live(bridged).build();
        Self { held, last, flushes }
    }

    /// Forgets every certificate.
    pub(super) fn forget_all(&self) {
        self.held.invalidate_all();
        self.last.invalidate_all();
    }

    /// Whose a certificate is, from memory or from the directory; and whether only an earlier answer says so.
    async fn find(
        &self,
        certificate: &Certificate,
        directory: &Directory,
        settings: &Settings,
    ) -> Result<(Owner, Proof), Fault> {
        let fingerprint = fingerprint(certificate);
        let fault = match self.held(fingerprint, certificate, directory, settings).await {
            Ok(held) => {
                self.note(fingerprint, &held).await;
                return Ok((held.owner, Proof::Certificate));
            }
            Err(fault) => fault,
        };
        let last = self.last.get(&fingerprint).await;
        match last.filter(|(asked, person)| self.flushes.believes_of(*asked, person)) {
            Some((_, person)) if matches!(fault, Fault::Unavailable { silent: true, .. }) => {
                Ok((Owner::One(person), Proof::Grace))
            }
            _ => Err(fault),
        }
    }

    /// As login names are held: what was asked before a flush that may be about it is asked anew.
    async fn held(
        &self,
        fingerprint: Fingerprint,
        certificate: &Certificate,
        directory: &Directory,
        settings: &Settings,
    ) -> Result<Held, Fault> {
        loop {
            let asked = async {
                let asked = self.flushes.now();
                Ok(Held { asked, owner: look_up(certificate, directory, settings).await? })
            };
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
        }
    }

    /// The grace runs from the look-up: a hit does not renew it. A certificate that is nobody's any more has none.
    async fn note(&self, fingerprint: Fingerprint, held: &Held) {
        let before = self.last.get(&fingerprint).await;
        match &held.owner {
            Owner::One(person) if before.is_none_or(|(_, before)| before.looked_up < person.looked_up) => {
                self.last.insert(fingerprint, (held.asked, person.clone())).await;
            }
            Owner::One(_) => {}
            Owner::Nobody(_) | Owner::Several(_) => self.last.invalidate(&fingerprint).await,
        }
    }
}

impl IdentityMap {
    /// Judges a certificate that TLS has verified, without a password (SASL EXTERNAL). Some clients send an authorization
    /// identity: it may be empty, or any login name of the certificate's owner.
    pub async fn verify_certificate(&self, certificate: &Certificate, authorization: &[u8]) -> Outcome {
        let (owner, proof) = match self.owner_of(certificate).await {
            Ok((Owner::One(owner), proof)) => (owner, proof),
            Ok((Owner::Nobody(why), _)) => return refused(None, Reason::CertificateOfNobody(why.to_string())),
            Ok((Owner::Several(people), _)) => return refused(None, Reason::Ambiguous(people)),
            Err(fault) => return without_answer(fault),
        };
        if let Some(reason) = self.bars(&owner) {
            return refused(Some(&owner), reason);
        }
        if authorization.is_empty() {
            return proven(&owner, None, proof, Steps::IGNORED);
        }
        let login = match LoginName::new(authorization) {
            Ok(login) => login,
            Err(fault) => return refused(Some(&owner), Reason::NoName(fault)),
        };
        match self.is_called(&owner, &login).await {
            Ok(true) => proven(&owner, None, proof, Steps::IGNORED),
            Ok(false) => refused(Some(&owner), Reason::NotTheirName),
            Err(fault) => without_answer(fault),
        }
    }

    /// Whose a certificate is. What bars its owner is never told from memory: it may be over.
    async fn owner_of(&self, certificate: &Certificate) -> Result<(Owner, Proof), Fault> {
        let began = Instant::now();
        let found = self.owners.find(certificate, &self.directory, &self.settings).await?;
        match &found.0 {
            Owner::One(owner) if owner.looked_up < began && self.bars(owner).is_some() => {
                self.owners.held.invalidate(&fingerprint(certificate)).await;
                self.owners.find(certificate, &self.directory, &self.settings).await
            }
            _ => Ok(found),
        }
    }

    /// Why a person may not log in, by what their entry says. No bind follows that could settle a doubt.
    pub(super) fn bars(&self, owner: &Identity) -> Option<Reason> {
        let reason = match self.standing(owner) {
            Standing::Free => return None,
            Standing::Doubted(refusal) => Reason::Directory(refusal),
            Standing::Barred(reason) => reason,
        };
        self.passwords.dropped(owner);
        Some(reason)
    }

    /// Judges a name and a password of a client that showed a certificate as well: both must be the same person's. Where
    /// certificates are not `required`, one that leads to nobody, or to no one person, is as good as none.
    pub async fn verify_both(
        &self,
        credentials: Credentials,
        from: IpAddr,
        certificate: &Certificate,
        required: bool,
    ) -> Outcome {
        self.same_person(self.verify(credentials, from).await, certificate, required).await
    }

    /// What becomes of a login that is right by itself, since the client showed a certificate as well.
    pub(super) async fn same_person(&self, outcome: Outcome, certificate: &Certificate, required: bool) -> Outcome {
        let person = match &outcome {
            Outcome::Proven(proven) => &proven.identity,
            Outcome::Forbidden(person, _) => person,
            _ => return outcome,
        };
        let owner = match self.owners.find(certificate, &self.directory, &self.settings).await {
            Ok((owner, _)) => owner,
            Err(fault) => return without_answer(fault),
        };
        match owner {
            Owner::One(owner) if owner.id == person.id => outcome,
            Owner::One(owner) => refused(Some(person), Reason::CertificateOfAnother(owner.dn.to_string())),
            Owner::Nobody(_) | Owner::Several(_) if !required => outcome,
            Owner::Nobody(why) => refused(Some(person), Reason::CertificateOfNobody(why.to_string())),
            Owner::Several(people) => refused(Some(person), Reason::Ambiguous(people)),
        }
    }

    /// Whether a login name is one of a person's: several may have it, the certificate tells them apart.
    async fn is_called(&self, person: &Identity, login: &LoginName) -> Result<bool, Fault> {
        Ok(match &*self.names.find(login, &self.directory, &self.settings, Steps::IGNORED).await? {
            Found::One(found, _) => found.id == person.id,
            Found::Ambiguous(people) => people.iter().filter_map(|dn| Dn::parse(dn)).any(|dn| dn.matches(&person.dn)),
            Found::Nobody | Found::OutsidePolicy => false,
        })
    }
}

/// Nobody is told that anything of theirs is wrong while that cannot be known.
pub(super) fn without_answer(fault: Fault) -> Outcome {
    match fault {
        Fault::Misconfigured(why) => Outcome::Misconfigured(why),
        Fault::Unavailable { why, .. } => Outcome::Unavailable(why),
    }
}

fn fingerprint(certificate: &Certificate) -> Fingerprint {
    let digest = digest::digest(&digest::SHA256, certificate.octets());
    let mut fingerprint = Fingerprint::default();
    fingerprint.iter_mut().zip(digest.as_ref()).for_each(|(to, from)| *to = *from);
    fingerprint
}

async fn look_up(certificate: &Certificate, directory: &Directory, settings: &Settings) -> Result<Owner, Fault> {
    let of_directory = directory.settings();
    let mapping = of_directory.certificate_mapping;
    let candidates = directory.candidates(claims(certificate, mapping)).await?;
    let told = |entries: &[&Entry]| Owner::Several(entries.iter().map(|entry| entry.dn.to_string()).collect());
    let all: Vec<&Entry> = candidates.iter().collect();
    if all.is_empty() {
        return Ok(Owner::Nobody("no entry fits its subject".into()));
    }
    if all.len() > Directory::CANDIDATES {
        return Ok(told(&all));
    }
    let holds = |entry: &&Entry| match mapping {
        CertificateMapping::Key => holds_key(entry, &of_directory.attributes.certificate, certificate),
        CertificateMapping::Subject => true,
    };
    let owners: Vec<&Entry> = all.into_iter().filter(holds).collect();
    Ok(match owners.as_slice() {
        [] => Owner::Nobody(format!("its key is not in {}", whose(&candidates)).into()),
        [entry] => {
            let attributes = &of_directory.attributes;
            Owner::One(Arc::new(Identity::new(entry, attributes, &settings.template, &settings.root)))
        }
        several => told(several),
    })
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

fn whose(candidates: &[Entry]) -> String {
    candidates.iter().map(|entry| entry.dn.as_str()).collect::<Vec<_>>().join(" or ")
}

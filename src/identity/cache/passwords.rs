//! Passwords, as keyed hashes: the verified one of each person, and a few that were refused.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime};

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::{hmac, rand};
use moka::policy::EvictionPolicy;
use moka::sync::Cache;

use super::flushes::{Flushed, Flushes};
use super::password_record::{JudgedPassword, PasswordRecord, Submission, counted, same};
use super::single_flight::{BindKey, SingleFlight};
use crate::directory::{EntryId, Fault, Verdict};
use crate::identity::person::Identity;
use crate::identity::settings::Lifetimes;
use crate::secret::Password;

/// What is cached about a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recall {
    /// It was verified not long ago.
    Verified,
    /// It was refused not long ago.
    Refused,
    /// The same, but the entry could not be read afterwards: it may have moved.
    RefusedUnseen,
    /// Nothing: the directory is to be asked.
    Unknown,
}

/// Whether a password is accepted while the directory is silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GraceCheck {
    /// It is accepted.
    Accepted,
    /// It is not the one that was proven last.
    OtherPassword,
    /// Nothing is known about it, or nothing that is still valid.
    Unknown,
}

/// The cached passwords of all people.
pub(crate) struct PasswordCache {
    key: hmac::Key,
    lifetimes: Lifetimes,
    flushes: Arc<Flushes>,
    people: Cache<EntryId, Arc<Mutex<PasswordRecord>>>,
    binds: SingleFlight<BindKey, Result<Verdict, Fault>>,
}

/// How a cached password was proven.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LastProof {
    /// When, by the wall clock.
    pub(crate) at: SystemTime,
    /// Whether it had expired, and the directory accepted it as a grace login.
    pub(crate) by_grace: bool,
}

/// Distinct passwords tried in an outage that end a person's grace.
const TRIES_IN_OUTAGE: usize = 5;

impl PasswordCache {
    /// An empty cache, with a fresh key that never leaves this process.
    pub(crate) fn new(lifetimes: Lifetimes, flushes: Arc<Flushes>) -> Result<Self, Unspecified> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &rand::SystemRandom::new())?;
        Ok(Self { key, lifetimes, flushes, people: room(lifetimes), binds: SingleFlight::default() })
    }

    /// The same passwords with other lifetimes.
    pub(super) fn renewed(&self, lifetimes: Lifetimes) -> Self {
        let people = room(lifetimes);
        for (person, record) in &self.people {
            people.insert(EntryId::clone(&person), record);
        }
        Self { key: self.key.clone(), lifetimes, flushes: self.flushes.clone(), people, binds: SingleFlight::default() }
    }

    /// The answer to a bind with this password, or to the same bind if one is in progress.
    pub(crate) async fn bind_once(
        &self,
        person: &Identity,
        password: &Password,
        sent: Submission,
        bind: impl Future<Output = Result<Verdict, Fault>>,
    ) -> Result<Verdict, Fault> {
        let password = self.tag(person, password).as_ref().to_vec();
        let (dn, asked) = (person.dn.to_string(), sent.asked);
        self.binds.once(BindKey { person: person.id.clone(), dn, password, asked }, bind).await
    }

    /// What is cached about this password of a person.
    pub(crate) fn recall(&self, person: &Identity, password: &Password, now: Instant) -> Recall {
        let Some(record) = self.people.get(&person.id) else { return Recall::Unknown };
        let mut record = lock(&record);
        let tag = self.tag(person, password);
        let is_this = |mark: &JudgedPassword| {
            same(&mark.tag, &tag)
                && self.flushes.believes_of(mark.sent.asked, person)
                && mark.is_under_the_stamp_of(person)
        };
        let verified = record.verified.as_ref().filter(|mark| is_this(mark) && !self.is_doubted(mark, person));
        if verified.is_some_and(|mark| now.duration_since(mark.at) < self.lifetimes.password) {
            return Recall::Verified;
        }
        let Some(mark) = record.refused.iter_mut().find(|mark| is_this(mark)) else { return Recall::Unknown };
        if mark.is_unseen {
            return if person.looked_up > mark.at { Recall::Unknown } else { Recall::RefusedUnseen };
        }
        if mark.is_refused_still(self.lifetimes.refused, now) { Recall::Refused } else { Recall::Unknown }
    }

    /// A bind succeeded. The lifetime begins now; a hit never renews it.
    pub(crate) fn record_verified(&self, person: &Identity, password: &Password, now: Instant, sent: Submission) {
        let mark = self.mark(person, password, now, sent);
        self.change(person, |record| {
            record.refused.retain(|refused| !same(&refused.tag, &mark.tag));
            record.verified = Some(mark);
            record.dropped = None;
            record.is_by_grace = false;
            record.tried_in_outage.clear();
            record.barred = None;
        });
    }

    /// The verified password had expired, and the directory accepted it as a grace login.
    pub(crate) fn record_grace_login(&self, person: &Identity) {
        self.change(person, |record| record.is_by_grace = true);
    }

    /// How the verified password was proven; none if none is cached.
    pub(crate) fn last_proof(&self, person: &Identity) -> Option<LastProof> {
        let record = self.people.get(&person.id)?;
        let record = lock(&record);
        let at = SystemTime::now().checked_sub(record.verified.as_ref()?.at.elapsed())?;
        Some(LastProof { at, by_grace: record.is_by_grace })
    }

    /// The account is barred, or only a bind can show that it is not: no cached password is accepted any more.
    pub(crate) fn record_barred(&self, person: &Identity) {
        self.change(person, |record| {
            record.dropped = record.verified.take().or_else(|| record.dropped.take());
            record.tried_in_outage.clear();
            record.barred = Some(Instant::now());
        });
    }

    /// Whether the account was seen to be barred, under any name, since the person was looked up.
    pub(crate) fn was_barred_since(&self, person: &Identity) -> bool {
        let Some(record) = self.people.get(&person.id) else { return false };
        lock(&record).barred.is_some_and(|at| at > person.looked_up)
    }

    /// A bind with this password was refused: if it is the cached one, that is dropped. Another one stays: a stranger's
    /// wrong guess takes nothing away from the account's owner.
    pub(crate) fn disbelieve(&self, person: &Identity, password: &Password) {
        let tag = self.tag(person, password);
        self.change(person, |record| record.disbelieve(&tag));
    }

    /// The same, because the password is wrong: it is not tried again for a while, so that a phone which repeats an old
    /// one all day locks nobody out of the directory.
    pub(crate) fn record_refused(&self, person: &Identity, password: &Password, now: Instant, sent: Submission) {
        let mut mark = self.mark(person, password, now, sent);
        self.change(person, |record| {
            record.disbelieve(&mark.tag);
            mark.doubt = record.doubt(&mark);
            mark.recheck = record.recheck(&mark);
            record.remember_refused(mark);
        });
    }

    /// The same, and then the directory fell silent: the entry may have moved, and the password may be right at its new
    /// DN. The entry is read before the password is tried again; otherwise a device would cause failed binds for as
    /// long as look-ups fail.
    pub(crate) fn record_refused_unseen(&self, person: &Identity, password: &Password, now: Instant, sent: Submission) {
        let mark = JudgedPassword { is_unseen: true, ..self.mark(person, password, now, sent) };
        self.change(person, |record| {
            record.remember_refused(mark);
        });
    }

    /// The entry was read: if its change stamp has moved, its cached passwords are dropped. One that may still be the
    /// password is remembered, so that its refusal can be doubted.
    pub(crate) fn compare_stamp(&self, person: &Identity) {
        let Some(record) = self.people.get(&person.id) else { return };
        let mut record = lock(&record);
        if let Some(moved) = record.verified.take_if(|mark| !mark.is_under_the_stamp_of(person)) {
            record.dropped = Some(moved);
        }
        record.dropped.take_if(|mark| !mark.may_be_of(person.stamp.as_ref()));
        record.refused.retain(|mark| mark.may_be_of(person.stamp.as_ref()));
    }

    /// The refused passwords of a person may be tried again.
    pub(crate) fn drop_refused(&self, person: &EntryId) {
        if let Some(record) = self.people.get(person) {
            lock(&record).refused.clear();
        }
    }

    /// Whether a password is accepted while the directory is silent: it is the one proven last, the proof is within the
    /// grace, and nobody is guessing.
    pub(crate) fn check_grace(&self, person: &Identity, password: &Password, now: Instant) -> GraceCheck {
        let Some(record) = self.people.get(&person.id) else { return GraceCheck::Unknown };
        let mut record = lock(&record);
        let tag = self.tag(person, password);
        // A later login has looked the person up, and the change stamp shows that the password has changed.
        let has_moved = |mark: &JudgedPassword| person.looked_up > mark.at && !mark.is_under_the_stamp_of(person);
        let believed = |mark: &&JudgedPassword| {
            self.flushes.believes_of(mark.sent.asked, person) && !has_moved(mark) && !self.is_doubted(mark, person)
        };
        let Some(verified) = record.verified.as_ref().filter(believed) else { return GraceCheck::Unknown };
        if now.duration_since(verified.at) >= self.lifetimes.outage_grace {
            return GraceCheck::Unknown;
        }
        let is_guessed = record.tried_in_outage.len() >= TRIES_IN_OUTAGE;
        if same(&verified.tag, &tag) {
            return if is_guessed { GraceCheck::Unknown } else { GraceCheck::Accepted };
        }
        if is_guessed {
            return GraceCheck::OtherPassword;
        }
        if !record.tried_in_outage.iter().any(|tried| same(tried, &tag)) {
            record.tried_in_outage.push(tag);
        }
        GraceCheck::OtherPassword
    }

    /// Whether a change that may be a new password was reported since this one was verified, and the stamp does not
    /// show it. Refused binds are no reason to ask again: a directory may report each of them as a change.
    fn is_doubted(&self, verified: &JudgedPassword, person: &Identity) -> bool {
        !verified.is_settled_for(person) && !self.flushes.is_unreported(verified.sent.asked, person)
    }

    /// How many people's are cached.
    pub(super) fn count(&self) -> u64 {
        self.people.run_pending_tasks();
        self.people.entry_count()
    }

    /// Whether anybody's was verified within the outage grace.
    pub(crate) fn bridges_somebody(&self, now: Instant) -> bool {
        let grace = self.lifetimes.outage_grace;
        let is_recent = |mark: &JudgedPassword| now.saturating_duration_since(mark.at) < grace;
        self.people.iter().any(|(_, record)| lock(&record).verified.as_ref().is_some_and(is_recent))
    }

    /// Drops everybody's; returns how many were cached.
    pub(super) fn drop_all(&self) -> Flushed {
        let counts = self.people.iter().map(|(_, record)| lock(&record).count());
        let dropped = counts.fold(Flushed::default(), Flushed::and);
        self.people.invalidate_all();
        dropped
    }

    /// Drops one person's; returns how many were cached.
    pub(super) fn drop_person(&self, person: &EntryId) -> Flushed {
        self.people.remove(person).map(|record| lock(&record).count()).unwrap_or_default()
    }

    /// Drops the refused passwords that were sent from an address; returns how many.
    pub(crate) fn drop_sent_from(&self, address: IpAddr) -> Flushed {
        let dropped = self.people.iter().map(|(_, record)| {
            let mut record = lock(&record);
            let before = record.refused.len();
            record.refused.retain(|mark| mark.sent.from != address);
            before - record.refused.len()
        });
        Flushed { refused: counted(dropped.sum()), ..Flushed::default() }
    }

    fn change(&self, person: &Identity, change: impl FnOnce(&mut PasswordRecord)) {
        let record = self.people.get_with_by_ref(&person.id, Arc::default);
        change(&mut lock(&record));
    }

    fn mark(&self, person: &Identity, password: &Password, at: Instant, sent: Submission) -> JudgedPassword {
        let (tag, stamp) = (self.tag(person, password), person.stamp.clone());
        let sent_at = SystemTime::now().checked_sub(sent.at.elapsed());
        let is_settled = stamp.as_ref().zip(sent_at).is_some_and(|(stamp, sent_at)| stamp.is_settled_at(sent_at));
        JudgedPassword {
            tag,
            at,
            last_tried: at,
            stamp,
            sent,
            is_settled,
            is_unseen: false,
            doubt: None,
            recheck: None,
        }
    }

    /// Bound to the person: the same password of two people has two tags.
    fn tag(&self, person: &Identity, password: &Password) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.key);
        for part in [person.id.directory(), &person.id.to_string()] {
            context.update(part.as_bytes());
            context.update(&[0]);
        }
        context.update(password.expose().as_bytes());
        context.sign()
    }
}

/// Room for people. A new one replaces the least recently used: people whose refused passwords are not remembered would be
/// locked out of the directory by a phone with an old password.
fn room(lifetimes: Lifetimes) -> Cache<EntryId, Arc<Mutex<PasswordRecord>>> {
    let longest = lifetimes.password.max(lifetimes.refused).max(lifetimes.outage_grace);
    let builder = Cache::builder().max_capacity(lifetimes.people).eviction_policy(EvictionPolicy::lru());
    builder.time_to_idle(longest).build()
}

fn lock(record: &Mutex<PasswordRecord>) -> MutexGuard<'_, PasswordRecord> {
    record.lock().unwrap_or_else(PoisonError::into_inner)
}

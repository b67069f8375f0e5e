//! Passwords held in memory, as keyed hashes: the verified one of each person, and a few that were refused.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime};

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::{hmac, rand};
use moka::policy::EvictionPolicy;
use moka::sync::Cache;

use crate::directory::{EntryId, Fault, Verdict};
use crate::identity::cache::flushes::Flushes;
use crate::identity::cache::password_record::{JudgedPassword, PasswordRecord, Submission, counted, same};
use crate::identity::cache::single_flight::{BindKey, SingleFlight};
use crate::identity::{Flushed, Identity, Lifetimes};
use crate::secret::Password;

/// What is remembered of a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recall {
    /// It was verified of late.
    Verified,
    /// It was refused of late.
    Refused,
    /// The same, but the entry could not be read since: it may have moved.
    RefusedUnseen,
    /// Nothing: ask.
    Unknown,
}

/// What is known of a password while the directory is silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GraceCheck {
    /// It is believed.
    Yes,
    /// It is another than the one proven last.
    OtherPassword,
    /// Nothing, or nothing that counts any more.
    No,
}

/// The held passwords of all people.
pub(crate) struct PasswordCache {
    key: hmac::Key,
    lifetimes: Lifetimes,
    flushes: Arc<Flushes>,
    people: Cache<EntryId, Arc<Mutex<PasswordRecord>>>,
    under_way: SingleFlight<BindKey, Result<Verdict, Fault>>,
}

/// How a held password was proven.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LastProof {
    /// When, by the wall's clock.
    pub(crate) at: SystemTime,
    /// Whether it had expired, and the directory let it pass by grace.
    pub(crate) by_grace: bool,
}

/// So many distinct passwords tried in an outage end a person's grace.
const TRIES_IN_OUTAGE: usize = 5;

impl PasswordCache {
    /// Nothing held, under a fresh key that never leaves this process.
    pub(crate) fn new(lifetimes: Lifetimes, flushes: Arc<Flushes>) -> Result<Self, Unspecified> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &rand::SystemRandom::new())?;
        let longest = lifetimes.password.max(lifetimes.refused).max(lifetimes.outage_grace);
        // Whoever is new takes the place of whoever was not there for the longest time: a person whose refused passwords are
        // not remembered would be locked out of the directory by a phone with a stale one.
        let people = Cache::builder()
            .max_capacity(lifetimes.people)
            .eviction_policy(EvictionPolicy::lru())
            .time_to_idle(longest)
            .build();
        Ok(Self { key, lifetimes, flushes, people, under_way: SingleFlight::default() })
    }

    /// What a bind with this password answers, or the same one that is under way.
    pub(crate) async fn once(
        &self,
        person: &Identity,
        password: &Password,
        sent: Submission,
        bind: impl Future<Output = Result<Verdict, Fault>>,
    ) -> Result<Verdict, Fault> {
        let password = self.tag(person, password).as_ref().to_vec();
        let (dn, asked) = (person.dn.to_string(), sent.asked);
        self.under_way.once(BindKey { person: person.id.clone(), dn, password, asked }, bind).await
    }

    /// What is remembered of this password of a person.
    pub(crate) fn recall(&self, person: &Identity, password: &Password, now: Instant) -> Recall {
        let Some(record) = self.people.get(&person.id) else { return Recall::Unknown };
        let mut record = record.lock().unwrap_or_else(PoisonError::into_inner);
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

    /// A bind succeeded: only now does the lifetime begin, a hit never renews it.
    pub(crate) fn verified(&self, person: &Identity, password: &Password, now: Instant, sent: Submission) {
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

    /// The verified password had expired, and the directory let it pass by grace.
    pub(crate) fn note_grace(&self, person: &Identity) {
        self.change(person, |record| record.is_by_grace = true);
    }

    /// How the verified password was proven; none if none is held.
    pub(crate) fn last_proof(&self, person: &Identity) -> Option<LastProof> {
        let record = self.people.get(&person.id)?;
        let record = record.lock().unwrap_or_else(PoisonError::into_inner);
        let at = SystemTime::now().checked_sub(record.verified.as_ref()?.at.elapsed())?;
        Some(LastProof { at, by_grace: record.is_by_grace })
    }

    /// The account may not be used, or only a bind can tell: no cached password is believed any more.
    pub(crate) fn dropped(&self, person: &Identity) {
        self.change(person, |record| {
            record.dropped = record.verified.take().or_else(|| record.dropped.take());
            record.tried_in_outage.clear();
            record.barred = Some(Instant::now());
        });
    }

    /// Whether it was seen since a person was looked up, under whatever name, that the account may not be used.
    pub(crate) fn was_barred_since(&self, person: &Identity) -> bool {
        let Some(record) = self.people.get(&person.id) else { return false };
        lock(&record).barred.is_some_and(|at| at > person.looked_up)
    }

    /// A bind with this password was refused: if it is the cached one, it is not believed any more. Another one stays: a
    /// stranger's wrong guess takes nothing away from its owner.
    pub(crate) fn disbelieve(&self, person: &Identity, password: &Password) {
        let tag = self.tag(person, password);
        self.change(person, |record| record.disbelieve(&tag));
    }

    /// The same, because the password is wrong: it is not tried again for a while, so that a phone which repeats a stale
    /// one all day locks nobody out of the directory.
    pub(crate) fn refused(&self, person: &Identity, password: &Password, now: Instant, sent: Submission) {
        let mut mark = self.mark(person, password, now, sent);
        self.change(person, |record| {
            record.disbelieve(&mark.tag);
            mark.doubt = record.doubt(&mark);
            mark.unsettled = record.unsettled(&mark);
            record.hold_refused(mark);
        });
    }

    /// The same, and then the directory fell silent: the entry may have moved, and the password be right where it is now. It
    /// is read before that is asked again, or a device would go on failing to bind as long as nobody can be looked up.
    pub(crate) fn refused_unseen(&self, person: &Identity, password: &Password, now: Instant, sent: Submission) {
        let mark = JudgedPassword { is_unseen: true, ..self.mark(person, password, now, sent) };
        self.change(person, |record| {
            record.hold_refused(mark);
        });
    }

    /// The entry was read: if its change stamp moved, nothing held of its passwords is believed any more. What may be the
    /// password still is remembered for the doubt alone.
    pub(crate) fn seen(&self, person: &Identity) {
        let Some(record) = self.people.get(&person.id) else { return };
        let mut record = record.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(moved) = record.verified.take_if(|mark| !mark.is_under_the_stamp_of(person)) {
            record.dropped = Some(moved);
        }
        record.dropped.take_if(|mark| !mark.may_be_of(person.stamp.as_ref()));
        record.refused.retain(|mark| mark.may_be_of(person.stamp.as_ref()));
    }

    /// The refused passwords of a person may be asked again.
    pub(crate) fn forget_refused(&self, person: &EntryId) {
        if let Some(record) = self.people.get(person) {
            record.lock().unwrap_or_else(PoisonError::into_inner).refused.clear();
        }
    }

    /// Whether a password may be believed while the directory is silent: it is the one proven last, the proof is within
    /// the grace, and nobody is guessing.
    pub(crate) fn bridges_outage(&self, person: &Identity, password: &Password, now: Instant) -> GraceCheck {
        let Some(record) = self.people.get(&person.id) else { return GraceCheck::No };
        let mut record = record.lock().unwrap_or_else(PoisonError::into_inner);
        let tag = self.tag(person, password);
        // Whoever looked the person up since, for whatever login: the directory has told that the password is another.
        let has_moved = |mark: &JudgedPassword| person.looked_up > mark.at && !mark.is_under_the_stamp_of(person);
        let believed = |mark: &&JudgedPassword| {
            self.flushes.believes_of(mark.sent.asked, person) && !has_moved(mark) && !self.is_doubted(mark, person)
        };
        let Some(verified) = record.verified.as_ref().filter(believed) else { return GraceCheck::No };
        if now.duration_since(verified.at) >= self.lifetimes.outage_grace {
            return GraceCheck::No;
        }
        let is_guessed = record.tried_in_outage.len() >= TRIES_IN_OUTAGE;
        if same(&verified.tag, &tag) {
            return if is_guessed { GraceCheck::No } else { GraceCheck::Yes };
        }
        if is_guessed {
            return GraceCheck::OtherPassword;
        }
        if !record.tried_in_outage.iter().any(|tried| same(tried, &tag)) {
            record.tried_in_outage.push(tag);
        }
        GraceCheck::OtherPassword
    }

    /// Whether a change of the person was reported since a password was verified that may be another password, and the stamp
    /// does not tell. Refused binds are no reason to ask again: a directory may report each of them as a change.
    fn is_doubted(&self, verified: &JudgedPassword, person: &Identity) -> bool {
        !verified.is_settled_for(person) && !self.flushes.is_unreported(verified.sent.asked, person)
    }

    /// Forgets everybody's; tells how many were held.
    pub(crate) fn forget_all(&self) -> Flushed {
        let held = self.people.iter().map(|(_, record)| lock(&record).count());
        let held = held.fold(Flushed::default(), Flushed::and);
        self.people.invalidate_all();
        held
    }

    /// Forgets one person's; tells how many were held.
    pub(crate) fn forget(&self, person: &EntryId) -> Flushed {
        self.people.remove(person).map(|record| lock(&record).count()).unwrap_or_default()
    }

    /// Forgets the refused passwords that were sent from an address; tells how many.
    pub(crate) fn forget_from(&self, address: IpAddr) -> Flushed {
        let forgotten = self.people.iter().map(|(_, record)| {
            let mut record = lock(&record);
            let before = record.refused.len();
            record.refused.retain(|mark| mark.sent.from != address);
            before - record.refused.len()
        });
        Flushed { refused: counted(forgotten.sum()), ..Flushed::default() }
    }

    fn change(&self, person: &Identity, change: impl FnOnce(&mut PasswordRecord)) {
        let record = self.people.get_with_by_ref(&person.id, Arc::default);
        change(&mut record.lock().unwrap_or_else(PoisonError::into_inner));
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
            unsettled: None,
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

fn lock(record: &Mutex<PasswordRecord>) -> MutexGuard<'_, PasswordRecord> {
    record.lock().unwrap_or_else(PoisonError::into_inner)
}

//! Passwords held in memory, as keyed hashes: the verified one of each person, and a few that were refused.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::{hmac, rand};
use moka::policy::EvictionPolicy;
use moka::sync::Cache;

use super::flushes::{Flushes, Generation};
use super::under_way::{Question, UnderWay};
use super::{Flushed, Identity, Lifetimes};
use crate::directory::{EntryId, Fault, Stamp, Verdict};
use crate::secret::Password;

/// What is remembered of a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Recall {
    /// It was verified of late.
    Verified,
    /// It was refused of late.
    Refused,
    /// Nothing: ask.
    Unknown,
}

/// What is known of a password while the directory is silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bridge {
    /// It is believed.
    Yes,
    /// It is another than the one proven last.
    OtherPassword,
    /// Nothing, or nothing that counts any more.
    No,
}

/// The held passwords of all people.
pub(super) struct Passwords {
    key: hmac::Key,
    lifetimes: Lifetimes,
    flushes: Arc<Flushes>,
    people: Cache<EntryId, Arc<Mutex<Record>>>,
    under_way: UnderWay,
}

#[derive(Default)]
struct Record {
    verified: Option<Mark>,
    /// Whether the verified one had expired, and the directory let it pass by grace.
    is_by_grace: bool,
    /// The one that was verified before a refusal dropped it.
    dropped: Option<Mark>,
    refused: VecDeque<Mark>,
    /// Distinct passwords unlike the verified one that were tried during an outage.
    tried_in_outage: Vec<hmac::Tag>,
}

struct Mark {
    tag: hmac::Tag,
    /// When the directory judged it.
    at: Instant,
    /// When it was last tried.
    last_tried: Instant,
    stamp: Option<Stamp>,
    sent: Sent,
    /// It was refused, but is doubted to be wrong: how often it was tried again for that.
    doubt: Option<u32>,
}

/// When and from where a password was sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    /// Before it was sent, every flush of this generation had been made.
    pub(super) asked: Generation,
    /// The client's address.
    pub(super) from: IpAddr,
    /// When it came.
    pub(super) at: Instant,
}

/// How a held password was proven.
#[derive(Clone, Copy, Debug)]
pub(super) struct LastProof {
    /// When, by the wall's clock.
    pub(super) at: SystemTime,
    /// Whether it had expired, and the directory let it pass by grace.
    pub(super) by_grace: bool,
}

/// Refused passwords held of each person.
const REFUSED_HELD: usize = 4;

/// Nor is a refused password refused from memory for longer than this, however often it is repeated.
const REFUSED_AT_MOST: Duration = Duration::from_secs(24 * 60 * 60);

/// A refused password that may be right still, by the change stamp, is tried again so often, each time after twice as long.
/// Then it is refused from memory as any other, lest a directory whose stamp does not tell of its passwords lock the
/// account: with the first refusal that makes four failed binds, and accounts are locked at five, as a rule.
const TRIED_AGAIN: u32 = 3;

/// So many distinct passwords tried in an outage end a person's grace.
const TRIES_IN_OUTAGE: usize = 5;

impl Passwords {
    /// Nothing held, under a fresh key that never leaves this process.
    pub(super) fn new(lifetimes: Lifetimes, flushes: Arc<Flushes>) -> Result<Self, Unspecified> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &rand::SystemRandom::new())?;
        let longest = lifetimes.password.max(lifetimes.refused).max(lifetimes.outage_grace);
        // Whoever is new takes the place of whoever was not there for the longest time: a person whose refused passwords are
        // not remembered would be locked out of the directory by a phone with a stale one.
        let people = Cache::builder()
            .max_capacity(lifetimes.people)
            .eviction_policy(EvictionPolicy::lru())
            .time_to_idle(longest)
            .build();
        Ok(Self { key, lifetimes, flushes, people, under_way: UnderWay::default() })
    }

    /// What a bind with this password answers, or the same one that is under way.
    pub(super) async fn once(
        &self,
        person: &Identity,
        password: &Password,
        sent: Sent,
        bind: impl Future<Output = Result<Verdict, Fault>>,
    ) -> Result<Verdict, Fault> {
        let password = self.tag(person, password).as_ref().to_vec();
        let (dn, asked) = (person.dn.to_string(), sent.asked);
        self.under_way.once(Question { person: person.id.clone(), dn, password, asked }, bind).await
    }

    /// What is remembered of this password of a person.
    pub(super) fn recall(&self, person: &Identity, password: &Password, now: Instant) -> Recall {
        let Some(record) = self.people.get(&person.id) else { return Recall::Unknown };
        let mut record = record.lock().unwrap_or_else(PoisonError::into_inner);
        let tag = self.tag(person, password);
        let is_this = |mark: &Mark| {
            mark.stamp == person.stamp && self.flushes.believes_of(mark.sent.asked, person) && same(&mark.tag, &tag)
        };
        let verified = record.verified.as_ref().filter(|mark| is_this(mark));
        if verified.is_some_and(|mark| now.duration_since(mark.at) < self.lifetimes.password) {
            return Recall::Verified;
        }
        let refused = record.refused.iter_mut().find(|mark| is_this(mark));
        let is_refused = refused.is_some_and(|mark| mark.is_refused_still(self.lifetimes.refused, now));
        if is_refused { Recall::Refused } else { Recall::Unknown }
    }

    /// A bind succeeded: only now does the lifetime begin, a hit never renews it.
    pub(super) fn verified(&self, person: &Identity, password: &Password, now: Instant, sent: Sent) {
        let mark = self.mark(person, password, now, sent);
        self.change(person, |record| {
            record.refused.retain(|refused| !same(&refused.tag, &mark.tag));
            record.verified = Some(mark);
            record.dropped = None;
            record.is_by_grace = false;
            record.tried_in_outage.clear();
        });
    }

    /// The verified password had expired, and the directory let it pass by grace.
    pub(super) fn note_grace(&self, person: &Identity) {
        self.change(person, |record| record.is_by_grace = true);
    }

    /// How the verified password was proven; none if none is held.
    pub(super) fn last_proof(&self, person: &Identity) -> Option<LastProof> {
        let record = self.people.get(&person.id)?;
        let record = record.lock().unwrap_or_else(PoisonError::into_inner);
        let at = SystemTime::now().checked_sub(record.verified.as_ref()?.at.elapsed())?;
        Some(LastProof { at, by_grace: record.is_by_grace })
    }

    /// A bind was refused, for whatever reason: what was verified before is not believed any more.
    pub(super) fn dropped(&self, person: &Identity) {
        self.change(person, |record| {
            record.dropped = record.verified.take().or_else(|| record.dropped.take());
            record.tried_in_outage.clear();
        });
    }

    /// A bind was refused because of the password: it is not tried again for a while, so that a phone which repeats a
    /// stale one all day locks nobody out of the directory.
    pub(super) fn refused(&self, person: &Identity, password: &Password, now: Instant, sent: Sent) {
        self.dropped(person);
        self.not_theirs(person, password, now, sent);
    }

    /// The same, of a password that may be somebody else's who has the same name: what was verified stands.
    pub(super) fn not_theirs(&self, person: &Identity, password: &Password, now: Instant, sent: Sent) {
        let mut mark = self.mark(person, password, now, sent);
        self.change(person, |record| {
            if let Some(verified) = record.verified.take_if(|verified| same(&verified.tag, &mark.tag)) {
                record.dropped = Some(verified);
            }
            mark.doubt = record.doubt(&mark);
            record.refused.retain(|refused| !same(&refused.tag, &mark.tag));
            record.refused.push_front(mark);
            record.refused.truncate(REFUSED_HELD);
        });
    }

    /// The entry was read: if its change stamp moved, nothing held of its passwords is believed any more. What may be the
    /// password still is remembered for the doubt alone.
    pub(super) fn seen(&self, person: &Identity) {
        let Some(record) = self.people.get(&person.id) else { return };
        let mut record = record.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(moved) = record.verified.take_if(|mark| mark.stamp != person.stamp) {
            record.dropped = Some(moved);
        }
        record.dropped.take_if(|mark| !mark.may_be_of(person.stamp.as_ref()));
        record.refused.retain(|mark| mark.may_be_of(person.stamp.as_ref()));
    }

    /// The refused passwords of a person may be asked again.
    pub(super) fn forget_refused(&self, person: &EntryId) {
        if let Some(record) = self.people.get(person) {
            record.lock().unwrap_or_else(PoisonError::into_inner).refused.clear();
        }
    }

    /// Whether a password may be believed while the directory is silent: it is the one proven last, the proof is within
    /// the grace, and nobody is guessing.
    pub(super) fn bridges_outage(&self, person: &Identity, password: &Password, now: Instant) -> Bridge {
        let Some(record) = self.people.get(&person.id) else { return Bridge::No };
        let mut record = record.lock().unwrap_or_else(PoisonError::into_inner);
        let tag = self.tag(person, password);
        // Whoever looked the person up since, for whatever login: the directory has told that the password is another.
        let has_moved = |mark: &Mark| mark.stamp != person.stamp && person.looked_up > mark.at;
        let believed = |mark: &&Mark| self.flushes.believes_of(mark.sent.asked, person) && !has_moved(mark);
        let Some(verified) = record.verified.as_ref().filter(believed) else { return Bridge::No };
        let is_within_grace = now.duration_since(verified.at) < self.lifetimes.outage_grace;
        let is_guessed = record.tried_in_outage.len() >= TRIES_IN_OUTAGE;
        if same(&verified.tag, &tag) {
            return if is_within_grace && !is_guessed { Bridge::Yes } else { Bridge::No };
        }
        if is_guessed {
            return Bridge::OtherPassword;
        }
        if !record.tried_in_outage.iter().any(|tried| same(tried, &tag)) {
            record.tried_in_outage.push(tag);
        }
        Bridge::OtherPassword
    }

    /// Forgets everybody's; tells how many were held.
    pub(super) fn forget_all(&self) -> Flushed {
        let held = self.people.iter().map(|(_, record)| lock(&record).count());
        let held = held.fold(Flushed::default(), Flushed::and);
        self.people.invalidate_all();
        held
    }

    /// Forgets one person's; tells how many were held.
    pub(super) fn forget(&self, person: &EntryId) -> Flushed {
        self.people.remove(person).map(|record| lock(&record).count()).unwrap_or_default()
    }

    /// Forgets the refused passwords that were sent from an address; tells how many.
    pub(super) fn forget_from(&self, address: IpAddr) -> Flushed {
        let forgotten = self.people.iter().map(|(_, record)| {
            let mut record = lock(&record);
            let before = record.refused.len();
            record.refused.retain(|mark| mark.sent.from != address);
            before - record.refused.len()
        });
        Flushed { refused: counted(forgotten.sum()), ..Flushed::default() }
    }

    fn change(&self, person: &Identity, change: impl FnOnce(&mut Record)) {
        let record = self.people.get_with_by_ref(&person.id, Arc::default);
        change(&mut record.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn mark(&self, person: &Identity, password: &Password, at: Instant, sent: Sent) -> Mark {
        Mark { tag: self.tag(person, password), at, last_tried: at, stamp: person.stamp.clone(), sent, doubt: None }
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

impl Mark {
    /// Whether an entry's password may be the same as when this was judged.
    fn may_be_of(&self, stamp: Option<&Stamp>) -> bool {
        match (&self.stamp, stamp) {
            (Some(then), Some(now)) => then.may_mean_the_same_password(now),
            (then, now) => then.as_ref() == now,
        }
    }

    /// A device that repeats it goes on being refused, for a day at most: each new bind would count where the directory
    /// itself locks people out. Only where a change stamp tells that the password changed, and none is doubted to be
    /// wrong; else its time is not renewed.
    fn is_refused_still(&mut self, lifetime: Duration, now: Instant) -> bool {
        let (age, idle) = (now.duration_since(self.at), now.duration_since(self.last_tried));
        let is_still = match self.doubt {
            Some(tried_again) => age < lifetime * 2_u32.saturating_pow(tried_again),
            None if self.stamp.is_none() => age < lifetime,
            None => idle < lifetime && age < lifetime.max(REFUSED_AT_MOST),
        };
        if is_still {
            self.last_tried = now;
        }
        is_still
    }
}

impl Record {
    /// The stamp says that a password may be the one that was right, the directory that it is wrong: then the account may
    /// be locked without the entry showing it. Nobody tells when such a lock ends.
    fn doubt(&mut self, refused: &Mark) -> Option<u32> {
        let stamp = refused.stamp.as_ref();
        stamp?;
        let is_this = |mark: &Mark| mark.may_be_of(stamp) && same(&mark.tag, &refused.tag);
        match self.refused.iter().find(|mark| is_this(mark)) {
            // Judged since this one came: many sent it at once, and it was tried for all of them.
            Some(before) if before.at > refused.sent.at => before.doubt,
            Some(before) => before.doubt.map(|tried_again| tried_again + 1).filter(|count| *count < TRIED_AGAIN),
            None => self.dropped.take_if(|mark| is_this(mark)).map(|_| 0),
        }
    }

    fn count(&self) -> Flushed {
        let (verified, refused) = (u64::from(self.verified.is_some()), counted(self.refused.len()));
        Flushed { names: 0, verified, refused }
    }
}

fn counted(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

fn lock(record: &Mutex<Record>) -> MutexGuard<'_, Record> {
    record.lock().unwrap_or_else(PoisonError::into_inner)
}

fn same(one: &hmac::Tag, other: &hmac::Tag) -> bool {
    verify_slices_are_equal(one.as_ref(), other.as_ref()).is_ok()
}

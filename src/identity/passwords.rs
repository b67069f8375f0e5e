//! Passwords held in memory, as keyed hashes: the verified one of each person, and a few that were refused.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::{hmac, rand};
use moka::sync::Cache;

use super::flushes::{Flushes, Generation};
use super::{Flushed, Identity, Lifetimes};
use crate::directory::EntryId;
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

/// The held passwords of all people.
pub(super) struct Passwords {
    key: hmac::Key,
    lifetimes: Lifetimes,
    flushes: Arc<Flushes>,
    people: Cache<EntryId, Arc<Mutex<Record>>>,
}

#[derive(Default)]
struct Record {
    verified: Option<Mark>,
    refused: VecDeque<Mark>,
    /// Distinct passwords unlike the verified one that were tried during an outage.
    tried_in_outage: Vec<hmac::Tag>,
}

struct Mark {
    tag: hmac::Tag,
    at: Instant,
    stamp: Option<String>,
    sent: Sent,
}

/// When and from where a password was sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    /// Before it was sent, every flush of this generation had been made.
    pub(super) asked: Generation,
    /// The client's address.
    pub(super) from: IpAddr,
}

/// Refused passwords held of each person.
const REFUSED_HELD: usize = 4;

/// So many distinct passwords tried in an outage end a person's grace.
const TRIES_IN_OUTAGE: usize = 5;

impl Passwords {
    /// Nothing held, under a fresh key that never leaves this process.
    pub(super) fn new(lifetimes: Lifetimes, flushes: Arc<Flushes>) -> Result<Self, Unspecified> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &rand::SystemRandom::new())?;
        let longest = lifetimes.password.max(lifetimes.refused).max(lifetimes.outage_grace);
        let people = Cache::builder().max_capacity(lifetimes.people).time_to_idle(longest).build();
        Ok(Self { key, lifetimes, flushes, people })
    }

    /// What is remembered of this password of a person.
    pub(super) fn recall(&self, person: &Identity, password: &Password, now: Instant) -> Recall {
        let Some(record) = self.people.get(&person.id) else { return Recall::Unknown };
        let record = record.lock().unwrap_or_else(PoisonError::into_inner);
        let tag = self.tag(person, password);
        let holds = |mark: &Mark, lifetime| {
            mark.stamp == person.stamp
                && now.duration_since(mark.at) < lifetime
                && self.flushes.believes_of(mark.sent.asked, person)
                && same(&mark.tag, &tag)
        };
        if record.verified.as_ref().is_some_and(|mark| holds(mark, self.lifetimes.password)) {
            return Recall::Verified;
        }
        if record.refused.iter().any(|mark| holds(mark, self.lifetimes.refused)) {
            return Recall::Refused;
        }
        Recall::Unknown
    }

    /// A bind succeeded: only now does the lifetime begin, a hit never renews it.
    pub(super) fn verified(&self, person: &Identity, password: &Password, now: Instant, sent: Sent) {
        let mark = self.mark(person, password, now, sent);
        self.change(person, |record| {
            record.refused.retain(|refused| !same(&refused.tag, &mark.tag));
            record.verified = Some(mark);
            record.tried_in_outage.clear();
        });
    }

    /// A bind was refused, for whatever reason: what was verified before is not believed any more.
    pub(super) fn dropped(&self, person: &Identity) {
        self.change(person, |record| {
            record.verified = None;
            record.tried_in_outage.clear();
        });
    }

    /// A bind was refused because of the password: it is not tried again for a while, so that a phone which repeats a
    /// stale one all day locks nobody out of the directory.
    pub(super) fn refused(&self, person: &Identity, password: &Password, now: Instant, sent: Sent) {
        let mark = self.mark(person, password, now, sent);
        self.dropped(person);
        self.change(person, |record| {
            record.refused.retain(|refused| !same(&refused.tag, &mark.tag));
            record.refused.push_front(mark);
            record.refused.truncate(REFUSED_HELD);
        });
    }

    /// The entry was read: if its change stamp moved, nothing held of its passwords is true any more.
    pub(super) fn seen(&self, person: &Identity) {
        let Some(record) = self.people.get(&person.id) else { return };
        let mut record = record.lock().unwrap_or_else(PoisonError::into_inner);
        record.verified.take_if(|mark| mark.stamp != person.stamp);
        record.refused.retain(|mark| mark.stamp == person.stamp);
    }

    /// Whether a password may be believed while the directory is silent: it is the one proven last, the proof is within
    /// the grace, and nobody is guessing.
    pub(super) fn bridges_outage(&self, person: &Identity, password: &Password, now: Instant) -> bool {
        let Some(record) = self.people.get(&person.id) else { return false };
        let mut record = record.lock().unwrap_or_else(PoisonError::into_inner);
        if record.tried_in_outage.len() >= TRIES_IN_OUTAGE {
            return false;
        }
        let tag = self.tag(person, password);
        let believed = |mark: &&Mark| self.flushes.believes_of(mark.sent.asked, person);
        let Some(verified) = record.verified.as_ref().filter(believed) else { return false };
        if same(&verified.tag, &tag) {
            return now.duration_since(verified.at) < self.lifetimes.outage_grace;
        }
        if !record.tried_in_outage.iter().any(|tried| same(tried, &tag)) {
            record.tried_in_outage.push(tag);
        }
        false
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
        Mark { tag: self.tag(person, password), at, stamp: person.stamp.clone(), sent }
    }

    /// Bound to the person: the same password of two people has two tags.
    fn tag(&self, person: &Identity, password: &Password) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(person.id.to_string().as_bytes());
        context.update(&[0]);
        context.update(password.expose().as_bytes());
        context.sign()
    }
}

impl Record {
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

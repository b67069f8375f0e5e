//! What is cached of one person's passwords, and how far it is believed.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;

use crate::directory::Stamp;
use crate::identity::cache::flushes::Generation;
use crate::identity::{Flushed, Identity};

/// The passwords of one person.
#[derive(Default)]
pub(crate) struct PasswordRecord {
    pub(crate) verified: Option<JudgedPassword>,
    /// Whether the verified one had expired, and the directory let it pass by grace.
    pub(crate) is_by_grace: bool,
    /// The one that was verified before a refusal dropped it.
    pub(crate) dropped: Option<JudgedPassword>,
    pub(crate) refused: VecDeque<JudgedPassword>,
    /// Distinct passwords unlike the verified one that were tried during an outage.
    pub(crate) tried_in_outage: Vec<hmac::Tag>,
    /// When it was last seen that the account may not be used.
    pub(crate) barred: Option<Instant>,
}

/// One password, as the directory judged it.
pub(crate) struct JudgedPassword {
    pub(crate) tag: hmac::Tag,
    /// When the directory judged it.
    pub(crate) at: Instant,
    /// When it was last tried.
    pub(crate) last_tried: Instant,
    pub(crate) stamp: Option<Stamp>,
    pub(crate) sent: Submission,
    /// Whether the change stamp tells whether the password was changed since.
    pub(crate) is_settled: bool,
    /// It was refused, and the entry could not be read behind that.
    pub(crate) is_unseen: bool,
    /// It was refused, but is doubted to be wrong: how often it was tried again for that.
    pub(crate) doubt: Option<u32>,
    /// It was refused under a stamp that does not tell whether it was made right since.
    pub(crate) unsettled: Option<Recheck>,
}

/// A refused password that is to be asked once more.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recheck {
    /// The stamp was first seen then.
    since: Instant,
    /// It was asked again while the stamp was still young.
    was_asked_again: bool,
}

/// When and from where a password was sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Submission {
    /// Before it was sent, every flush of this generation had been made.
    pub(crate) asked: Generation,
    /// The client's address.
    pub(crate) from: IpAddr,
    /// When it came.
    pub(crate) at: Instant,
}

/// Refused passwords held of each person.
const REFUSED_HELD: usize = 16;

/// Nor is a refused password refused from memory for longer than this, however often it is repeated.
const REFUSED_AT_MOST: Duration = Duration::from_secs(24 * 60 * 60);

/// Nor for longer than this where nothing tells that it was made right.
const REFUSED_IN_DOUBT: Duration = Duration::from_secs(10 * 60);

/// A stamp that has stood still for so long is no younger than its step.
const STEP: Duration = Duration::from_secs(1);

/// A refused password that may be right still, by the change stamp, is tried again so often, each time after twice as long.
/// Then it is refused from memory as any other, lest a directory whose stamp does not tell of its passwords lock the
/// account: with the first refusal that makes four failed binds, and accounts are locked at five, as a rule.
const TRIED_AGAIN: u32 = 3;

impl JudgedPassword {
    /// Whether an entry's password may be the same as when this was judged.
    pub(crate) fn may_be_of(&self, stamp: Option<&Stamp>) -> bool {
        match (&self.stamp, stamp) {
            (Some(then), Some(now)) => then.may_mean_the_same_password(now),
            (then, now) => then.as_ref() == now,
        }
    }

    /// Whether the entry has the password that it had when this was judged, as far as the stamps tell.
    pub(crate) fn is_under_the_stamp_of(&self, person: &Identity) -> bool {
        match (&self.stamp, &person.stamp) {
            (Some(judged), Some(seen)) if person.looked_up > self.at => seen.means_the_password_of(judged),
            (Some(judged), Some(seen)) => judged.means_the_password_of(seen),
            (judged, seen) => judged == seen,
        }
    }

    /// Whether the stamp, as long as it does not move, tells that the password is the one that was judged.
    pub(crate) fn is_settled_for(&self, person: &Identity) -> bool {
        self.is_settled || person.stamp.as_ref().is_some_and(Stamp::is_of_refused_bind)
    }

    /// A device that repeats it goes on being refused, for a day at most: each new bind would count where the directory
    /// itself locks people out. Only where a change stamp tells that the password changed, and none is doubted to be
    /// wrong; else its time is not renewed.
    pub(crate) fn is_refused_still(&mut self, lifetime: Duration, now: Instant) -> bool {
        let (age, idle) = (now.duration_since(self.at), now.duration_since(self.last_tried));
        let in_doubt = lifetime.min(REFUSED_IN_DOUBT);
        let is_still = match self.doubt {
            _ if self.unsettled.is_some_and(|unsettled| unsettled.wants_to_be_asked(now)) => false,
            Some(tried_again) => age < in_doubt * 2_u32.saturating_pow(tried_again),
            None if self.stamp.is_none() => age < in_doubt,
            None => idle < lifetime && age < lifetime.max(REFUSED_AT_MOST),
        };
        if is_still {
            self.last_tried = now;
        }
        is_still
    }
}

impl Recheck {
    fn wants_to_be_asked(self, now: Instant) -> bool {
        !self.was_asked_again || now.duration_since(self.since) > STEP
    }
}

impl PasswordRecord {
    /// The directory judged a password, so it is no longer silent, and refused this one.
    pub(crate) fn disbelieve(&mut self, tag: &hmac::Tag) {
        self.tried_in_outage.clear();
        if let Some(verified) = self.verified.take_if(|verified| same(&verified.tag, tag)) {
            self.dropped = Some(verified);
        }
    }

    /// The stamp says that a password may be the one that was right, the directory that it is wrong: then the account may
    /// be locked without the entry showing it. Nobody tells when such a lock ends.
    pub(crate) fn doubt(&mut self, refused: &JudgedPassword) -> Option<u32> {
        let stamp = refused.stamp.as_ref();
        stamp?;
        let is_this = |mark: &JudgedPassword| mark.may_be_of(stamp) && same(&mark.tag, &refused.tag);
        match self.refused.iter().find(|mark| is_this(mark)) {
            // Judged since this one came: many sent it at once, and it was tried for all of them.
            Some(before) if before.at > refused.sent.at => before.doubt,
            Some(before) => before.doubt.map(|tried_again| tried_again + 1).filter(|count| *count < TRIED_AGAIN),
            None => self.dropped.take_if(|mark| is_this(mark)).map(|_| 0),
        }
    }

    /// Whether a refused password is to be asked once more, since it may have been made right under the same stamp: at once,
    /// and again when the stamp has stood still for its step. Where each refused bind moves the stamp, only at once.
    pub(crate) fn unsettled(&self, refused: &JudgedPassword) -> Option<Recheck> {
        let stamp = refused.stamp.as_ref().filter(|_| !refused.is_settled)?;
        let is_this = |mark: &&JudgedPassword| mark.may_be_of(Some(stamp)) && same(&mark.tag, &refused.tag);
        let first = Recheck { since: refused.at, was_asked_again: false };
        let Some(before) = self.refused.iter().find(is_this) else { return Some(first) };
        if before.at > refused.sent.at {
            return before.unsettled;
        }
        let Some(unsettled) = before.unsettled else { return Some(first) };
        let stood_still = before.stamp == refused.stamp;
        let is_over = !stood_still || refused.sent.at.saturating_duration_since(unsettled.since) > STEP;
        (!is_over).then_some(Recheck { was_asked_again: true, ..unsettled })
    }

    /// Takes down a refused password, in the place of what was known of it.
    pub(crate) fn hold_refused(&mut self, mark: JudgedPassword) {
        self.refused.retain(|refused| !same(&refused.tag, &mark.tag));
        self.refused.push_front(mark);
        self.refused.truncate(REFUSED_HELD);
    }

    pub(crate) fn count(&self) -> Flushed {
        let (verified, refused) = (u64::from(self.verified.is_some()), counted(self.refused.len()));
        Flushed { names: 0, verified, refused }
    }
}

pub(crate) fn counted(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

pub(crate) fn same(one: &hmac::Tag, other: &hmac::Tag) -> bool {
    verify_slices_are_equal(one.as_ref(), other.as_ref()).is_ok()
}

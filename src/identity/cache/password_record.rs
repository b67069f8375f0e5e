//! What is cached about one person's passwords, and for how long it is used.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;

use super::flushes::{Flushed, Generation};
use crate::directory::Stamp;
use crate::identity::person::Identity;

/// The passwords of one person.
#[derive(Default)]
pub(super) struct PasswordRecord {
    pub(super) verified: Option<JudgedPassword>,
    /// Whether the verified one had expired, and the directory accepted it as a grace login.
    pub(super) is_by_grace: bool,
    /// The one that had been verified before a refusal dropped it.
    pub(super) dropped: Option<JudgedPassword>,
    pub(super) refused: VecDeque<JudgedPassword>,
    /// Distinct passwords unlike the verified one that were tried during an outage.
    pub(super) tried_in_outage: Vec<hmac::Tag>,
    /// When the account was last seen to be barred.
    pub(super) barred: Option<Instant>,
}

/// One password, as the directory judged it.
pub(super) struct JudgedPassword {
    pub(super) tag: hmac::Tag,
    /// When the directory judged it.
    pub(super) at: Instant,
    /// When it was last tried.
    pub(super) last_tried: Instant,
    pub(super) stamp: Option<Stamp>,
    pub(super) sent: Submission,
    /// Whether the change stamp shows whether the password was changed since.
    pub(super) is_settled: bool,
    /// It was refused, and the entry could not be read afterwards.
    pub(super) is_unseen: bool,
    /// It was refused, but may be right: how often it was tried again for that reason.
    pub(super) doubt: Option<u32>,
    /// It was refused under a stamp that does not show whether it was made right since.
    pub(super) recheck: Option<Recheck>,
}

/// A refused password that is to be tried once more.
#[derive(Clone, Copy, Debug)]
pub(super) struct Recheck {
    /// When the stamp was first seen.
    since: Instant,
    /// It was tried again while the stamp was still young.
    was_tried_again: bool,
}

/// When and from where a password was sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Submission {
    /// The generation of flushes in which it was sent.
    pub(crate) asked: Generation,
    /// The client's address.
    pub(crate) from: IpAddr,
    /// When it arrived.
    pub(crate) at: Instant,
}

/// Refused passwords cached for each person.
const MOST_REFUSED: usize = 16;

/// A refused password is refused from the cache for no longer than this, however often it is repeated.
const REFUSED_AT_MOST: Duration = Duration::from_secs(24 * 60 * 60);

/// And for no longer than this if nothing would show that it has become right.
const REFUSED_IN_DOUBT: Duration = Duration::from_secs(10 * 60);

/// A change stamp that has not moved for this long is older than its granularity.
const STAMP_GRANULARITY: Duration = Duration::from_secs(1);

/// A refused password that may still be right, by the change stamp, is tried again this often, each time after twice as
/// long. Then it is refused from the cache like any other, so that a directory whose stamp does not follow its
/// passwords does not lock the account: with the first refusal that makes four failed binds, and accounts are usually
/// locked at five.
const MOST_RETRIES: u32 = 3;

impl JudgedPassword {
    /// Whether an entry's password may be the same as when this was judged.
    pub(super) fn may_be_of(&self, stamp: Option<&Stamp>) -> bool {
        match (&self.stamp, stamp) {
            (Some(then), Some(now)) => then.may_mean_the_same_password(now),
            (then, now) => then.as_ref() == now,
        }
    }

    /// Whether the entry has the password that it had when this was judged, as far as the stamps show.
    pub(super) fn is_under_the_stamp_of(&self, person: &Identity) -> bool {
        match (&self.stamp, &person.stamp) {
            (Some(judged), Some(seen)) if person.looked_up > self.at => seen.means_the_password_of(judged),
            (Some(judged), Some(seen)) => judged.means_the_password_of(seen),
            (judged, seen) => judged == seen,
        }
    }

    /// Whether an unmoved stamp shows that the password is still the one that was judged.
    pub(super) fn is_settled_for(&self, person: &Identity) -> bool {
        self.is_settled || person.stamp.as_ref().is_some_and(Stamp::is_of_refused_bind)
    }

    /// A device that repeats it continues to be refused, for a day at most: each new bind would count towards the
    /// directory's own lock-out. That applies only if a change stamp would show a new password, and if the refusal is
    /// not in doubt; otherwise a repetition does not renew its time.
    pub(super) fn is_refused_still(&mut self, lifetime: Duration, now: Instant) -> bool {
        let (age, idle) = (now.duration_since(self.at), now.duration_since(self.last_tried));
        let in_doubt = lifetime.min(REFUSED_IN_DOUBT);
        let is_still = match self.doubt {
            _ if self.recheck.is_some_and(|recheck| recheck.is_due(now)) => false,
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
    fn is_due(self, now: Instant) -> bool {
        !self.was_tried_again || now.duration_since(self.since) > STAMP_GRANULARITY
    }
}

impl PasswordRecord {
    /// The directory refused a password: so it is not silent, and this password is no longer accepted from the cache.
    pub(super) fn disbelieve(&mut self, tag: &hmac::Tag) {
        self.tried_in_outage.clear();
        if let Some(verified) = self.verified.take_if(|verified| same(&verified.tag, tag)) {
            self.dropped = Some(verified);
        }
    }

    /// The stamp says that this may still be the right password, but the directory refused it: the account may be
    /// locked without the entry showing it, and nothing shows when such a lock ends.
    pub(super) fn doubt(&mut self, refused: &JudgedPassword) -> Option<u32> {
        let stamp = refused.stamp.as_ref();
        stamp?;
        let is_this = |mark: &JudgedPassword| mark.may_be_of(stamp) && same(&mark.tag, &refused.tag);
        match self.refused.iter().find(|mark| is_this(mark)) {
            // Judged after this one arrived: many clients sent it at once, and it was tried once for all of them.
            Some(before) if before.at > refused.sent.at => before.doubt,
            Some(before) => before.doubt.map(|tried_again| tried_again + 1).filter(|count| *count < MOST_RETRIES),
            None => self.dropped.take_if(|mark| is_this(mark)).map(|_| 0),
        }
    }

    /// Whether a refused password is to be tried once more, since it may have become right under the same stamp: at
    /// once, and again when the stamp has not moved for its granularity. If each refused bind moves the stamp, only at
    /// once.
    pub(super) fn recheck(&self, refused: &JudgedPassword) -> Option<Recheck> {
        let stamp = refused.stamp.as_ref().filter(|_| !refused.is_settled)?;
        let is_this = |mark: &&JudgedPassword| mark.may_be_of(Some(stamp)) && same(&mark.tag, &refused.tag);
        let first = Recheck { since: refused.at, was_tried_again: false };
        let Some(before) = self.refused.iter().find(is_this) else { return Some(first) };
        if before.at > refused.sent.at {
            return before.recheck;
        }
        let Some(recheck) = before.recheck else { return Some(first) };
        let stood_still = before.stamp == refused.stamp;
        let is_over = !stood_still || refused.sent.at.saturating_duration_since(recheck.since) > STAMP_GRANULARITY;
        (!is_over).then_some(Recheck { was_tried_again: true, ..recheck })
    }

    /// Remembers a refused password, replacing what was known about it.
    pub(super) fn remember_refused(&mut self, mark: JudgedPassword) {
        self.refused.retain(|refused| !same(&refused.tag, &mark.tag));
        self.refused.push_front(mark);
        self.refused.truncate(MOST_REFUSED);
    }

    pub(super) fn count(&self) -> Flushed {
        let (verified, refused) = (u64::from(self.verified.is_some()), counted(self.refused.len()));
        Flushed { names: 0, verified, refused }
    }
}

pub(super) fn counted(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

pub(super) fn same(one: &hmac::Tag, other: &hmac::Tag) -> bool {
    verify_slices_are_equal(one.as_ref(), other.as_ref()).is_ok()
}

//! Who has retrieved which message of a maildrop.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::pins::{Pins, Retrieval};
use crate::maildir::files::MessageFile;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The recorded retrievals of a maildrop. A lost record means "not retrieved".
pub(in crate::maildir) struct Retrievals {
    by_name: HashMap<Box<[u8]>, Vec<Retrieval>>,
    /// Messages whose name without `,U=<n>` is that of another one, which may be gone.
    ambiguous_names: HashSet<Box<[u8]>>,
    /// How many days the mail of each person who has used the maildrop stays; none for ever.
    terms: HashMap<Box<str>, Option<u64>>,
}

impl Retrievals {
    pub(in crate::maildir) fn of(pins: Pins) -> Self {
        Self { ambiguous_names: pins.ambiguous_names(), terms: pins.terms().clone(), by_name: pins.into_retrieved() }
    }

    /// The longest time for which the mail of anybody who has used the maildrop stays, and at least that of this
    /// person; none for ever.
    pub(in crate::maildir) fn longest_term(&self, person: &str, own: Duration) -> Option<Duration> {
        let others = self.terms.iter().filter(|(by, _)| ***by != *person).map(|(_, days)| *days);
        others
            .map(|days| days.map(|days| DAY * u32::try_from(days).unwrap_or(u32::MAX)))
            .try_fold(own, |longest, term| Some(longest.max(term?)))
    }

    /// The latest first retrieval of a message by anybody, in seconds since 1970; none if this person never did.
    /// `shares_name`: another message's base name differs only in `,U=<n>`, and a record without that may be about
    /// either.
    pub(in crate::maildir) fn last_by(&self, person: &str, found: &MessageFile, shares_name: bool) -> Option<u64> {
        let key = found.key();
        let of_identity = || {
            let is_its_own = !shares_name && !self.ambiguous_names.contains(key);
            self.by_name.get(&*found.identity()).filter(|_| is_its_own)
        };
        let retrievals = self.by_name.get(key).or_else(of_identity)?;
        retrievals.iter().any(|retrieval| *retrieval.by == *person).then_some(())?;
        retrievals.iter().map(|retrieval| retrieval.at).max()
    }

    /// Whether anybody else has retrieved a message, or may have: a record that may be about another message counts,
    /// too.
    pub(in crate::maildir) fn may_be_of_others(&self, person: &str, found: &MessageFile) -> bool {
        let marks = [found.key(), found.base(), &*found.identity()].map(|name| self.by_name.get(name));
        marks.into_iter().flatten().flatten().any(|retrieval| *retrieval.by != *person)
    }
}

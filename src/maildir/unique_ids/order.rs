//! The order of the messages: that of arrival, or, after a move, the old server's.

use std::cmp::Ordering;
use std::fmt;

use crate::maildir::files::{Arrival, MessageFile};

/// A message's place in another server's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::maildir) enum Rank {
    /// By a number from its list. Such messages come before all others.
    Listed(u64),
    /// By the seconds in its name, then by the octets of its name: Courier's rule.
    ByName,
}

/// The order of two messages.
pub(super) fn compare(one: (&MessageFile, Option<Rank>), other: (&MessageFile, Option<Rank>)) -> Ordering {
    match (one.1, other.1) {
        (Some(Rank::Listed(first)), Some(Rank::Listed(second))) => {
            first.cmp(&second).then_with(|| one.0.order(other.0))
        }
        (Some(Rank::Listed(_)), _) => Ordering::Less,
        (_, Some(Rank::Listed(_))) => Ordering::Greater,
        (one_rank, other_rank) => {
            let seconds = |found: &MessageFile| Arrival::of(found.base()).seconds();
            let by_name = |rank: Option<Rank>| rank == Some(Rank::ByName);
            let within_a_second = || match (by_name(one_rank), by_name(other_rank)) {
                (true, true) => one.0.base().cmp(other.0.base()),
                (false, false) => one.0.order(other.0),
                // Messages of the old server were there before.
                (first, second) => second.cmp(&first),
            };
            seconds(one.0).cmp(&seconds(other.0)).then_with(within_a_second)
        }
    }
}

impl Rank {
    /// Reads what [`fmt::Display`] writes.
    pub(in crate::maildir) fn parse(text: &str) -> Option<Self> {
        match text {
            "name" => Some(Self::ByName),
            number => number.parse().ok().map(Self::Listed),
        }
    }
}

impl fmt::Display for Rank {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listed(number) => number.fmt(f),
            Self::ByName => f.write_str("name"),
        }
    }
}

//! The listing of an old server compared with ours: each difference, with its cause as far as it can be
//! determined from here.

use std::collections::{HashMap, HashSet};
use std::fmt;

use crate::maildir::{PlannedMessage, UidlOrigin};
use crate::remote::RemoteMessage;

/// A message as our listing has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalMessage {
    /// Its name, unique-id, and where that comes from.
    pub message: PlannedMessage,
    /// Its size as RETR would send it.
    pub octets: u64,
    /// Octets of its file.
    pub stored: u64,
    /// Whether its last line has an end.
    pub ends_with_line: bool,
}

/// Something that a client would see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What differs.
    pub what: DifferenceKind,
    /// The base name here, if the message is here.
    pub base: Option<String>,
    /// The value at the old server.
    pub theirs: Option<String>,
    /// Our value.
    pub ours: Option<String>,
    /// Why, as far as it can be seen.
    pub cause: &'static str,
}

/// What differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DifferenceKind {
    /// The unique-id: the client would download the message again.
    UniqueId,
    /// Only the old server has the message.
    OnlyThere,
    /// Only we have it.
    OnlyHere,
    /// The size in octets.
    Octets,
    /// The place in the order of the messages.
    Order,
}

impl DifferenceKind {
    /// A word for machines.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::UniqueId => "unique_id",
            Self::OnlyThere => "only_there",
            Self::OnlyHere => "only_here",
            Self::Octets => "octets",
            Self::Order => "order",
        }
    }
}

impl fmt::Display for DifferenceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UniqueId => "unique-id",
            Self::OnlyThere => "only there",
            Self::OnlyHere => "only here",
            Self::Octets => "octets",
            Self::Order => "order",
        })
    }
}

/// Every difference between two listings of one maildrop, each in its server's order.
#[must_use]
pub fn differences(theirs: &[RemoteMessage], ours: &[LocalMessage]) -> Vec<Difference> {
    let here: HashMap<&str, &LocalMessage> = ours.iter().map(|one| (one.message.unique_id.as_str(), one)).collect();
    let mut seen = HashSet::new();
    let mut differences = Vec::new();
    let mut left = Vec::new();
    let mut common = Vec::new();
    for remote in theirs {
        match here.get(remote.unique_id.as_str()).filter(|one| seen.insert(one.message.unique_id.as_str())) {
            Some(one) => {
                differences.extend(sizes(remote, one));
                common.push(one.message.unique_id.as_str());
            }
            None => left.push(remote),
        }
    }
    differences.extend(order(&common, ours));
    let rest: Vec<&LocalMessage> = ours.iter().filter(|one| !seen.contains(one.message.unique_id.as_str())).collect();
    differences.extend(pairs(&left, &rest));
    differences
}

fn sizes(remote: &RemoteMessage, one: &LocalMessage) -> Option<Difference> {
    let octets = remote.octets.filter(|octets| *octets != one.octets)?;
    let cause = if octets + 2 == one.octets && !one.ends_with_line {
        "the last line of the file has no line end; it is sent with one, which the old server does not count"
    } else if octets == one.stored {
        "the old server counts the stored file, where each line end is one octet; sent it is two"
    } else if one.ends_with_line && octets + 2 == one.octets {
        "the old server counts two octets fewer than are sent"
    } else {
        "the old server relies on a number in the file's name or in its own list; ours is what is sent"
    };
    Some(Difference {
        what: DifferenceKind::Octets,
        base: Some(one.message.base.clone()),
        theirs: Some(octets.to_string()),
        ours: Some(one.octets.to_string()),
        cause,
    })
}

/// The first of the common messages that has another place in our order.
fn order(common: &[&str], ours: &[LocalMessage]) -> Option<Difference> {
    let known: HashSet<&str> = common.iter().copied().collect();
    let in_our_order = ours.iter().filter(|one| known.contains(one.message.unique_id.as_str()));
    let (theirs, one) = common.iter().zip(in_our_order).find(|(theirs, one)| **theirs != one.message.unique_id)?;
    Some(Difference {
        what: DifferenceKind::Order,
        base: Some(one.message.base.clone()),
        theirs: Some((*theirs).to_owned()),
        ours: Some(one.message.unique_id.clone()),
        cause: "from here on the messages are in another order; clients that use unique-ids are not affected",
    })
}

/// Pairs the messages left on both sides: a size that occurs exactly once on each side is one message with two
/// unique-ids.
fn pairs(theirs: &[&RemoteMessage], ours: &[&LocalMessage]) -> Vec<Difference> {
    let only = |octets: u64| {
        let mut there = theirs.iter().filter(|remote| remote.octets == Some(octets));
        let mut here = ours.iter().filter(|one| one.octets == octets);
        match (there.next(), there.next(), here.next(), here.next()) {
            (Some(_), None, Some(one), None) => Some(*one),
            _ => None,
        }
    };
    let mut paired = HashSet::new();
    let mut differences = Vec::new();
    for remote in theirs {
        let one = remote.octets.and_then(only);
        paired.extend(one.map(|one| one.message.unique_id.as_str()));
        differences.push(Difference {
            what: if one.is_some() { DifferenceKind::UniqueId } else { DifferenceKind::OnlyThere },
            base: one.map(|one| one.message.base.clone()),
            theirs: Some(remote.unique_id.clone()),
            ours: one.map(|one| one.message.unique_id.clone()),
            cause: one.map_or("no message here has this unique-id", |one| cause_of_difference(one.message.origin)),
        });
    }
    let rest = ours.iter().filter(|one| !paired.contains(one.message.unique_id.as_str()));
    differences.extend(rest.map(|one| Difference {
        what: DifferenceKind::OnlyHere,
        base: Some(one.message.base.clone()),
        theirs: None,
        ours: Some(one.message.unique_id.clone()),
        cause: only_here(one.message.origin),
    }));
    differences
}

fn cause_of_difference(origin: UidlOrigin) -> &'static str {
    match origin {
        UidlOrigin::Pin => "ours was sent to a client before, so it stays",
        UidlOrigin::List => {
            "ours is from the lists: is dovecot_format the old server's, and is the right list first in precedence?"
        }
        UidlOrigin::Invalid => "the listed one cannot be used: it is not printable, or too long",
        UidlOrigin::Duplicate => "another message has the listed one too, and a client would confuse them",
        UidlOrigin::Own => "no list has the message: is the list where it is expected?",
    }
}

fn only_here(origin: UidlOrigin) -> &'static str {
    match origin {
        UidlOrigin::Own => {
            "no list has the message: it arrived after the old server had looked, or the old server hides it"
        }
        UidlOrigin::Pin => "it was sent to a client before; the old server does not show it, or shows it differently",
        other => cause_of_difference(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours(unique_id: &str, octets: u64, stored: u64, ends_with_line: bool, origin: UidlOrigin) -> LocalMessage {
        let message = PlannedMessage { base: format!("{unique_id}.base"), unique_id: unique_id.to_owned(), origin };
        LocalMessage { message, octets, stored, ends_with_line }
    }

    fn listed(unique_id: &str, octets: u64) -> LocalMessage {
        ours(unique_id, octets, octets - 2, true, UidlOrigin::List)
    }

    fn remote(unique_id: &str, octets: u64) -> RemoteMessage {
        RemoteMessage { unique_id: unique_id.to_owned(), octets: Some(octets) }
    }

    fn found(theirs: &[RemoteMessage], here: &[LocalMessage]) -> Vec<(DifferenceKind, String)> {
        let found = differences(theirs, here);
        found.into_iter().map(|one| (one.what, format!("{:?} {:?} {}", one.theirs, one.ours, one.cause))).collect()
    }

    #[test]
    fn equal_listings_have_no_differences() {
        assert_eq!(found(&[remote("1", 10), remote("2", 20)], &[listed("1", 10), listed("2", 20)]), []);
    }

    #[test]
    fn a_size_is_explained() {
        for (octets, one, cause) in [
            (19, ours("1", 21, 17, false, UidlOrigin::List), "has no line end"),
            (17, ours("1", 21, 17, true, UidlOrigin::List), "counts the stored file"),
            (19, ours("1", 21, 17, true, UidlOrigin::List), "two octets fewer"),
            (99, ours("1", 21, 17, true, UidlOrigin::List), "relies on a number"),
        ] {
            let found = found(&[remote("1", octets)], &[one]);
            assert!(
                found.len() == 1 && found[0].0 == DifferenceKind::Octets && found[0].1.contains(cause),
                "{found:?}"
            );
        }
    }

    #[test]
    fn messages_of_one_side_are_listed_or_paired_by_their_size() {
        let here =
            [listed("1", 10), ours("b", 30, 28, true, UidlOrigin::Own), ours("c", 40, 38, true, UidlOrigin::Own)];
        let found = found(&[remote("1", 10), remote("2", 30), remote("3", 50)], &here);
        let kinds: Vec<DifferenceKind> = found.iter().map(|(what, _)| *what).collect();
        assert_eq!(kinds, [DifferenceKind::UniqueId, DifferenceKind::OnlyThere, DifferenceKind::OnlyHere]);
        assert!(found[0].1.contains("\"2\"") && found[0].1.contains("\"b\""), "{found:?}");
    }

    #[test]
    fn a_unique_id_that_the_old_server_uses_twice_is_reported() {
        let here = [listed("1", 10), ours("hash", 30, 28, true, UidlOrigin::Duplicate)];
        let found = found(&[remote("1", 10), remote("1", 30)], &here);
        assert!(found.len() == 1 && found[0].1.contains("would confuse them"), "{found:?}");
    }

    #[test]
    fn another_order_is_reported_once() {
        let found = found(
            &[remote("1", 10), remote("2", 20), remote("3", 30)],
            &[listed("2", 20), listed("1", 10), listed("3", 30)],
        );
        assert!(found.len() == 1 && found[0].0 == DifferenceKind::Order, "{found:?}");
    }
}

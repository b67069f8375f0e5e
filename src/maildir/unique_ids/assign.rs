//! The unique-ids of a maildrop's messages, and their order: unique-ids that clients have seen stay; then another
//! server's list is used, then our own rule.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::import::{ForeignLists, ImportMode, ListedUid, OverLong, UniqueIdSettings};
use super::order::{self, Rank};
use super::pins::Pins;
use super::unique;
use crate::maildir::files::{MessageFile, Moment};
use crate::pop3::UniqueId;

/// What unique-ids are assigned from.
pub(in crate::maildir) struct UidAssigner<'a> {
    pub(in crate::maildir) settings: &'a UniqueIdSettings,
    pub(in crate::maildir) pins: &'a Pins,
    pub(in crate::maildir) lists: Option<ForeignLists<'a>>,
}

/// A message with its unique-id.
#[derive(Debug)]
pub(in crate::maildir) struct AssignedMessage {
    pub(in crate::maildir) found: MessageFile,
    pub(in crate::maildir) unique_id: UniqueId,
    /// The pin that is needed before a client sees the unique-id; none if it is pinned, or need not be.
    pub(in crate::maildir) pending_pin: Option<PendingPin>,
    pub(in crate::maildir) origin: UidlOrigin,
}

/// What a pin needs in addition to the unique-id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::maildir) struct PendingPin {
    /// What identifies the message.
    pub(in crate::maildir) key: Box<[u8]>,
    pub(in crate::maildir) rank: Option<Rank>,
    /// The unique-id is by our own rule.
    pub(in crate::maildir) is_own: bool,
}

/// Where a unique-id comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UidlOrigin {
    /// A client has seen it before.
    Pin,
    /// Another server's list has it.
    List,
    /// A list has one that cannot be used: it is not printable, or too long.
    Invalid,
    /// A list, or a pin, has the same for an earlier message.
    Duplicate,
    /// Our own rule.
    Own,
}

/// The result for all messages.
#[derive(Debug, Default)]
pub(in crate::maildir) struct Assignment {
    pub(in crate::maildir) messages: Vec<AssignedMessage>,
    pub(in crate::maildir) waiting: WaitingMessages,
}

/// The messages that are left out because they wait for the other server: since when, by key.
pub(in crate::maildir) type WaitingMessages = HashMap<Box<[u8]>, Moment>;

impl Assignment {
    /// The number of messages that no list has, and that have a unique-id by our own rule.
    pub(super) fn unlisted(&self) -> usize {
        self.messages.iter().filter(|message| message.origin == UidlOrigin::Own).count()
    }
}

impl UidAssigner<'_> {
    /// Assigns a unique-id to each message; they come in order of arrival. `earlier`: the unique-id in an earlier
    /// snapshot. `since`: the time from which a message may wait for the other server; none if its file is gone.
    pub(in crate::maildir) fn assign(
        &self,
        found: Vec<MessageFile>,
        earlier: impl Fn(&MessageFile) -> Option<UniqueId>,
        since: impl Fn(&MessageFile) -> Option<Moment>,
    ) -> Assignment {
        let mut assignment = Assignment::default();
        let mut messages = Vec::with_capacity(found.len());
        for found in found {
            let message = self.candidate(found, &earlier);
            match self.waits(&message, &earlier, &since) {
                Some(since) => drop(assignment.waiting.insert(message.found.identity().into(), since)),
                None => messages.push(message),
            }
        }
        if messages.iter().any(|message| message.rank.is_some()) {
            messages.sort_by(|one, other| order::compare((&one.found, one.rank), (&other.found, other.rank)));
        }
        self.make_unique(&mut messages);
        assignment.messages = messages.into_iter().map(|message| self.assigned(message)).collect();
        assignment
    }

    /// What a message would get if it were the only one.
    fn candidate(&self, found: MessageFile, earlier: &impl Fn(&MessageFile) -> Option<UniqueId>) -> Candidate {
        // Of several messages whose names differ in `,U=<n>` at most, the pin of the name without it belongs to the
        // first.
        let exact = found.shared_name_key().and_then(|key| self.pins.get_exactly(key));
        let pin = exact.or_else(|| if found.is_later() { None } else { self.pins.get(found.base()) });
        if let Some((key, pin)) = pin {
            let must_be_pinned = |key: &[u8]| found.shared_name_key().is_some_and(|own| own != key);
            let repin = if must_be_pinned(key) { found.shared_name_key() } else { pin.gone.map(|_| key) };
            let (unique_id, rank, repin) = (pin.unique_id.clone(), pin.rank, repin.map(Into::into));
            return Candidate { found, unique_id, rank, origin: UidlOrigin::Pin, repin };
        }
        let old = self.lists.as_ref().and_then(|lists| lists.find(found.base()));
        let rank = old.as_ref().and_then(|old| old.rank);
        let (unique_id, origin) = match old.map(|old| self.valid(&old)) {
            Some(Some(unique_id)) => (unique_id, UidlOrigin::List),
            other => (own(&found, earlier), if other.is_some() { UidlOrigin::Invalid } else { UidlOrigin::Own }),
        };
        Candidate { found, unique_id, rank, origin, repin: None }
    }

    /// The other server's unique-id, if it can be used.
    fn valid(&self, old: &ListedUid<'_>) -> Option<UniqueId> {
        let unique_id = std::str::from_utf8(&old.unique_id).ok().and_then(UniqueId::imported)?;
        let may_be_told = !unique_id.is_over_long() || self.settings.over_long == OverLong::Keep;
        may_be_told.then_some(unique_id)
    }

    /// Whether a message is left out until the other server has listed it, and since when. A message that clients have
    /// seen is not.
    fn waits(
        &self,
        message: &Candidate,
        earlier: &impl Fn(&MessageFile) -> Option<UniqueId>,
        since: &impl Fn(&MessageFile) -> Option<Moment>,
    ) -> Option<Moment> {
        if self.settings.import != ImportMode::Follow
            || message.origin != UidlOrigin::Own
            || earlier(&message.found).is_some()
        {
            return None;
        }
        let (since, now, wait) = (since(&message.found)?, Moment::before(Duration::ZERO), self.settings.follow_wait);
        // A clock that is far ahead of ours must not hide mail for as long.
        (since > now.earlier_by(wait) && since < now.later_by(wait)).then_some(since)
    }

    /// Ensures that no two messages have the same unique-id, and none has one of an earlier message: a client that
    /// knows it would not fetch this one. The first keeps it; pinned messages come before others.
    fn make_unique(&self, messages: &mut [Candidate]) {
        if self.pins.is_empty() && self.lists.is_none() {
            return;
        }
        let owners = self.pins.owners();
        let mut taken: HashSet<UniqueId> = HashSet::with_capacity(messages.len());
        taken.extend(messages.iter().filter(|one| one.origin == UidlOrigin::Pin).map(|one| one.unique_id.clone()));
        for message in messages.iter_mut().filter(|one| one.origin != UidlOrigin::Pin) {
            if owners.contains_key(message.unique_id.as_str()) || taken.contains(&message.unique_id) {
                message.unique_id = unique::hashed(message.found.shared_name_key().unwrap_or(message.found.base()));
                message.origin = UidlOrigin::Duplicate;
            }
            taken.insert(message.unique_id.clone());
        }
    }

    fn assigned(&self, message: Candidate) -> AssignedMessage {
        let Candidate { found, unique_id, rank, origin, repin } = message;
        let key = match origin {
            UidlOrigin::Pin => repin,
            _ if found.shared_name.is_some() => found.shared_name_key().map(Into::into),
            _ if !self.settings.import.reads() && is_own(&unique_id, &found) => None,
            _ => Some(found.identity().into()),
        };
        let pending_pin = key.map(|key| PendingPin { key, rank, is_own: origin == UidlOrigin::Own });
        AssignedMessage { found, unique_id, pending_pin, origin }
    }
}

/// The unique-id by our own rule, or the one that an earlier snapshot had by it.
fn own(found: &MessageFile, earlier: &impl Fn(&MessageFile) -> Option<UniqueId>) -> UniqueId {
    if found.is_later() {
        return unique::hashed(found.key());
    }
    earlier(found).unwrap_or_else(|| unique::plain(&found.identity()))
}

/// Whether our own rule gives this unique-id again, so that it needs no pin.
fn is_own(unique_id: &UniqueId, found: &MessageFile) -> bool {
    let identity = found.identity();
    unique_id.as_str().as_bytes() == &*identity || *unique_id == unique::plain(&identity)
}

struct Candidate {
    found: MessageFile,
    unique_id: UniqueId,
    rank: Option<Rank>,
    origin: UidlOrigin,
    /// The key if it must be pinned again: its pin says that its name was gone, or has only its name.
    repin: Option<Box<[u8]>>,
}

/// The pins that are needed, by the message's index.
pub(in crate::maildir) type PendingPins = HashMap<usize, PendingPin>;

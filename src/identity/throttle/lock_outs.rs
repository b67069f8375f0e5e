//! The current lock-outs, and what the log says about them.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use super::ResetScope;
use crate::date::Date;
use crate::directory::EntryId;
use crate::identity::person::Identity;
use crate::lockout::{LockOut, Network};
use crate::names::fold;

/// A person as the counters know them: the entry's own id, and the name in the log, which need not be unique.
#[derive(Clone, Debug)]
pub(super) struct CountedPerson {
    pub(super) id: EntryId,
    pub(super) name: Arc<str>,
}

/// Who is locked out.
#[derive(Clone, Debug)]
pub(super) enum LockOutSubject {
    /// A person, except in their familiar networks.
    Person(CountedPerson),
    /// A person in a familiar network.
    Familiar(CountedPerson, Network),
    /// A name that leads to nobody.
    Name(String),
    /// People of one name.
    PeopleOfOneName(PeopleOfOneName),
    /// A network.
    Network(Network),
}

/// People of one name as the counters know them, whichever of their shared names is typed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct PeopleOfOneName {
    people: Vec<CountedPerson>,
    /// The network, if it is familiar to one of them.
    familiar: Option<Network>,
}

/// The current lock-outs, by their ends.
#[derive(Default)]
pub(super) struct ActiveLockOuts {
    under_way: BTreeMap<(Instant, u64), LockOutSubject>,
    begun: u64,
}

/// Lock-outs remembered at most. With one more, the first to end is not logged when it does; the tables still know who
/// is locked out.
const MOST: usize = 65_536;

impl ActiveLockOuts {
    /// A lock-out has begun.
    pub(super) fn begin(&mut self, subject: LockOutSubject, lock_out: LockOut) {
        self.begun += 1;
        self.under_way.insert((lock_out.until, self.begun), subject);
        if self.under_way.len() > MOST {
            self.under_way.pop_first();
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.under_way.len()
    }

    /// Removes those that are over.
    pub(super) fn end(&mut self, now: Instant) -> Vec<LockOutSubject> {
        let mut over = Vec::new();
        while let Some(first) = self.under_way.first_entry().filter(|first| first.key().0 <= now) {
            over.push(first.remove());
        }
        over
    }

    /// Removes those that are lifted.
    pub(super) fn lift(&mut self, scope: &ResetScope) -> Vec<LockOutSubject> {
        let under_way = std::mem::take(&mut self.under_way).into_iter();
        let (lifted, others): (Vec<_>, Vec<_>) = under_way.partition(|(_, subject)| subject.is_within(scope));
        self.under_way = others.into_iter().collect();
        lifted.into_iter().map(|(_, subject)| subject).collect()
    }
}

impl LockOutSubject {
    /// Whom it keeps out, in the words of the metrics.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Person(_) | Self::Familiar(..) => "person",
            Self::Name(_) | Self::PeopleOfOneName(_) => "name",
            Self::Network(_) => "network",
        }
    }

    /// Logs that the lock-out has begun.
    pub(super) fn log_begin(&self, lock_out: LockOut) {
        let LockOut { count: wrong_passwords, in_a_row, until } = lock_out;
        let (person, login, people, network, until) =
            (self.person(), self.login(), self.people(), self.network(), utc(until));
        tracing::warn!(
            name: "lock_out_begins",
            person, login, people, network = network.map(tracing::field::display), wrong_passwords, in_a_row, until,
            "lock-out begins"
        );
    }

    /// Logs that the lock-out is over.
    pub(super) fn log_end(&self) {
        let (person, login, people, network) = (self.person(), self.login(), self.people(), self.network());
        tracing::warn!(
            name: "lock_out_ends",
            person, login, people, network = network.map(tracing::field::display),
            "lock-out ends"
        );
    }

    /// Logs that the lock-out was lifted.
    pub(super) fn log_lifting(&self) {
        let (person, login, people, network) = (self.person(), self.login(), self.people(), self.network());
        tracing::warn!(
            name: "lock_out_lifted",
            person, login, people, network = network.map(tracing::field::display),
            "lock-out lifted by an administrator"
        );
    }

    /// Whose it is, if it is a person's.
    pub(super) fn whose(self) -> Option<EntryId> {
        match self {
            Self::Person(person) | Self::Familiar(person, _) => Some(person.id),
            Self::Name(_) | Self::PeopleOfOneName(_) | Self::Network(_) => None,
        }
    }

    fn person(&self) -> Option<&str> {
        match self {
            Self::Person(person) | Self::Familiar(person, _) => Some(&person.name),
            Self::Name(_) | Self::PeopleOfOneName(_) | Self::Network(_) => None,
        }
    }

    fn login(&self) -> Option<&str> {
        if let Self::Name(login) = self { Some(login) } else { None }
    }

    fn people(&self) -> Option<String> {
        if let Self::PeopleOfOneName(people) = self { Some(people.names()) } else { None }
    }

    fn network(&self) -> Option<&Network> {
        match self {
            Self::Familiar(_, network) | Self::Network(network) => Some(network),
            Self::Person(_) | Self::Name(_) | Self::PeopleOfOneName(_) => None,
        }
    }

    fn is_within(&self, scope: &ResetScope) -> bool {
        match (scope, self) {
            (ResetScope::All, _) => true,
            (ResetScope::Person(name), Self::Person(person) | Self::Familiar(person, _)) => {
                person.is_called(&fold(name))
            }
            (ResetScope::Person(name), Self::Name(login)) => fold(login) == fold(name),
            (ResetScope::Network(address), Self::Network(network) | Self::Familiar(_, network)) => {
                *network == Network::of(*address)
            }
            (_, Self::PeopleOfOneName(people)) => people.are_within(scope),
            (ResetScope::Person(_), Self::Network(_)) | (ResetScope::Network(_), Self::Person(_) | Self::Name(_)) => {
                false
            }
        }
    }
}

impl PeopleOfOneName {
    /// The same people are equal, in whatever order a directory lists them.
    pub(super) fn new(mut people: Vec<CountedPerson>, familiar: Option<Network>) -> Self {
        people.sort_unstable_by(|one, other| one.id.cmp(&other.id));
        Self { people, familiar }
    }

    /// Whether resetting the counters of a person or a network includes these.
    pub(super) fn are_within(&self, scope: &ResetScope) -> bool {
        match scope {
            ResetScope::All => true,
            ResetScope::Person(name) => self.people.iter().any(|person| person.is_called(&fold(name))),
            ResetScope::Network(address) => self.familiar == Some(Network::of(*address)),
        }
    }

    fn names(&self) -> String {
        self.people.iter().map(|person| &*person.name).collect::<Vec<_>>().join(", ")
    }
}

impl CountedPerson {
    /// Whether a folded name is the one in the log.
    pub(super) fn is_called(&self, folded: &str) -> bool {
        fold(&self.name) == folded
    }
}

impl From<&Identity> for CountedPerson {
    fn from(person: &Identity) -> Self {
        Self { id: person.id.clone(), name: Arc::from(&*person.canonical_name) }
    }
}

impl PartialEq for CountedPerson {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for CountedPerson {}

impl Hash for CountedPerson {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id.hash(state);
    }
}

/// A moment of the future as UTC, to the second.
fn utc(moment: Instant) -> String {
    Date::of(SystemTime::now() + moment.saturating_duration_since(Instant::now())).of_log()
}

//! The lock-outs under way, and what the log says of them.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use crate::date::Date;
use crate::directory::EntryId;
use crate::identity::{Identity, ResetScope};
use crate::lockout::{LockOut, Network};
use crate::names::fold;

/// A person as far as counting goes: the entry's own id, and the name that the log uses, which does not tell people apart.
#[derive(Clone, Debug)]
pub(crate) struct CountedPerson {
    pub(crate) id: EntryId,
    pub(crate) name: Arc<str>,
}

/// Who is locked out.
#[derive(Clone, Debug)]
pub(crate) enum LockOutSubject {
    /// A person, but where they are at home.
    Person(CountedPerson),
    /// A person where they are at home.
    Familiar(CountedPerson, Network),
    /// A name that leads to nobody.
    Name(String),
    /// People of one name.
    PeopleOfOneName(PeopleOfOneName),
    /// A network.
    Network(Network),
}

/// People of one name, as far as counting goes: whichever of their common names is typed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PeopleOfOneName {
    people: Vec<CountedPerson>,
    /// Where one of them is at home.
    pub(crate) familiar: Option<Network>,
}

/// The lock-outs under way, by their ends.
#[derive(Default)]
pub(crate) struct ActiveLockOuts {
    under_way: BTreeMap<(Instant, u64), LockOutSubject>,
    begun: u64,
}

/// Lock-outs remembered at most; one more, and the first to end is not logged when it does. Who is locked out, the tables know.
const MOST: usize = 65_536;

impl ActiveLockOuts {
    /// One has begun.
    pub(crate) fn begin(&mut self, locked: LockOutSubject, lock_out: LockOut) {
        self.begun += 1;
        self.under_way.insert((lock_out.until, self.begun), locked);
        if self.under_way.len() > MOST {
            self.under_way.pop_first();
        }
    }

    /// Takes out those that are over.
    pub(crate) fn end(&mut self, now: Instant) -> Vec<LockOutSubject> {
        let mut over = Vec::new();
        while let Some(first) = self.under_way.first_entry().filter(|first| first.key().0 <= now) {
            over.push(first.remove());
        }
        over
    }

    /// Takes out those that are lifted.
    pub(crate) fn lift(&mut self, whom: &ResetScope) -> Vec<LockOutSubject> {
        let under_way = std::mem::take(&mut self.under_way).into_iter();
        let (lifted, others): (Vec<_>, Vec<_>) = under_way.partition(|(_, locked)| locked.is_meant(whom));
        self.under_way = others.into_iter().collect();
        lifted.into_iter().map(|(_, locked)| locked).collect()
    }
}

impl LockOutSubject {
    /// Logs that it has begun.
    pub(crate) fn log_begin(&self, lock_out: LockOut) {
        let LockOut { count: wrong_passwords, in_a_row, until } = lock_out;
        let until = utc(until);
        match self {
            Self::Person(someone) => {
                tracing::warn!(person = &*someone.name, wrong_passwords, in_a_row, until, "lock-out begins");
            }
            Self::Familiar(someone, network) => {
                tracing::warn!(person = &*someone.name, %network, wrong_passwords, in_a_row, until, "lock-out begins");
            }
            Self::Name(login) => tracing::warn!(login, wrong_passwords, in_a_row, until, "lock-out begins"),
            Self::PeopleOfOneName(namesakes) => {
                tracing::warn!(people = namesakes.names(), wrong_passwords, in_a_row, until, "lock-out begins");
            }
            Self::Network(network) => tracing::warn!(%network, wrong_passwords, in_a_row, until, "lock-out begins"),
        }
    }

    /// Logs what became of it; gives whose it was, if it was a person's.
    pub(crate) fn log(self, what: &str) -> Option<EntryId> {
        match self {
            Self::Person(someone) => {
                tracing::warn!(person = &*someone.name, "{what}");
                Some(someone.id)
            }
            Self::Familiar(someone, network) => {
                tracing::warn!(person = &*someone.name, %network, "{what}");
                Some(someone.id)
            }
            Self::Name(login) => {
                tracing::warn!(login, "{what}");
                None
            }
            Self::PeopleOfOneName(namesakes) => {
                tracing::warn!(people = namesakes.names(), "{what}");
                None
            }
            Self::Network(network) => {
                tracing::warn!(%network, "{what}");
                None
            }
        }
    }

    fn is_meant(&self, whom: &ResetScope) -> bool {
        match (whom, self) {
            (ResetScope::All, _) => true,
            (ResetScope::Person(name), Self::Person(someone) | Self::Familiar(someone, _)) => {
                someone.is_called(&fold(name))
            }
            (ResetScope::Person(name), Self::Name(login)) => fold(login) == fold(name),
            (ResetScope::Network(address), Self::Network(network) | Self::Familiar(_, network)) => {
                *network == Network::of(*address)
            }
            (_, Self::PeopleOfOneName(namesakes)) => namesakes.are_meant(whom),
            (ResetScope::Person(_), Self::Network(_)) | (ResetScope::Network(_), Self::Person(_) | Self::Name(_)) => {
                false
            }
        }
    }
}

impl PeopleOfOneName {
    /// The same ones are equal, in whatever order a directory told them.
    pub(crate) fn new(mut people: Vec<CountedPerson>, familiar: Option<Network>) -> Self {
        people.sort_unstable_by(|one, other| one.id.cmp(&other.id));
        Self { people, familiar }
    }

    /// Whether forgetting somebody's counters, or a network's, is about these as well.
    pub(crate) fn are_meant(&self, whom: &ResetScope) -> bool {
        match whom {
            ResetScope::All => true,
            ResetScope::Person(name) => self.people.iter().any(|someone| someone.is_called(&fold(name))),
            ResetScope::Network(address) => self.familiar == Some(Network::of(*address)),
        }
    }

    fn names(&self) -> String {
        self.people.iter().map(|someone| &*someone.name).collect::<Vec<_>>().join(", ")
    }
}

impl CountedPerson {
    /// Whether a folded name is the one that the log uses.
    pub(crate) fn is_called(&self, folded: &str) -> bool {
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

//! The lock-outs under way, and what the log says of them.

use std::collections::VecDeque;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use super::Whom;
use crate::date::Date;
use crate::directory::EntryId;
use crate::lockout::{LockOut, Network};
use crate::names::fold;

/// A person as far as counting goes: the entry's own id, and the name that the log uses, which does not tell people apart.
#[derive(Clone, Debug)]
pub(super) struct Someone {
    pub(super) id: EntryId,
    pub(super) name: Arc<str>,
}

/// Who is locked out.
#[derive(Clone, Debug)]
pub(super) enum Locked {
    /// A person, but where they are at home.
    Person(Someone),
    /// A person where they are at home.
    Familiar(Someone, Network),
    /// A name that leads to nobody.
    Name(String),
    /// People of one name.
    Namesakes(Namesakes),
    /// A network.
    Network(Network),
}

/// People of one name, as far as counting goes: whichever of their common names is typed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Namesakes {
    people: Vec<Someone>,
    /// Where one of them is at home.
    pub(super) familiar: Option<Network>,
}

/// The lock-outs under way, in the order in which they end: each lasts as long as any other.
#[derive(Default)]
pub(super) struct LockedOut(VecDeque<(Instant, Locked)>);

impl LockedOut {
    /// One has begun.
    pub(super) fn begin(&mut self, locked: Locked, lock_out: LockOut) {
        let (wrong_passwords, until) = (lock_out.count, utc(lock_out.until));
        match &locked {
            Locked::Person(someone) => {
                tracing::warn!(person = &*someone.name, wrong_passwords, until, "lock-out begins");
            }
            Locked::Familiar(someone, network) => {
                tracing::warn!(person = &*someone.name, %network, wrong_passwords, until, "lock-out begins");
            }
            Locked::Name(login) => tracing::warn!(login, wrong_passwords, until, "lock-out begins"),
            Locked::Namesakes(namesakes) => {
                tracing::warn!(people = namesakes.names(), wrong_passwords, until, "lock-out begins");
            }
            Locked::Network(network) => tracing::warn!(%network, wrong_passwords, until, "lock-out begins"),
        }
        self.0.push_back((lock_out.until, locked));
    }

    /// Writes down those that are over; tells whose they were.
    pub(super) fn end(&mut self, now: Instant) -> Vec<EntryId> {
        let over = self.0.iter().take_while(|(until, _)| *until <= now).count();
        self.0.drain(..over).filter_map(|(_, locked)| locked.told("lock-out ends")).collect()
    }

    /// Writes down those that are lifted; tells whose they were.
    pub(super) fn lift(&mut self, whom: &Whom) -> Vec<EntryId> {
        let (lifted, others) = self.0.drain(..).partition(|(_, locked)| locked.is_meant(whom));
        self.0 = others;
        let lifted: VecDeque<(Instant, Locked)> = lifted;
        lifted.into_iter().filter_map(|(_, locked)| locked.told("lock-out lifted by an administrator")).collect()
    }
}

impl Locked {
    /// Writes down what became of it; tells whose it was, if it was a person's.
    fn told(self, what: &str) -> Option<EntryId> {
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
            Self::Namesakes(namesakes) => {
                tracing::warn!(people = namesakes.names(), "{what}");
                None
            }
            Self::Network(network) => {
                tracing::warn!(%network, "{what}");
                None
            }
        }
    }

    fn is_meant(&self, whom: &Whom) -> bool {
        match (whom, self) {
            (Whom::All, _) => true,
            (Whom::Person(name), Self::Person(someone) | Self::Familiar(someone, _)) => someone.is_called(&fold(name)),
            (Whom::Person(name), Self::Name(login)) => fold(login) == fold(name),
            (Whom::Network(address), Self::Network(network) | Self::Familiar(_, network)) => {
                *network == Network::of(*address)
            }
            (_, Self::Namesakes(namesakes)) => namesakes.are_meant(whom),
            (Whom::Person(_), Self::Network(_)) | (Whom::Network(_), Self::Person(_) | Self::Name(_)) => false,
        }
    }
}

impl Namesakes {
    /// The same ones are equal, in whatever order a directory told them.
    pub(super) fn new(mut people: Vec<Someone>, familiar: Option<Network>) -> Self {
        people.sort_unstable_by(|one, other| one.id.cmp(&other.id));
        Self { people, familiar }
    }

    /// Whether forgetting somebody's counters, or a network's, is about these as well.
    pub(super) fn are_meant(&self, whom: &Whom) -> bool {
        match whom {
            Whom::All => true,
            Whom::Person(name) => self.people.iter().any(|someone| someone.is_called(&fold(name))),
            Whom::Network(address) => self.familiar == Some(Network::of(*address)),
        }
    }

    fn names(&self) -> String {
        self.people.iter().map(|someone| &*someone.name).collect::<Vec<_>>().join(", ")
    }
}

impl Someone {
    /// Whether a folded name is the one that the log uses.
    pub(super) fn is_called(&self, folded: &str) -> bool {
        fold(&self.name) == folded
    }
}

impl PartialEq for Someone {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Someone {}

impl Hash for Someone {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id.hash(state);
    }
}

/// A moment of the future as UTC, to the second.
fn utc(moment: Instant) -> String {
    Date::of(SystemTime::now() + moment.saturating_duration_since(Instant::now())).of_log()
}

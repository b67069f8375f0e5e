//! The tables that count, and the people who are locked out.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use aws_lc_rs::error::Unspecified;

use super::familiar::FamiliarNetworks;
use super::lock_outs::{ActiveLockOuts, CountedPerson, LockOutSubject, PeopleOfOneName};
use super::tags::Tagger;
use super::ticket::Counts;
use super::{ResetScope, Ticket};
use crate::directory::EntryId;
use crate::ledger::Ledger;
use crate::lockout::{self, LockOut, Network, Table, Tag};
use crate::names::fold;

/// The most networks that are counted.
const MOST_NETWORKS: usize = 65_536;

/// Counts refusals, and remembers who is locked out.
pub(crate) struct LoginThrottle {
    tagger: Tagger,
    settings: lockout::Settings,
    pub(super) familiar: FamiliarNetworks<EntryId>,
    /// Nothing is logged while this is locked: a log that nobody reads would stop every login.
    counters: Mutex<Counters>,
    ledger: Arc<Ledger>,
}

pub(super) struct Counters {
    pub(super) people: Table<CountedPerson>,
    pub(super) familiar: Table<(CountedPerson, Network)>,
    pub(super) names: Table<Tag>,
    pub(super) networks: Table<Network>,
    pub(super) of_one_name: Table<PeopleOfOneName>,
    lock_outs: ActiveLockOuts,
}

impl LoginThrottle {
    /// Nothing counted, with a fresh key that never leaves this process.
    pub(crate) fn new(settings: lockout::Settings, people: u64, ledger: Arc<Ledger>) -> Result<Self, Unspecified> {
        let (tagger, familiar) = (Tagger::new()?, FamiliarNetworks::new(people));
        let room = usize::try_from(people).unwrap_or(usize::MAX);
        let counters = Counters {
            people: Table::new(settings.of_person(), room),
            familiar: Table::new(settings.of_person(), room),
            names: Table::new(settings.of_person(), room),
            networks: Table::new(settings.of_network(), MOST_NETWORKS),
            of_one_name: Table::new(settings.of_person(), room),
            lock_outs: ActiveLockOuts::default(),
        };
        Ok(Self { tagger, settings, familiar, counters: Mutex::new(counters), ledger })
    }

    /// A login begins, with a name as typed (of bounded length) and a password, or its substitute.
    pub(crate) fn begin(&self, login: &str, password: &str, from: IpAddr) -> Ticket<'_> {
        let tags = self.tagger.credentials(login, password);
        Ticket::new(self, login.to_owned(), tags, Counts::Guesses, from, self.settings.exempts(from))
    }

    /// The same with credentials that nobody guesses: a refusal counts for the network alone.
    pub(crate) fn begin_unguessable(&self, login: &str, shown: &str, from: IpAddr) -> Ticket<'_> {
        let tags = self.tagger.credentials(login, shown);
        Ticket::new(self, login.to_owned(), tags, Counts::NetworkOnly, from, self.settings.exempts(from))
    }

    /// The same with a token.
    pub(crate) fn begin_token(&self, authorization: &str, token: &str, from: IpAddr) -> Ticket<'_> {
        let tags = self.tagger.token(authorization, token);
        Ticket::new(self, String::new(), tags, Counts::NetworkOnly, from, self.settings.exempts(from))
    }

    /// Logs the lock-outs that are over; returns the people who were locked out.
    pub(crate) fn end_lock_outs(&self, now: Instant) -> Vec<EntryId> {
        let over = self.change_lock_outs(|lock_outs| lock_outs.end(now));
        over.iter().for_each(LockOutSubject::log_end);
        over.into_iter().filter_map(LockOutSubject::whose).collect()
    }

    /// Resets the counters of a person, a network or everybody, and ends their lock-outs; returns how many counters
    /// there were, and which people are let in again.
    pub(crate) fn reset(&self, scope: &ResetScope) -> (usize, Vec<EntryId>) {
        let (count, lifted) = self.reset_counters(scope);
        lifted.iter().for_each(LockOutSubject::log_lifting);
        (count, lifted.into_iter().filter_map(LockOutSubject::whose).collect())
    }

    fn reset_counters(&self, scope: &ResetScope) -> (usize, Vec<LockOutSubject>) {
        let mut counters = self.counters();
        let count = match scope {
            ResetScope::Person(name) => {
                let (name, typed) = (fold(name), self.tagger.name(&fold(name)));
                counters.people.forget(|person| person.is_called(&name))
                    + counters.familiar.forget(|(person, _)| person.is_called(&name))
                    + counters.names.forget(|tag| *tag == typed)
                    + counters.of_one_name.forget(|people| people.are_within(scope))
            }
            ResetScope::Network(address) => {
                let network = Network::of(*address);
                counters.networks.forget(|other| *other == network)
                    + counters.of_one_name.forget(|people| people.are_within(scope))
                    + counters.familiar.forget(|(_, other)| *other == network)
            }
            ResetScope::All => {
                counters.people.forget(|_| true)
                    + counters.familiar.forget(|_| true)
                    + counters.names.forget(|_| true)
                    + counters.networks.forget(|_| true)
                    + counters.of_one_name.forget(|_| true)
            }
        };
        let lifted = counters.lock_outs.lift(scope);
        self.ledger.lock_outs.set_current(counters.lock_outs.len());
        (count, lifted)
    }

    /// The ledger learns how many there are afterwards.
    fn change_lock_outs<T>(&self, change: impl FnOnce(&mut ActiveLockOuts) -> T) -> T {
        let mut counters = self.counters();
        let result = change(&mut counters.lock_outs);
        self.ledger.lock_outs.set_current(counters.lock_outs.len());
        result
    }

    /// Counts; a lock-out that begins is logged after the tables were unlocked.
    pub(super) fn count(&self, count: impl FnOnce(&mut Counters) -> Option<(LockOutSubject, LockOut)>) {
        let mut counters = self.counters();
        let Some((subject, lock_out)) = count(&mut counters) else { return };
        counters.lock_outs.begin(subject.clone(), lock_out);
        self.ledger.lock_outs.set_current(counters.lock_outs.len());
        drop(counters);
        self.ledger.lock_outs.note_begin(subject.word());
        subject.log_begin(lock_out);
    }

    pub(super) fn counters(&self) -> MutexGuard<'_, Counters> {
        self.counters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

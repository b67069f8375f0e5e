//! Who guesses passwords is refused for a while, whatever they send.
//!
//! Five tables count, each alike. *People*: wrong passwords of somebody, by whatever name they were typed. *Familiar
//! networks*: the same, from a network that this person logged in from of late, so that a lock-out made elsewhere does
//! not reach them there. *Names*: every refusal, by the name as typed, whether it leads to somebody or not. *Networks*:
//! every refusal, by where it comes from. *Namesakes*: where the password is tried on each of several people of one name,
//! the wrong ones of all of them together, since one's right password is wrong for the others.
//!
//! A client sees how late it is refused, and that depends on *names* and *networks* alone: on what was sent, never on
//! what the directory holds. Whether somebody is locked out, or could be, is seen by nobody who has no right password.

use std::net::IpAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

use aws_lc_rs::error::Unspecified;

use crate::directory::{EntryId, Refusal};
use crate::identity::throttle::familiar::FamiliarNetworks;
use crate::identity::throttle::locked::{ActiveLockOuts, CountedPerson, LockOutSubject, PeopleOfOneName};
use crate::identity::throttle::ticket::{Tagger, Ticket, lock};
use crate::identity::verdict::outcome::LockOutOf;
use crate::identity::{Identity, Outcome, Reason, RefusedLogin, ResetScope};
use crate::lockout::{self, LockOut, Network, Table, Tag};
use crate::names::fold;
use crate::pop3::{Credentials, TokenCredentials};
use crate::secret::TokenFault;
use crate::token;

/// Networks counted at most.
const NETWORKS: usize = 65_536;

/// Counts, and remembers who is locked out.
pub(crate) struct LoginThrottle {
    tagger: Tagger,
    settings: lockout::Settings,
    familiar: FamiliarNetworks<EntryId>,
    /// Nothing is logged while this is locked: a log that nobody reads would stop every login.
    tables: Mutex<Counters>,
}

struct Counters {
    people: Table<CountedPerson>,
    familiar: Table<(CountedPerson, Network)>,
    names: Table<Tag>,
    networks: Table<Network>,
    namesakes: Table<PeopleOfOneName>,
    locked: ActiveLockOuts,
}

impl LoginThrottle {
    /// Nothing counted, under a fresh key that never leaves this process.
    pub(crate) fn new(settings: lockout::Settings, people: u64) -> Result<Self, Unspecified> {
        let (tagger, familiar) = (Tagger::new()?, FamiliarNetworks::new(people));
        let room = usize::try_from(people).unwrap_or(usize::MAX);
        let tables = Counters {
            people: Table::new(settings.of_person(), room),
            familiar: Table::new(settings.of_person(), room),
            names: Table::new(settings.of_person(), room),
            networks: Table::new(settings.of_network(), NETWORKS),
            namesakes: Table::new(settings.of_person(), room),
            locked: ActiveLockOuts::default(),
        };
        Ok(Self { tagger, settings, familiar, tables: Mutex::new(tables) })
    }

    /// Puts credentials on trial.
    pub(crate) fn trial(&self, credentials: &Credentials, from: IpAddr) -> Ticket {
        self.tagger.credentials(credentials, from, self.settings.exempts(from))
    }

    /// The same of a name, as typed, and whatever stands for a password.
    pub(crate) fn trial_of(&self, login: &str, password: &str, from: IpAddr) -> Ticket {
        self.tagger.named(login, password, from, self.settings.exempts(from))
    }

    /// Puts a token on trial.
    pub(crate) fn trial_of_token(&self, credentials: &TokenCredentials, from: IpAddr) -> Ticket {
        self.tagger.token(credentials, from, self.settings.exempts(from))
    }

    /// Writes down the lock-outs that are over; tells whose they were.
    pub(crate) fn end_lock_outs(&self, now: Instant) -> Vec<EntryId> {
        let over = self.tables().locked.end(now);
        over.into_iter().filter_map(|locked| locked.log("lock-out ends")).collect()
    }

    /// Whether nobody is let in from there.
    pub(crate) fn shuts_out_network(&self, trial: &Ticket, now: Instant) -> bool {
        !trial.is_exempt && self.tables().networks.is_locked(&trial.network, now)
    }

    /// Whether this person is not let in, from where the credentials come.
    pub(crate) fn shuts_out(&self, person: &Identity, trial: &Ticket, now: Instant) -> bool {
        let someone = CountedPerson::from(person);
        if self.is_familiar(&someone, trial) {
            self.tables().familiar.is_locked(&(someone, trial.network), now)
        } else {
            self.tables().people.is_locked(&someone, now)
        }
    }

    /// Asks whether the directory may be asked about the password; what [`Self::settle`] hears counts it or takes it back.
    pub(crate) fn admits(&self, person: &Identity, trial: &Ticket, now: Instant) -> bool {
        let someone = CountedPerson::from(person);
        let is_familiar = self.is_familiar(&someone, trial);
        *lock(&trial.on_trial_for) = Some(someone.clone());
        let mut tables = self.tables();
        if is_familiar {
            tables.familiar.admit((someone, trial.network), trial.password, now)
        } else {
            tables.people.admit(someone, trial.password, now)
        }
    }

    /// The same, of several people of one name, who have a counter of their own together.
    pub(crate) fn admits_namesakes(&self, people: &[Arc<Identity>], trial: &Ticket, now: Instant) -> bool {
        let people: Vec<CountedPerson> = people.iter().map(|person| CountedPerson::from(&**person)).collect();
        let is_familiar = people.iter().any(|someone| self.is_familiar(someone, trial));
        let namesakes = PeopleOfOneName::new(people, is_familiar.then_some(trial.network));
        *lock(&trial.on_trial_for_each) = Some(namesakes.clone());
        self.tables().namesakes.admit(namesakes, trial.password, now)
    }

    /// Counts what came of it, and says by how many steps a refusal is told later.
    pub(crate) fn settle(&self, trial: &Ticket, outcome: &mut Outcome, now: Instant) {
        match outcome {
            Outcome::Proven(proven) => self.acquit(&proven.identity, trial),
            Outcome::Forbidden(person, _) => self.acquit(person, trial),
            Outcome::Refused(refused) => self.refused(trial, refused, now),
            Outcome::Unavailable(_) | Outcome::Misconfigured(_) => {
                match trial.wrong_in_outage.get() {
                    Some(someone) => self.count_person(someone, trial, now),
                    None => self.withdraw(trial),
                }
                if trial.is_in_outage.load(Ordering::Acquire) {
                    self.count_network(trial, now);
                }
            }
        }
    }

    /// Counts what came of a token: a refused one for its network, and the network of a right one is familiar from now on.
    pub(crate) fn settle_token(&self, trial: &Ticket, outcome: &mut Outcome, now: Instant) {
        match outcome {
            Outcome::Proven(proven) => self.acquit(&proven.identity, trial),
            Outcome::Forbidden(person, _) => self.acquit(person, trial),
            Outcome::Refused(refused) => {
                if is_attack(&refused.reason) {
                    self.count_network(trial, now);
                }
                refused.delay_steps = self.delay_steps(trial, now);
            }
            Outcome::Unavailable(_) | Outcome::Misconfigured(_) => {}
        }
    }

    /// The counters of a person, a network or everybody are forgotten, lock-outs included; tells how many there were, and
    /// which people are let in again.
    pub(crate) fn reset(&self, whom: &ResetScope) -> (usize, Vec<EntryId>) {
        let (forgotten, lifted) = self.forget(whom);
        let lifted = lifted.into_iter().filter_map(|locked| locked.log("lock-out lifted by an administrator"));
        (forgotten, lifted.collect())
    }

    fn forget(&self, whom: &ResetScope) -> (usize, Vec<LockOutSubject>) {
        let mut tables = self.tables();
        let forgotten = match whom {
            ResetScope::Person(name) => {
                let (name, typed) = (fold(name), self.tagger.name(&fold(name)));
                tables.people.forget(|someone| someone.is_called(&name))
                    + tables.familiar.forget(|(someone, _)| someone.is_called(&name))
                    + tables.names.forget(|tag| *tag == typed)
                    + tables.namesakes.forget(|namesakes| namesakes.are_meant(whom))
            }
            ResetScope::Network(address) => {
                let network = Network::of(*address);
                tables.networks.forget(|other| *other == network)
                    + tables.namesakes.forget(|namesakes| namesakes.are_meant(whom))
                    + tables.familiar.forget(|(_, other)| *other == network)
            }
            ResetScope::All => {
                tables.people.forget(|_| true)
                    + tables.familiar.forget(|_| true)
                    + tables.names.forget(|_| true)
                    + tables.networks.forget(|_| true)
                    + tables.namesakes.forget(|_| true)
            }
        };
        (forgotten, tables.locked.lift(whom))
    }

    /// A right password takes back nothing but itself, and the wrong ones that this person typed where they are at home:
    /// else somebody with an account of their own could go on guessing others for ever.
    fn acquit(&self, person: &Identity, trial: &Ticket) {
        let someone = CountedPerson::from(person);
        let mut tables = self.tables();
        tables.people.acquit(&someone, trial.password);
        tables.familiar.forget_one(&(someone.clone(), trial.network));
        if let Some(namesakes) = &*lock(&trial.on_trial_for_each) {
            tables.namesakes.acquit(namesakes, trial.password);
        }
        drop(tables);
        if !trial.is_exempt {
            self.familiar.note(&someone.id, trial.network, Instant::now());
        }
    }

    fn refused(&self, trial: &Ticket, refused: &mut RefusedLogin, now: Instant) {
        match (&refused.reason, &refused.identity) {
            (Reason::LockedOut(LockOutOf::Network), _) => {}
            (
                Reason::RefusedBefore
                | Reason::WrongProof
                | Reason::CertificateOfAnother(_)
                | Reason::CertificateOfNobody(_)
                | Reason::CertificateOfSeveral(_)
                | Reason::NotOwnName
                | Reason::Directory(Refusal::WrongPassword | Refusal::WrongOrLocked | Refusal::NoSuchEntry),
                Some(person),
            ) => {
                self.count_person(&CountedPerson::from(&**person), trial, now);
                self.count_name(trial, false, now);
                self.count_network(trial, now);
            }
            (_, person) => {
                let leads_nowhere = person.is_none() && lock(&trial.on_trial_for_each).is_none();
                if matches!(refused.reason, Reason::NoneOfSeveral(_)) {
                    self.count_namesakes(trial, now);
                }
                self.withdraw(trial);
                if self.count_name(trial, leads_nowhere, now) {
                    refused.reason = Reason::LockedOut(LockOutOf::Name);
                }
                self.count_network(trial, now);
            }
        }
        refused.delay_steps = self.delay_steps(trial, now);
    }

    fn delay_steps(&self, trial: &Ticket, now: Instant) -> u32 {
        let tables = self.tables();
        let of_network = if trial.is_exempt { 0 } else { tables.networks.steps(&trial.network, now) };
        tables.names.steps(&trial.name, now).max(of_network)
    }

    fn count_person(&self, someone: &CountedPerson, trial: &Ticket, now: Instant) {
        let (is_familiar, network) = (self.is_familiar(someone, trial), trial.network);
        let (who, someone) = (someone.clone(), someone.clone());
        self.count(|tables| {
            Some(if is_familiar {
                let begun = tables.familiar.count((who, network), trial.password, now)?;
                (LockOutSubject::Familiar(someone, network), begun)
            } else {
                (LockOutSubject::Person(someone), tables.people.count(who, trial.password, now)?)
            })
        });
    }

    /// Tells whether the name leads nowhere and was locked out before.
    fn count_name(&self, trial: &Ticket, leads_nowhere: bool, now: Instant) -> bool {
        let mut was_locked = false;
        self.count(|tables| {
            was_locked = tables.names.is_locked(&trial.name, now);
            let begun = tables.names.count(trial.name, trial.password, now)?;
            leads_nowhere.then(|| (LockOutSubject::Name(trial.login.clone()), begun))
        });
        was_locked && leads_nowhere
    }

    fn count_network(&self, trial: &Ticket, now: Instant) {
        if !trial.is_exempt {
            let network = trial.network;
            self.count(|tables| {
                Some((LockOutSubject::Network(network), tables.networks.count(network, trial.pair, now)?))
            });
        }
    }

    fn count_namesakes(&self, trial: &Ticket, now: Instant) {
        let Some(namesakes) = lock(&trial.on_trial_for_each).clone() else { return };
        self.count(|tables| {
            let begun = tables.namesakes.count(namesakes.clone(), trial.password, now)?;
            Some((LockOutSubject::PeopleOfOneName(namesakes.clone()), begun))
        });
    }

    /// Counts, and logs a lock-out that this began, once the tables are free again.
    fn count(&self, count: impl FnOnce(&mut Counters) -> Option<(LockOutSubject, LockOut)>) {
        let mut tables = self.tables();
        let Some((locked, lock_out)) = count(&mut tables) else { return };
        tables.locked.begin(locked.clone(), lock_out);
        drop(tables);
        locked.log_begin(lock_out);
    }

    /// Gives back the places of a password that was not judged, or not of them.
    pub(crate) fn withdraw(&self, trial: &Ticket) {
        if let Some(namesakes) = lock(&trial.on_trial_for_each).take() {
            self.tables().namesakes.withdraw(&namesakes, trial.password);
        }
        let Some(someone) = lock(&trial.on_trial_for).take() else { return };
        let mut tables = self.tables();
        tables.people.withdraw(&someone, trial.password);
        tables.familiar.withdraw(&(someone, trial.network), trial.password);
    }

    fn is_familiar(&self, someone: &CountedPerson, trial: &Ticket) -> bool {
        !trial.is_exempt && self.familiar.contains(&someone.id, trial.network, Instant::now())
    }

    fn tables(&self) -> MutexGuard<'_, Counters> {
        lock(&self.tables)
    }
}

/// Whether a refused token may be somebody's try: devices wake up with tokens that have ended meanwhile, and clients ask
/// without one what it must be good for (RFC 7628 §4.3).
fn is_attack(reason: &Reason) -> bool {
    use token::Refusal::{Expired, TooOld};
    !matches!(reason, Reason::LockedOut(_) | Reason::NoToken(TokenFault::Empty) | Reason::Token(Expired(_) | TooOld(_)))
}

//! One login in the throttle, from its credentials to its outcome.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use super::LoginThrottle;
use super::lock_outs::{CountedPerson, LockOutSubject, PeopleOfOneName};
use super::tags::Tags;
use crate::identity::person::Identity;
use crate::identity::verdict::{LockOutOf, Outcome, PasswordReason, Reason, RefusedLogin, TokenReason};
use crate::lockout::Network;
use crate::secret::TokenFault;
use crate::token::TokenRefusal;

/// A login that is being judged.
pub(crate) struct Ticket<'t> {
    throttle: &'t LoginThrottle,
    /// The name as typed, for the log.
    login: String,
    network: Network,
    is_exempt: bool,
    tags: Tags,
    counts: Counts,
    /// The person whose counter has a place reserved for this password.
    reserved: Option<CountedPerson>,
    /// The same, if it is tried for several people.
    reserved_together: Option<PeopleOfOneName>,
    /// A person whose password this is not, as far as can be known while the directory is silent.
    wrong_in_outage: Option<CountedPerson>,
    /// A directory is silent, and others may be let in by the outage grace.
    is_in_outage: bool,
}

/// In which counters a refusal counts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Counts {
    /// For the person, the name and the network: a password can be guessed.
    Guesses,
    /// For the network. Whoever is locked out for wrong passwords may still use a certificate or a token.
    NetworkOnly,
}

impl<'t> Ticket<'t> {
    /// The name as typed.
    pub(crate) fn login(&self) -> &str {
        &self.login
    }

    pub(super) fn new(
        throttle: &'t LoginThrottle,
        login: String,
        tags: Tags,
        counts: Counts,
        from: IpAddr,
        is_exempt: bool,
    ) -> Self {
        Self {
            throttle,
            login,
            network: Network::of(from),
            is_exempt,
            tags,
            counts,
            reserved: None,
            reserved_together: None,
            wrong_in_outage: None,
            is_in_outage: false,
        }
    }

    /// Whether nobody is let in from the client's network.
    pub(crate) fn is_network_locked_out(&self) -> bool {
        !self.is_exempt && self.throttle.counters().networks.is_locked(&self.network, Instant::now())
    }

    /// Whether this person is locked out for the client's network.
    pub(crate) fn is_locked_out(&self, person: &Identity) -> bool {
        if self.counts == Counts::NetworkOnly {
            return false;
        }
        let (person, now) = (CountedPerson::from(person), Instant::now());
        if self.is_familiar(&person) {
            self.throttle.counters().familiar.is_locked(&(person, self.network), now)
        } else {
            self.throttle.counters().people.is_locked(&person, now)
        }
    }

    /// Reserves a place in a person's counter before the directory is asked about the password; returns whether there
    /// is one. [`Self::finish`] counts the password or gives the place back.
    pub(crate) fn reserve(&mut self, person: &Identity) -> bool {
        let person = CountedPerson::from(person);
        let is_familiar = self.is_familiar(&person);
        self.reserved = Some(person.clone());
        let (mut counters, now) = (self.throttle.counters(), Instant::now());
        if is_familiar {
            counters.familiar.reserve((person, self.network), self.tags.password, now)
        } else {
            counters.people.reserve(person, self.tags.password, now)
        }
    }

    /// The same for several people of one name, who have a counter of their own together.
    pub(crate) fn reserve_together(&mut self, people: &[Arc<Identity>]) -> bool {
        let people: Vec<CountedPerson> = people.iter().map(|person| CountedPerson::from(&**person)).collect();
        let is_familiar = people.iter().any(|person| self.is_familiar(person));
        let people = PeopleOfOneName::new(people, is_familiar.then_some(self.network));
        self.reserved_together = Some(people.clone());
        self.throttle.counters().of_one_name.reserve(people, self.tags.password, Instant::now())
    }

    /// Gives back the places of a password that was not judged, or not for these people.
    pub(crate) fn withdraw(&mut self) {
        if let Some(people) = self.reserved_together.take() {
            self.throttle.counters().of_one_name.withdraw(&people, self.tags.password);
        }
        let Some(person) = self.reserved.take() else { return };
        let mut counters = self.throttle.counters();
        counters.people.withdraw(&person, self.tags.password);
        counters.familiar.withdraw(&(person, self.network), self.tags.password);
    }

    /// The directory is silent, but this is certainly not the password that it proved last. The first person counts.
    pub(crate) fn note_wrong_in_outage(&mut self, person: &Identity) {
        self.wrong_in_outage.get_or_insert_with(|| CountedPerson::from(person));
    }

    /// A directory is silent, so that it is unknown whether the password is wrong: it counts for its network all the
    /// same, since the counter would otherwise show whose passwords can be judged.
    pub(crate) fn note_outage(&mut self) {
        self.is_in_outage = true;
    }

    /// Counts the outcome of the whole login; a refusal then says by how many steps it is delayed.
    pub(crate) fn finish(mut self, outcome: &mut Outcome) {
        match outcome {
            Outcome::Proven(proven) => self.clear(&proven.identity),
            Outcome::Forbidden(person, _) => self.clear(person),
            Outcome::Refused(refused) => {
                match self.counts {
                    Counts::Guesses => self.count_refusal(refused),
                    Counts::NetworkOnly if is_attack(&refused.reason) => self.count_network(),
                    Counts::NetworkOnly => {}
                }
                refused.delay_steps = self.delay_steps();
            }
            Outcome::Unavailable(_) | Outcome::Misconfigured(_) if self.counts == Counts::Guesses => {
                match self.wrong_in_outage.take() {
                    Some(person) => self.count_person(person),
                    None => self.withdraw(),
                }
                if self.is_in_outage {
                    self.count_network();
                }
            }
            Outcome::Unavailable(_) | Outcome::Misconfigured(_) => {}
        }
    }

    /// A right password clears only itself, and this person's wrong ones from a familiar network: otherwise somebody
    /// with an account could guess other people's passwords for ever.
    fn clear(&self, person: &Identity) {
        let person = CountedPerson::from(person);
        let mut counters = self.throttle.counters();
        counters.people.clear(&person, self.tags.password);
        counters.familiar.forget_one(&(person.clone(), self.network));
        if let Some(people) = &self.reserved_together {
            counters.of_one_name.clear(people, self.tags.password);
        }
        drop(counters);
        if !self.is_exempt {
            self.throttle.familiar.get().note(&person.id, self.network, Instant::now());
        }
    }

    fn count_refusal(&mut self, refused: &mut RefusedLogin) {
        match &refused.identity {
            _ if refused.reason == Reason::LockedOut(LockOutOf::Network) => {}
            Some(person) if is_wrong_guess(&refused.reason) => {
                self.count_person(CountedPerson::from(&**person));
                self.count_name(false);
                self.count_network();
            }
            person => {
                let leads_nowhere = person.is_none() && self.reserved_together.is_none();
                if matches!(refused.reason, Reason::Password(PasswordReason::OfNone(_))) {
                    self.count_together();
                }
                self.withdraw();
                if self.count_name(leads_nowhere) {
                    refused.reason = Reason::LockedOut(LockOutOf::Name);
                }
                self.count_network();
            }
        }
    }

    fn delay_steps(&self) -> u32 {
        let (counters, now) = (self.throttle.counters(), Instant::now());
        let of_network = if self.is_exempt { 0 } else { counters.networks.delay_steps(&self.network, now) };
        counters.names.delay_steps(&self.tags.name, now).max(of_network)
    }

    fn count_person(&self, person: CountedPerson) {
        let (is_familiar, network, password) = (self.is_familiar(&person), self.network, self.tags.password);
        self.throttle.count(|counters| {
            Some(if is_familiar {
                let begun = counters.familiar.count((person.clone(), network), password, Instant::now())?;
                (LockOutSubject::Familiar(person, network), begun)
            } else {
                let begun = counters.people.count(person.clone(), password, Instant::now())?;
                (LockOutSubject::Person(person), begun)
            })
        });
    }

    /// Returns whether the name leads to nobody and was locked out before.
    fn count_name(&self, leads_nowhere: bool) -> bool {
        let (mut was_locked, now) = (false, Instant::now());
        self.throttle.count(|counters| {
            was_locked = counters.names.is_locked(&self.tags.name, now);
            let begun = counters.names.count(self.tags.name, self.tags.password, now)?;
            leads_nowhere.then(|| (LockOutSubject::Name(self.login.clone()), begun))
        });
        was_locked && leads_nowhere
    }

    fn count_network(&self) {
        if !self.is_exempt {
            let (network, pair) = (self.network, self.tags.pair);
            self.throttle.count(|counters| {
                let begun = counters.networks.count(network, pair, Instant::now())?;
                Some((LockOutSubject::Network(network), begun))
            });
        }
    }

    fn count_together(&self) {
        let Some(people) = self.reserved_together.clone() else { return };
        self.throttle.count(|counters| {
            let begun = counters.of_one_name.count(people.clone(), self.tags.password, Instant::now())?;
            Some((LockOutSubject::PeopleOfOneName(people), begun))
        });
    }

    fn is_familiar(&self, person: &CountedPerson) -> bool {
        !self.is_exempt && self.throttle.familiar.get().contains(&person.id, self.network, Instant::now())
    }
}

/// Whether a refusal counts for the person: what was sent is not theirs.
fn is_wrong_guess(reason: &Reason) -> bool {
    use crate::identity::verdict::CertificateReason::{OfAnother, OfNobody, OfSeveral};
    use PasswordReason::{OtherAuthorization, Refused, RefusedBefore, WrongProof};
    matches!(
        reason,
        Reason::Password(Refused(_) | RefusedBefore | WrongProof | OtherAuthorization)
            | Reason::Certificate(OfAnother(_) | OfNobody(_) | OfSeveral(_))
    )
}

/// Whether a refused token or certificate may be an attack: devices wake up with tokens that have expired meanwhile,
/// and clients ask without a token what kind of token is required (RFC 7628 §4.3).
fn is_attack(reason: &Reason) -> bool {
    use TokenRefusal::{Expired, TooOld};
    !matches!(
        reason,
        Reason::LockedOut(_)
            | Reason::Token(TokenReason::Invalid(TokenFault::Empty) | TokenReason::Refused(Expired(_) | TooOld(_)))
    )
}

//! A login by name and password.
//!
//! The cache comes first. A password that is not cached is checked by the directory, so that a new one works at once.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::LoginContext;
use super::account::Doubt;
use super::authorization::AuthorizationId;
use super::namesakes::NamesakesLogin;
use super::order::{Attempt, ClaimedOwner, ClaimedPerson, LoginMethod, Proved};
use crate::directory::Fault;
use crate::identity::cache::{Recall, Submission};
use crate::identity::person::Identity;
use crate::identity::question::{NameOwner, NameQuery};
use crate::identity::throttle::Ticket;
use crate::identity::verdict::{Outcome, PasswordReason, Proof, Reason, Trace, TraceEvent};
use crate::names::LoginName;
use crate::pop3::Credentials;
use crate::secret::Password;

/// A refused password is refused from the cache for this long without reading the entry again.
const REFUSED_UNSEEN: Duration = Duration::from_secs(30);

/// A login by name and password.
pub(crate) struct PasswordLogin<'c> {
    pub(super) context: &'c LoginContext,
    pub(super) name: LoginName,
    pub(super) password: Password,
    authorization: AuthorizationId,
    pub(super) sent: Submission,
}

impl<'c> PasswordLogin<'c> {
    /// A login begins. The name is validated first, but invalid names and passwords are counted as well, by the name as
    /// typed.
    pub(crate) fn begin(
        context: &'c LoginContext,
        credentials: Credentials,
        from: IpAddr,
    ) -> (Ticket<'c>, Result<Self, Reason>) {
        let Credentials { login, authorization, password, .. } = credentials;
        let name = LoginName::new(&login);
        let typed_password = password.as_ref().map_or("", |password| password.expose());
        let ticket = context.throttle.begin(&LoginName::as_typed(&login), typed_password, from);
        let method = name.map_err(Reason::from).and_then(|name| {
            let password = password.map_err(|fault| Reason::Password(PasswordReason::Invalid(fault)))?;
            let authorization = AuthorizationId::besides_login(&login, authorization);
            let sent = Submission { asked: context.caches.flushes.now(), from, at: Instant::now() };
            Ok(Self { context, name, password, authorization, sent })
        });
        (ticket, method)
    }

    pub(super) fn recall(&self, person: &Identity) -> Recall {
        self.context.caches.passwords.recall(person, &self.password, Instant::now())
    }

    /// The same, counted: the cache is asked first, and the directory only if it knows nothing.
    pub(super) fn recall_first(&self, person: &Identity) -> Recall {
        let recall = self.recall(person);
        self.context.ledger.caches.passwords.note(recall != Recall::Unknown);
        recall
    }

    fn query<'a>(&'a self, trace: &'a Trace) -> NameQuery<'a> {
        self.context.query(&self.name, trace)
    }

    async fn find(&self, trace: &Trace) -> Result<Arc<NameOwner>, Fault> {
        let found = self.context.caches.names.find(self.query(trace)).await?;
        if self.is_outdated(&found) {
            return self.find_anew(trace).await;
        }
        self.compare_stamps(&found);
        Ok(found)
    }

    /// A barred account is never refused from the cache, since it may be free again. And of several people, each entry
    /// may have changed since their password was refused.
    fn is_outdated(&self, found: &NameOwner) -> bool {
        let people = found.people();
        let is_refused = |person: &Identity| people.len() > 1 && self.recall(person) == Recall::Refused;
        let is_outdated = |person: &Arc<Identity>| {
            person.looked_up < self.sent.at && !self.context.account_status(person).is_usable()
                || person.looked_up.elapsed() >= REFUSED_UNSEEN && is_refused(person)
        };
        people.len() <= usize::from(self.context.settings.ambiguous.most()) && people.iter().any(is_outdated)
    }

    /// Who has the name now, whatever is cached.
    pub(super) async fn find_anew(&self, trace: &Trace) -> Result<Arc<NameOwner>, Fault> {
        let found = self.context.caches.names.find_anew(self.query(trace)).await?;
        self.compare_stamps(&found);
        Ok(found)
    }

    /// Each fresh look-up compares the change stamp.
    fn compare_stamps(&self, found: &NameOwner) {
        for person in found.people().iter().filter(|person| person.looked_up >= self.sent.at) {
            self.context.caches.passwords.compare_stamp(person);
        }
    }

    /// Whose the credentials claim to be, by the people that the name leads to.
    pub(super) fn claim_of(&self, found: &NameOwner, trace: &Trace) -> Result<ClaimedOwner, Outcome> {
        match found {
            NameOwner::Ambiguous(people) if people.len() <= usize::from(self.context.settings.ambiguous.most()) => {
                Ok(ClaimedOwner::Namesakes(people.clone()))
            }
            found => {
                let (person, kind) = found.one_person().map_err(|reason| Outcome::refused(None, reason))?;
                trace.note(|| TraceEvent::person(person));
                Ok(ClaimedOwner::One(ClaimedPerson { person: person.clone(), kind }))
            }
        }
    }

    async fn prove_by_cache_or_bind(
        &self,
        claimed: ClaimedPerson,
        attempt: &mut Attempt<'_>,
    ) -> Result<Proved, Outcome> {
        let person = &claimed.person;
        attempt.accepted.check(person)?;
        match self.recall_first(person) {
            Recall::Verified => Ok(claimed.proven_by(Proof::Cached)),
            Recall::Refused if person.looked_up.elapsed() < REFUSED_UNSEEN => Err(refused_before(person)),
            Recall::Refused | Recall::RefusedUnseen => self.refuse_or_bind_anew(person, attempt).await,
            Recall::Unknown => self.bind(claimed, attempt).await,
        }
    }

    /// The entry may have changed since, so it is read again before the same password is refused without a bind.
    async fn refuse_or_bind_anew(&self, person: &Arc<Identity>, attempt: &mut Attempt<'_>) -> Result<Proved, Outcome> {
        let found = match self.find_anew(attempt.trace).await {
            Ok(found) => found,
            Err(fault) => return self.bridge(fault, attempt).await,
        };
        let NameOwner::One(anew, kind) = &*found else { return Err(refused_before(person)) };
        let is_refused_still = self.recall(anew) == Recall::Refused;
        self.context.check_account(anew, Self::DOUBT).map_err(|reason| Outcome::refused(Some(anew), reason))?;
        if is_refused_still {
            return Err(refused_before(anew));
        }
        self.bind(ClaimedPerson { person: anew.clone(), kind: *kind }, attempt).await
    }

    /// For as long as the grace may let anybody in, a login that fails because a directory is silent counts for its
    /// network like one with a wrong password, for known and unknown names alike.
    fn note_outage(&self, outcome: &Outcome, attempt: &mut Attempt<'_>) {
        let is_unanswered = matches!(outcome, Outcome::Unavailable(_));
        if is_unanswered && self.context.directories.fell_silent_within(self.context.settings.cache.outage_grace) {
            attempt.ticket.note_outage();
        }
    }
}

impl LoginMethod for PasswordLogin<'_> {
    const DOUBT: Doubt = Doubt::LeftToBind;

    async fn claim(&mut self, attempt: &mut Attempt<'_>) -> Result<ClaimedOwner, Outcome> {
        attempt.trace.note(|| TraceEvent::Name(self.name.to_string()));
        self.sent = Submission { asked: self.context.caches.flushes.now(), at: Instant::now(), ..self.sent };
        let claim = match self.find(attempt.trace).await {
            Ok(found) => self.claim_of(&found, attempt.trace),
            Err(fault) => self.within_grace(fault, attempt).await.map(ClaimedOwner::Bridged),
        };
        claim.inspect_err(|outcome| self.note_outage(outcome, attempt))
    }

    async fn prove(&mut self, claimed: ClaimedPerson, attempt: &mut Attempt<'_>) -> Result<Proved, Outcome> {
        let proved = self.prove_by_cache_or_bind(claimed, attempt).await;
        proved.inspect_err(|outcome| self.note_outage(outcome, attempt))
    }

    async fn prove_one_of(&mut self, people: &[Arc<Identity>], attempt: &mut Attempt<'_>) -> Result<Proved, Outcome> {
        let proved = NamesakesLogin::new(self, people).prove(attempt).await;
        proved.inspect_err(|outcome| self.note_outage(outcome, attempt))
    }

    fn authorization(&self) -> &AuthorizationId {
        &self.authorization
    }

    async fn confirm(&self, outcome: Outcome, attempt: &mut Attempt<'_>) -> Outcome {
        let was_refused = matches!(outcome, Outcome::Refused(_));
        let outcome = self.context.unless_silent(outcome, Some(&self.name), self.sent.at).await;
        if was_refused {
            self.note_outage(&outcome, attempt);
        }
        outcome
    }
}

fn refused_before(person: &Arc<Identity>) -> Outcome {
    Outcome::refused(Some(person), Reason::Password(PasswordReason::RefusedBefore))
}

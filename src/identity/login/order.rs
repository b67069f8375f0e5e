//! The order of all checks of a login.

use std::sync::Arc;

use super::LoginContext;
use super::account::Doubt;
use super::authorization::AuthorizationId;
use super::resolve::place;
use super::second_factor::{AcceptedOwner, ShownCertificate};
use crate::identity::person::Identity;
use crate::identity::question::describe_people;
use crate::identity::throttle::Ticket;
use crate::identity::verdict::{LockOutOf, NameReason, Outcome, Proof, ProvenLogin, Reason, Trace, TraceEvent};
use crate::names::Kind;

/// A way to log in: what it does at each check. [`checks`] calls these methods from top to bottom.
pub(crate) trait LoginMethod {
    /// What happens if an entry bars the login, but a bind may show that the reason is over.
    const DOUBT: Doubt;

    /// Whose credentials these claim to be: finds the person by the name.
    async fn claim(&mut self, attempt: &mut Attempt<'_>) -> Result<ClaimedOwner, Outcome>;

    /// Whether the credentials are this person's.
    async fn prove(&mut self, claimed: ClaimedPerson, attempt: &mut Attempt<'_>) -> Result<Proved, Outcome>;

    /// Whose credentials these are, if several people have the name. Each goes through the same checks.
    async fn prove_one_of(&mut self, people: &[Arc<Identity>], _: &mut Attempt<'_>) -> Result<Proved, Outcome> {
        Err(Outcome::refused(None, Reason::Name(NameReason::Ambiguous(describe_people(people.iter())))))
    }

    /// Who the client wants to act as, which may differ from the owner of the credentials.
    fn authorization(&self) -> &AuthorizationId;

    /// The answer to the client: an outage instead of a refusal, if a directory on which the refusal relies is silent
    /// now.
    async fn confirm(&self, outcome: Outcome, attempt: &mut Attempt<'_>) -> Outcome;
}

/// One login on its way through the checks.
pub(crate) struct Attempt<'a> {
    /// The part of this login in the throttle.
    pub(super) ticket: Ticket<'a>,
    /// Whose credentials are accepted, by the certificate that was sent with them.
    pub(super) accepted: AcceptedOwner,
    pub(super) trace: &'a Trace,
}

/// Whose the credentials claim to be.
pub(crate) enum ClaimedOwner {
    /// One person's.
    One(ClaimedPerson),
    /// One of several people of one name.
    Namesakes(Vec<Arc<Identity>>),
    /// The directory is silent, and the outage grace lets this person in: `grace` has made the checks up to the
    /// password.
    Bridged(Arc<Identity>),
}

/// The person whose credentials these claim to be.
#[derive(Clone)]
pub(crate) struct ClaimedPerson {
    pub(super) person: Arc<Identity>,
    /// The kind of name that was typed, if our comparison and the directory's agree on one.
    pub(super) kind: Option<Kind>,
}

/// What the credentials prove.
pub(crate) enum Proved {
    /// They are this person's.
    Person(ClaimedPerson, Proof),
    /// The entry may belong to somebody else now: the checks begin again with the people that the name leads to.
    Anew(ClaimedOwner),
}

/// One login from beginning to end; the throttle counts its outcome. `method` is a refusal if what was sent cannot be
/// anybody's credentials.
pub(crate) async fn log_in<Method: LoginMethod>(
    context: &LoginContext,
    method: &mut Result<Method, Reason>,
    ticket: Ticket<'_>,
    besides: Option<ShownCertificate<'_>>,
    trace: &Trace,
) -> Outcome {
    context.end_lock_outs();
    let mut attempt = Attempt { ticket, accepted: AcceptedOwner::Any, trace };
    let proven = checks(context, method, besides, &mut attempt).await;
    let mut outcome = proven.map_or_else(|outcome| outcome, Outcome::Proven);
    if let Ok(method) = method {
        outcome = method.confirm(outcome, &mut attempt).await;
    }
    context.sessions.on_login(attempt.ticket.login(), &outcome);
    attempt.ticket.finish(&mut outcome);
    outcome
}

/// All checks of a login, in their order.
async fn checks<Method: LoginMethod>(
    context: &LoginContext,
    method: &mut Result<Method, Reason>,
    besides: Option<ShownCertificate<'_>>,
    attempt: &mut Attempt<'_>,
) -> Result<ProvenLogin, Outcome> {
    // 1. The lock-out of the network: nothing else is checked.
    if attempt.ticket.is_network_locked_out() {
        return Err(Outcome::refused(None, Reason::LockedOut(LockOutOf::Network)));
    }
    // 2. The certificate sent in addition: whose other credentials are accepted.
    attempt.accepted = context.accepted_owner(besides).await?;
    // 3. The name, and the person it leads to.
    let method = method.as_mut().map_err(|reason| Outcome::refused(None, reason.clone()))?;
    let mut claim = method.claim(attempt).await?;
    let (ClaimedPerson { person, kind }, proof) = loop {
        let proved = match claim {
            ClaimedOwner::One(claimed) => {
                // 4. The lock-out of the person. 5. The account.
                attempt.trace.note(|| TraceEvent::Account(context.account_status(&claimed.person)));
                check_person(context, attempt, &claimed.person, Method::DOUBT)
                    .map_err(|reason| claimed.refused(reason))?;
                // 6. The credentials.
                method.prove(claimed, attempt).await?
            }
            ClaimedOwner::Namesakes(people) => method.prove_one_of(&people, attempt).await?,
            ClaimedOwner::Bridged(person) => ClaimedPerson { person, kind: None }.proven_by(Proof::OutageGrace),
        };
        match proved {
            Proved::Person(claimed, proof) => break (claimed, proof),
            Proved::Anew(anew) => claim = anew,
        }
    };
    attempt.trace.note(|| TraceEvent::Proven(proof));
    // 7. The certificate sent in addition is the same person's.
    attempt.accepted.check(&person)?;
    // 8. The authorization identity is a name of the same person.
    context.check_authorization(&person, method.authorization()).await?;
    // 9. The place of the mail.
    let mail = place(&person, attempt.trace)?;
    Ok(ProvenLogin { identity: person, mail, kind, proof })
}

impl ClaimedPerson {
    pub(super) fn proven_by(self, proof: Proof) -> Proved {
        Proved::Person(self, proof)
    }

    pub(super) fn refused(&self, reason: Reason) -> Outcome {
        Outcome::refused(Some(&self.person), reason)
    }
}

/// The checks of a person before their credentials: the lock-out, then the account. Each of several people of one name
/// goes through them, too.
pub(super) fn check_person(
    context: &LoginContext,
    attempt: &Attempt<'_>,
    person: &Arc<Identity>,
    doubt: Doubt,
) -> Result<(), Reason> {
    if attempt.ticket.is_locked_out(person) {
        return Err(Reason::LockedOut(LockOutOf::Person));
    }
    context.check_account(person, doubt)
}

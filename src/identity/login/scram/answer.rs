//! A login by the answer to a challenge.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{ScramExchange, ServerSignature};
use crate::identity::login::LoginContext;
use crate::identity::login::account::Doubt;
use crate::identity::login::authorization::AuthorizationId;
use crate::identity::login::order::{Attempt, ClaimedOwner, ClaimedPerson, LoginMethod, Proved};
use crate::identity::throttle::Ticket;
use crate::identity::verdict::{LockOutOf, Outcome, PasswordReason, Proof, Reason};
use crate::pop3::{ScramFault, ScramProof};

/// A login by SCRAM.
pub(crate) struct ScramAnswerLogin<'c> {
    context: &'c LoginContext,
    exchange: ScramExchange,
    answer: Result<ScramProof, ScramFault>,
    /// Whether the proof was made with the password, or why the answer proves nothing. Decoys are compared at the same
    /// cost.
    is_right: Result<bool, ScramFault>,
}

impl<'c> ScramAnswerLogin<'c> {
    /// A login begins. A proof hides the password so well that nobody can see whether two wrong proofs were made with
    /// the same one: unlike passwords, each counts. So does each challenge that got no proof, since each asks the
    /// directory.
    pub(crate) fn begin(
        context: &'c LoginContext,
        exchange: ScramExchange,
        answer: Result<ScramProof, ScramFault>,
        from: IpAddr,
    ) -> (Ticket<'c>, Self) {
        let tried = answer.as_ref().map_or_else(|_| exchange.nonce.clone(), |proof| STANDARD.encode(proof.proof));
        let ticket = context.throttle.begin(&exchange.login, &tried, from);
        (ticket, Self { context, exchange, answer, is_right: Ok(false) })
    }

    /// The server's signature, for a login that was proven.
    pub(crate) fn sign(self, outcome: &Outcome) -> Option<ServerSignature> {
        let is_proven = matches!(outcome, Outcome::Proven(_) | Outcome::Forbidden(..));
        self.answer.ok().filter(|_| is_proven).map(|proof| self.exchange.meant.keys.signature(&proof))
    }
}

impl LoginMethod for ScramAnswerLogin<'_> {
    const DOUBT: Doubt = Doubt::Refused;

    /// The person for whom the challenge was made. The proof is compared first, whether anybody has the name or not.
    async fn claim(&mut self, _: &mut Attempt<'_>) -> Result<ClaimedOwner, Outcome> {
        let meant = &self.exchange.meant;
        self.is_right = self.answer.as_ref().map(|proof| meant.keys.are_proven_by(proof)).map_err(|fault| *fault);
        match &meant.person {
            Ok((person, kind)) => Ok(ClaimedOwner::One(ClaimedPerson { person: person.clone(), kind: *kind })),
            Err(reason) => Err(Outcome::refused(None, reason.clone())),
        }
    }

    async fn prove(&mut self, claimed: ClaimedPerson, attempt: &mut Attempt<'_>) -> Result<Proved, Outcome> {
        let meant = &self.exchange.meant;
        let reason = match self.is_right {
            _ if !meant.are_own => Reason::Password(PasswordReason::NoScramCredentials),
            Err(fault) => Reason::Password(PasswordReason::Scram(fault)),
            Ok(_) if !attempt.ticket.reserve(&claimed.person) => Reason::LockedOut(LockOutOf::PersonAtOnce),
            Ok(false) => Reason::Password(PasswordReason::WrongProof),
            Ok(true) if !self.context.caches.flushes.believes_owner(meant.asked, &claimed.person) => {
                return Err(Outcome::Unavailable("the entry changed while the client answered".to_owned()));
            }
            Ok(true) => return Ok(claimed.proven_by(Proof::Scram)),
        };
        Err(claimed.refused(reason))
    }

    fn authorization(&self) -> &AuthorizationId {
        &self.exchange.authorization
    }

    /// The directories answered when the challenge was made.
    async fn confirm(&self, outcome: Outcome, _: &mut Attempt<'_>) -> Outcome {
        outcome
    }
}

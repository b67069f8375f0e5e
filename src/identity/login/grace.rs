//! The outage grace of a password: while the directory is silent, people who logged in recently can still log in, and
//! no client gets the reply that a password is wrong.

use std::sync::Arc;
use std::time::Instant;

use super::PasswordLogin;
use super::order::{Attempt, ClaimedPerson, Proved};
use crate::directory::Fault;
use crate::identity::cache::GraceCheck;
use crate::identity::person::Identity;
use crate::identity::verdict::{LockOutOf, Outcome, Proof};

impl PasswordLogin<'_> {
    /// The directory gives no answer: returns the person if the grace lets them in. Everybody else gets the answer of
    /// an outage, whether their name is known or not.
    pub(super) async fn within_grace(&self, fault: Fault, attempt: &mut Attempt<'_>) -> Result<Arc<Identity>, Outcome> {
        let Fault::Unavailable { why, silent: true } = fault else { return Err(fault.into()) };
        let last = self.context.caches.names.last(&self.name).await;
        let Some(person) = last.filter(|last| self.context.account_status(last).is_usable()) else {
            return Err(Outcome::Unavailable(why));
        };
        if let Some(reason) = attempt.accepted.rejects(&person) {
            return Err(Outcome::Unavailable(format!("{why}; {reason}")));
        }
        if attempt.ticket.is_locked_out(&person) {
            return Err(Outcome::Unavailable(format!("{why}; locked out: {}", LockOutOf::Person)));
        }
        match self.context.caches.passwords.check_grace(&person, &self.password, Instant::now()) {
            GraceCheck::Accepted => return Ok(person),
            GraceCheck::OtherPassword => attempt.ticket.note_wrong_in_outage(&person),
            GraceCheck::Unknown => {}
        }
        Err(Outcome::Unavailable(why))
    }

    /// The same if the person was already found.
    pub(super) async fn bridge(&self, fault: Fault, attempt: &mut Attempt<'_>) -> Result<Proved, Outcome> {
        let person = self.within_grace(fault, attempt).await?;
        Ok(ClaimedPerson { person, kind: None }.proven_by(Proof::OutageGrace))
    }
}

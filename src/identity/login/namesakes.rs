//! A name of several people, where the password decides which of them it is: it is tried for each of them, and must be
//! right for exactly one.
//!
//! Each goes through the same checks as somebody with a name of their own. But a wrong password counts for the name,
//! not for them: it may be the right one of their namesake.

use std::sync::Arc;

use super::PasswordLogin;
use super::account::Doubt;
use super::order::{Attempt, ClaimedPerson, Proved, check_person};
use crate::directory::{DirectoryRefusal, Fault, Verdict};
use crate::identity::cache::Recall;
use crate::identity::person::Identity;
use crate::identity::question::describe_people;
use crate::identity::verdict::{LockOutOf, Outcome, PasswordReason, Proof, Reason, TraceEvent};

/// A login by a name that several people have.
pub(super) struct NamesakesLogin<'l> {
    login: &'l PasswordLogin<'l>,
    people: &'l [Arc<Identity>],
}

/// The password tried for one of them.
struct NamesakeTry {
    person: Arc<Identity>,
    result: TryResult,
}

/// The result of the password for one person.
enum TryResult {
    /// It is theirs.
    Proven(Proof),
    /// It is not theirs, or they may not log in.
    Refused(Reason),
    /// Their directory refused it just now.
    RefusedByBind(DirectoryRefusal),
    /// It is somebody's, but their DN now belongs to another entry.
    Moved,
    /// Their directory gave no answer.
    Unanswered(Fault),
}

impl<'l> NamesakesLogin<'l> {
    pub(super) fn new(login: &'l PasswordLogin<'_>, people: &'l [Arc<Identity>]) -> Self {
        Self { login, people }
    }

    /// Whose password it is, if it is right for exactly one of them.
    pub(super) async fn prove(&self, attempt: &mut Attempt<'_>) -> Result<Proved, Outcome> {
        if !attempt.ticket.reserve_together(self.people) {
            return Err(Outcome::refused(None, Reason::LockedOut(LockOutOf::Name)));
        }
        attempt.trace.note(|| TraceEvent::TriedOnEach(describe_people(self.people.iter())));
        let mut tries: Vec<NamesakeTry> = Vec::new();
        for person in self.people {
            let result = self.try_one(person, attempt).await;
            if matches!(result, TryResult::Moved) {
                return self.login.begin_anew_after_move(&person.id, attempt).await;
            }
            tries.push(NamesakeTry { person: person.clone(), result });
        }
        let (person, proof) = exactly_one(&self.look_again(tries, attempt).await?)?;
        Ok(ClaimedPerson { person, kind: None }.proven_by(proof))
    }

    async fn try_one(&self, person: &Arc<Identity>, attempt: &Attempt<'_>) -> TryResult {
        if let Err(reason) = check_person(self.login.context, attempt, person, Doubt::LeftToBind) {
            return TryResult::Refused(reason);
        }
        // The certificate decides between them as well: the password is not tried for anybody else.
        if let Some(reason) = attempt.accepted.rejects(person) {
            return TryResult::Refused(reason);
        }
        match self.login.recall_first(person) {
            Recall::Verified => TryResult::Proven(Proof::Cached),
            Recall::Refused => TryResult::Refused(Reason::Password(PasswordReason::RefusedBefore)),
            Recall::RefusedUnseen | Recall::Unknown => match self.login.ask(person, attempt.trace).await {
                Ok(Verdict::Refused(refusal)) => TryResult::RefusedByBind(refusal),
                Ok(verdict) => self.accept(person, verdict).await,
                Err(fault) => TryResult::Unanswered(fault),
            },
        }
    }

    /// A success counts only for the entry that was looked up.
    async fn accept(&self, person: &Arc<Identity>, verdict: Verdict) -> TryResult {
        match self.login.is_still_at_its_dn(person).await {
            Ok(true) => self.login.record_verdict(person, verdict).into(),
            Ok(false) => TryResult::Moved,
            Err(fault) => TryResult::Unanswered(fault),
        }
    }

    /// As for everybody else, the entries are read again before a refusal is final: once for all of them.
    async fn look_again(&self, tries: Vec<NamesakeTry>, attempt: &Attempt<'_>) -> Result<Vec<NamesakeTry>, Fault> {
        if !tries.iter().any(|tried| matches!(tried.result, TryResult::RefusedByBind(_))) {
            return Ok(tries);
        }
        let found = self.login.find_anew(attempt.trace).await?;
        let mut last = Vec::new();
        for NamesakeTry { person, result } in tries {
            let anew = found.people().iter().find(|anew| anew.id == person.id).ok_or_else(changed)?;
            let result = match result {
                TryResult::RefusedByBind(refusal) => self.confirm_refusal(&person, anew, refusal, attempt).await,
                other => other,
            };
            last.push(NamesakeTry { person: anew.clone(), result });
        }
        if found.people().len() == last.len() { Ok(last) } else { Err(changed()) }
    }

    async fn confirm_refusal(
        &self,
        person: &Identity,
        anew: &Identity,
        refusal: DirectoryRefusal,
        attempt: &Attempt<'_>,
    ) -> TryResult {
        match self.login.verdict_where_it_is_now(person, anew, refusal, attempt.trace).await {
            Ok(result) => result.into(),
            Err(fault) => TryResult::Unanswered(fault),
        }
    }
}

impl From<Result<Proof, Reason>> for TryResult {
    fn from(result: Result<Proof, Reason>) -> Self {
        match result {
            Ok(proof) => Self::Proven(proof),
            Err(reason) => Self::Refused(reason),
        }
    }
}

fn changed() -> Fault {
    Fault::Unavailable { why: "the people of that name changed while they were asked".to_owned(), silent: false }
}

/// Two owners are too many, even if others are unknown; one owner counts only if each of the others is known not to be
/// one.
fn exactly_one(tries: &[NamesakeTry]) -> Result<(Arc<Identity>, Proof), Outcome> {
    let owner = |tried: &NamesakeTry| match &tried.result {
        TryResult::Proven(proof) => Some((tried.person.clone(), *proof)),
        _ => None,
    };
    let mut owners: Vec<(Arc<Identity>, Proof)> = tries.iter().filter_map(owner).collect();
    if owners.len() > 1 {
        let people = describe_people(owners.iter().map(|(owner, _)| owner));
        return Err(Outcome::refused(None, Reason::Password(PasswordReason::OfSeveral(people))));
    }
    let unanswered = tries.iter().find_map(|tried| match &tried.result {
        TryResult::Unanswered(fault) => Some(fault.clone()),
        _ => None,
    });
    if let Some(fault) = unanswered {
        return Err(fault.into());
    }
    if let Some(owner) = owners.pop() {
        return Ok(owner);
    }
    let reason = |NamesakeTry { person, result }: &NamesakeTry| match result {
        TryResult::Refused(reason) => format!("{}: {reason}", person.dn),
        TryResult::RefusedByBind(refusal) => format!("{}: {refusal}", person.dn),
        TryResult::Proven(_) | TryResult::Moved | TryResult::Unanswered(_) => person.dn.to_string(),
    };
    let reasons = tries.iter().map(reason).collect();
    Err(Outcome::refused(None, Reason::Password(PasswordReason::OfNone(reasons))))
}

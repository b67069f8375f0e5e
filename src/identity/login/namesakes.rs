//! A name that several people have, where the password may tell them apart: it is tried on each of them, and must be
//! exactly one's.
//!
//! Each is judged like somebody with a name of their own: by the state of the account, by what is held, by their lock-out.
//! But a wrong password counts for the name, not for them: it may well be their namesake's right one.

use std::sync::Arc;
use std::time::Instant;

use crate::directory::{Fault, Refusal, Verdict};
use crate::identity::cache::passwords::Recall;
use crate::identity::question::answers::told;
use crate::identity::{Attempt, Identity, IdentityMap, LockOutOf, Outcome, Proof, Reason, TraceEvent, proven, refused};

/// What came of the password with one person.
enum TryResult {
    /// It is theirs.
    Proven(Proof),
    /// It is not theirs, or they may not log in.
    Refused(Reason),
    /// Their directory said no, just now.
    SaidNo(Refusal),
    /// Somebody's, but their DN is another entry's by now.
    NotThere,
    /// Their directory gave no answer.
    Unanswered(Fault),
}

/// One person, and what came of it.
type NamesakeTry = (Arc<Identity>, TryResult);

impl IdentityMap {
    /// Logs in whose password it is, if it is exactly one's. Where ambiguous names are refused, and of more people than
    /// are told apart, it is tried on nobody.
    pub(crate) async fn try_each(&self, attempt: &Attempt<'_>, people: &[Arc<Identity>]) -> Outcome {
        if people.len() > usize::from(self.settings.ambiguous.most()) {
            return refused(None, Reason::Ambiguous(told(people.iter())));
        }
        if !self.guard.admits_namesakes(people, &attempt.trial, Instant::now()) {
            return refused(None, Reason::LockedOut(LockOutOf::Name));
        }
        attempt.steps.note(|| TraceEvent::TriedOnEach(told(people.iter())));
        let mut tries: Vec<NamesakeTry> = Vec::new();
        for person in people {
            let outcome = self.try_one(attempt, person).await;
            if matches!(outcome, TryResult::NotThere) {
                return self.start_anew(attempt, &person.id).await;
            }
            tries.push((person.clone(), outcome));
        }
        match self.look_again(attempt, tries).await {
            Ok(tries) => exactly_one(&tries, attempt),
            Err(fault) => Outcome::unanswered(fault),
        }
    }

    async fn try_one(&self, attempt: &Attempt<'_>, person: &Arc<Identity>) -> TryResult {
        if self.guard.shuts_out(person, &attempt.trial, Instant::now()) {
            return TryResult::Refused(Reason::LockedOut(LockOutOf::Person));
        }
        if let Some(Outcome::Refused(refused)) = self.barred(person) {
            return TryResult::Refused(refused.reason);
        }
        // The certificate tells namesakes apart as well: the password is tried on nobody else.
        if let Some(reason) = attempt.owner.rejects(person) {
            return TryResult::Refused(reason);
        }
        match self.recall(person, attempt) {
            Recall::Verified => TryResult::Proven(Proof::Held),
            Recall::Refused => TryResult::Refused(Reason::RefusedBefore),
            Recall::RefusedUnseen | Recall::Unknown => match self.ask(attempt, person).await {
                Ok(Verdict::Refused(refusal)) => TryResult::SaidNo(refusal),
                Ok(verdict) => self.tried_where_they_are(attempt, person, verdict).await,
                Err(fault) => TryResult::Unanswered(fault),
            },
        }
    }

    /// A success counts only for the entry that was looked up.
    async fn tried_where_they_are(&self, attempt: &Attempt<'_>, person: &Arc<Identity>, verdict: Verdict) -> TryResult {
        match self.is_still_at_its_dn(attempt, person).await {
            Ok(true) => self.tried(attempt, person, verdict),
            Ok(false) => TryResult::NotThere,
            Err(fault) => TryResult::Unanswered(fault),
        }
    }

    /// As for everybody else, a refusal is looked up anew before it is told: once for all.
    async fn look_again(&self, attempt: &Attempt<'_>, tries: Vec<NamesakeTry>) -> Result<Vec<NamesakeTry>, Fault> {
        if !tries.iter().any(|(_, tried)| matches!(tried, TryResult::SaidNo(_))) {
            return Ok(tries);
        }
        let found = self.find_anew(attempt).await?;
        let mut settled = Vec::new();
        for (person, first_word) in tries {
            let anew = found.people().iter().find(|anew| anew.id == person.id).ok_or_else(changed)?;
            let last_word = match first_word {
                TryResult::SaidNo(refusal) => self.settle_refusal(attempt, &person, anew, refusal).await,
                other => other,
            };
            settled.push((anew.clone(), last_word));
        }
        let are_all = found.people().len() == settled.len();
        if are_all { Ok(settled) } else { Err(changed()) }
    }

    async fn settle_refusal(
        &self,
        attempt: &Attempt<'_>,
        person: &Identity,
        anew: &Arc<Identity>,
        refusal: Refusal,
    ) -> TryResult {
        if let Some(Outcome::Refused(refused)) = self.barred(anew) {
            return TryResult::Refused(refused.reason);
        }
        if anew.dn.matches(&person.dn) {
            return self.tried(attempt, anew, Verdict::Refused(refusal));
        }
        match self.ask(attempt, anew).await {
            Ok(verdict) => self.tried(attempt, anew, verdict),
            Err(fault) => TryResult::Unanswered(fault),
        }
    }

    fn tried(&self, attempt: &Attempt<'_>, person: &Arc<Identity>, verdict: Verdict) -> TryResult {
        match self.conclude(attempt, person, self.standing(person).with(verdict)) {
            Ok(proof) => TryResult::Proven(proof),
            Err(reason) => TryResult::Refused(reason),
        }
    }
}

fn changed() -> Fault {
    Fault::Unavailable { why: "the people of that name changed while they were asked".to_owned(), silent: false }
}

/// Two are too many whoever else there is; one is one only if each of the others is known not to be.
fn exactly_one(tries: &[NamesakeTry], attempt: &Attempt<'_>) -> Outcome {
    let of = |tried: &NamesakeTry| match &tried.1 {
        TryResult::Proven(proof) => Some((tried.0.clone(), *proof)),
        _ => None,
    };
    let owners: Vec<(Arc<Identity>, Proof)> = tries.iter().filter_map(of).collect();
    if owners.len() > 1 {
        return refused(None, Reason::PasswordOfSeveral(told(owners.iter().map(|(owner, _)| owner))));
    }
    let unanswered = tries.iter().find_map(|(_, tried)| match tried {
        TryResult::Unanswered(fault) => Some(fault.clone()),
        _ => None,
    });
    if let Some(fault) = unanswered {
        return Outcome::unanswered(fault);
    }
    if let [(owner, proof)] = owners.as_slice() {
        return proven(owner, None, *proof, attempt.steps);
    }
    let reason = |(person, tried): &NamesakeTry| match tried {
        TryResult::Refused(reason) => format!("{}: {reason}", person.dn),
        TryResult::SaidNo(refusal) => format!("{}: {refusal}", person.dn),
        TryResult::Proven(_) | TryResult::NotThere | TryResult::Unanswered(_) => person.dn.to_string(),
    };
    refused(None, Reason::NoneOfSeveral(tries.iter().map(reason).collect()))
}

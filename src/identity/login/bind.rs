//! Proving a password by a bind as the person, and what the answer means for the caches.

use std::sync::Arc;
use std::time::Instant;

use super::PasswordLogin;
use super::account::Doubt;
use super::order::{Attempt, ClaimedPerson, Proved};
use crate::directory::{DirectoryRefusal, EntryId, Fault, Verdict};
use crate::identity::person::Identity;
use crate::identity::question::{NameOwner, describe_people};
use crate::identity::verdict::{LockOutOf, NameReason, Outcome, Proof, Reason, Trace};

impl PasswordLogin<'_> {
    /// Asks the directory about the password.
    pub(super) async fn bind(&self, claimed: ClaimedPerson, attempt: &mut Attempt<'_>) -> Result<Proved, Outcome> {
        let person = &claimed.person;
        // While a directory is silent, it is asked about known people in the same way as about unknown ones: by a
        // search, since that takes a different time than a bind.
        if person.looked_up < self.sent.at && self.context.directories.finds_nobody(person) {
            return self.begin_anew(attempt).await;
        }
        if !attempt.ticket.reserve(person) {
            return Err(claimed.refused(Reason::LockedOut(LockOutOf::PersonAtOnce)));
        }
        match self.ask(person, attempt.trace).await {
            Ok(Verdict::Refused(refusal)) => self.bind_where_it_is_now(person, refusal, attempt).await,
            Ok(verdict) => self.accept(claimed, verdict, attempt).await,
            Err(fault) => self.bridge(fault, attempt).await,
        }
    }

    /// A bind with the password, or the answer to the same one if it is in progress.
    pub(super) async fn ask(&self, person: &Identity, trace: &Trace) -> Result<Verdict, Fault> {
        let bind = self.context.directories.bind(person, self.password.clone());
        let answer = self.context.caches.passwords.bind_once(person, &self.password, self.sent, bind).await;
        trace.note_bind(&person.dn, &answer);
        answer
    }

    /// A success counts only for the entry that was looked up.
    async fn accept(
        &self,
        claimed: ClaimedPerson,
        verdict: Verdict,
        attempt: &mut Attempt<'_>,
    ) -> Result<Proved, Outcome> {
        match self.is_still_at_its_dn(&claimed.person).await {
            Ok(true) => match self.record_verdict(&claimed.person, verdict) {
                Ok(proof) => Ok(claimed.proven_by(proof)),
                Err(reason) => Err(claimed.refused(reason)),
            },
            Ok(false) => self.begin_anew_after_move(&claimed.person.id, attempt).await,
            Err(fault) => self.bridge(fault, attempt).await,
        }
    }

    /// Whether a bind under the person's DN was a bind as the person: a DN can be given to a successor. An entry that
    /// was read during this login need not be read again.
    pub(super) async fn is_still_at_its_dn(&self, person: &Identity) -> Result<bool, Fault> {
        if person.looked_up >= self.sent.at {
            return Ok(true);
        }
        self.context.directories.is_still_theirs(person).await
    }

    /// The DN of a cached person belongs to somebody else now: the checks begin again with the name, and the person's
    /// other names are looked up again, too.
    pub(super) async fn begin_anew_after_move(
        &self,
        moved: &EntryId,
        attempt: &mut Attempt<'_>,
    ) -> Result<Proved, Outcome> {
        self.context.caches.flushes.entry_changed(moved.clone());
        attempt.ticket.withdraw();
        self.begin_anew(attempt).await
    }

    async fn begin_anew(&self, attempt: &mut Attempt<'_>) -> Result<Proved, Outcome> {
        match self.find_anew(attempt.trace).await {
            Ok(found) => self.claim_of(&found, attempt.trace).map(Proved::Anew),
            Err(fault) => self.bridge(fault, attempt).await,
        }
    }

    /// The entry is read again before a refusal is final: if it has moved, one bind is tried with its new DN. And with
    /// a password policy, a refused bind itself changes the entry, which may move its stamp (modifyTimestamp in slapd):
    /// the password is cached as refused under the stamp after the bind, since otherwise it would soon be tried again.
    async fn bind_where_it_is_now(
        &self,
        person: &Arc<Identity>,
        refusal: DirectoryRefusal,
        attempt: &mut Attempt<'_>,
    ) -> Result<Proved, Outcome> {
        let caches = &self.context.caches;
        // Whatever the entry says next, even if it cannot be read: this password is no longer accepted from the cache.
        caches.passwords.disbelieve(person, &self.password);
        let found = match self.find_anew(attempt.trace).await {
            Ok(found) => found,
            Err(fault) => {
                if refusal.is_of_the_account() {
                    caches.passwords.record_barred(person);
                } else {
                    caches.passwords.record_refused_unseen(person, &self.password, Instant::now(), self.sent);
                }
                return self.bridge(fault, attempt).await;
            }
        };
        if found.people().iter().all(|anew| anew.id != person.id) {
            // Renamed, or gone: the person's other cached names must not lead to the old entry either.
            caches.flushes.entry_changed(person.id.clone());
        }
        let anew = match &*found {
            NameOwner::One(anew, kind) => ClaimedPerson { person: anew.clone(), kind: *kind },
            NameOwner::Nobody | NameOwner::OutsidePolicy | NameOwner::OutsideLimits(_) => {
                return Err(Outcome::refused(Some(person), Reason::Name(NameReason::Unknown)));
            }
            NameOwner::Ambiguous(people) => {
                let reason = NameReason::Ambiguous(describe_people(people.iter()));
                return Err(Outcome::refused(None, Reason::Name(reason)));
            }
        };
        match self.verdict_where_it_is_now(person, &anew.person, refusal, attempt.trace).await {
            Ok(Ok(proof)) => Ok(anew.proven_by(proof)),
            Ok(Err(reason)) => Err(anew.refused(reason)),
            Err(fault) => self.bridge(fault, attempt).await,
        }
    }

    /// The verdict after the entry was read again: the account comes first, and at another DN one bind is tried.
    pub(super) async fn verdict_where_it_is_now(
        &self,
        person: &Identity,
        anew: &Identity,
        refusal: DirectoryRefusal,
        trace: &Trace,
    ) -> Result<Result<Proof, Reason>, Fault> {
        if let Err(reason) = self.context.check_account(anew, Doubt::LeftToBind) {
            return Ok(Err(reason));
        }
        let has_moved = !anew.dn.matches(&person.dn);
        let verdict = if has_moved { self.ask(anew, trace).await? } else { Verdict::Refused(refusal) };
        Ok(self.record_verdict(anew, verdict))
    }

    /// A bind was answered, and the entry was read: the result of both is cached.
    pub(super) fn record_verdict(&self, person: &Identity, verdict: Verdict) -> Result<Proof, Reason> {
        let passwords = &self.context.caches.passwords;
        match self.context.account_status(person).with(verdict) {
            Verdict::Proven => {
                passwords.record_verified(person, &self.password, Instant::now(), self.sent);
                Ok(Proof::Bind)
            }
            Verdict::Grace { left } => {
                passwords.record_verified(person, &self.password, Instant::now(), self.sent);
                passwords.record_grace_login(person);
                Ok(Proof::GraceLogin { left })
            }
            Verdict::Refused(refusal @ (DirectoryRefusal::WrongPassword | DirectoryRefusal::WrongOrLocked)) => {
                passwords.record_refused(person, &self.password, Instant::now(), self.sent);
                Err(refusal.into())
            }
            Verdict::Refused(refusal) => {
                passwords.record_barred(person);
                Err(refusal.into())
            }
        }
    }
}

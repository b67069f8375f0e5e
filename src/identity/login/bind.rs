//! Proving a password by a bind as the person, and what its answer means for what is cached.

use std::sync::Arc;
use std::time::Instant;

use crate::directory::{EntryId, Fault, Refusal, Verdict};
use crate::identity::person::NameOwner;
use crate::identity::question::answers::told;
use crate::identity::{Attempt, Identity, IdentityMap, LockOutOf, Outcome, Proof, Reason, proven, refused};
use crate::names::Kind;

impl IdentityMap {
    pub(crate) async fn bind(&self, attempt: &Attempt<'_>, identity: &Arc<Identity>, kind: Option<Kind>) -> Outcome {
        if let Some(refusal) = self.barred(identity) {
            return refusal;
        }
        if identity.looked_up < attempt.began && self.directories.finds_nobody(identity) {
            return self.look_up_first(attempt).await;
        }
        if !self.guard.admits(identity, &attempt.trial, Instant::now()) {
            return refused(Some(identity), Reason::LockedOut(LockOutOf::PersonAtOnce));
        }
        match self.ask(attempt, identity).await {
            Ok(Verdict::Refused(refusal)) => self.bind_where_it_is_now(attempt, identity, refusal).await,
            Ok(verdict) => self.accept(attempt, identity, kind, verdict).await,
            Err(fault) => self.without_answer(attempt, fault).await,
        }
    }

    /// While a directory is silent, those whom it knows are asked for as those whom it does not know: by a search, whose
    /// time is not that of a bind.
    async fn look_up_first(&self, attempt: &Attempt<'_>) -> Outcome {
        match self.find_anew(attempt).await {
            Ok(found) => Box::pin(self.judge(attempt, &found)).await,
            Err(fault) => self.without_answer(attempt, fault).await,
        }
    }

    pub(crate) async fn ask(&self, attempt: &Attempt<'_>, identity: &Identity) -> Result<Verdict, Fault> {
        let bind = self.directories.bind(identity, attempt.password.clone());
        let answer = self.passwords.once(identity, &attempt.password, attempt.sent, bind).await;
        attempt.steps.note_bind(&identity.dn, &answer);
        answer
    }

    /// A success counts only for the entry that was looked up.
    async fn accept(
        &self,
        attempt: &Attempt<'_>,
        identity: &Arc<Identity>,
        kind: Option<Kind>,
        verdict: Verdict,
    ) -> Outcome {
        match self.is_still_at_its_dn(attempt, identity).await {
            Ok(true) => self.settle(attempt, identity, kind, verdict),
            Ok(false) => self.start_anew(attempt, &identity.id).await,
            Err(fault) => self.without_answer(attempt, fault).await,
        }
    }

    /// Whether a bind under the person's DN was a bind as the person: a DN can be given to a successor. What was read in
    /// the course of this login needs no second look.
    pub(crate) async fn is_still_at_its_dn(&self, attempt: &Attempt<'_>, person: &Identity) -> Result<bool, Fault> {
        if person.looked_up >= attempt.began {
            return Ok(true);
        }
        self.directories.is_still_theirs(person).await
    }

    /// The DN of a cached person is somebody else's by now: the login begins again, by its name, and so does every other
    /// name of that person.
    pub(crate) async fn start_anew(&self, attempt: &Attempt<'_>, moved: &EntryId) -> Outcome {
        self.flushes.entry_changed(moved.clone());
        self.guard.withdraw(&attempt.trial);
        match self.find_anew(attempt).await {
            Ok(found) => Box::pin(self.judge(attempt, &found)).await,
            Err(fault) => self.without_answer(attempt, fault).await,
        }
    }

    /// A refusal is looked up anew before it is told: an entry that moved has another DN, and that one is bound once. And
    /// where passwords have a policy, a refused bind is itself a change of the entry, which may move its stamp (its
    /// modifyTimestamp, in slapd): the password is held as refused under the stamp behind the bind, or it would soon be tried again.
    async fn bind_where_it_is_now(&self, attempt: &Attempt<'_>, identity: &Arc<Identity>, refusal: Refusal) -> Outcome {
        // Whatever the directory says of the entry next, or fails to say: this password is not believed any more.
        self.passwords.disbelieve(identity, &attempt.password);
        let found = match self.find_anew(attempt).await {
            Ok(found) => found,
            Err(fault) => {
                if refusal.is_of_the_account() {
                    self.passwords.dropped(identity);
                } else {
                    self.passwords.refused_unseen(identity, &attempt.password, Instant::now(), attempt.sent);
                }
                return self.without_answer(attempt, fault).await;
            }
        };
        if found.people().iter().all(|anew| anew.id != identity.id) {
            // Renamed, or gone: then no other name of theirs may lead to the old entry either.
            self.flushes.entry_changed(identity.id.clone());
        }
        let (anew, kind) = match &*found {
            NameOwner::One(anew, kind) => (anew, *kind),
            NameOwner::Nobody | NameOwner::OutsidePolicy | NameOwner::OutsideLimits(_) => {
                return refused(Some(identity), Reason::Nobody);
            }
            NameOwner::Ambiguous(people) => return refused(None, Reason::Ambiguous(told(people.iter()))),
        };
        if let Some(refusal) = self.barred(anew) {
            return refusal;
        }
        if anew.dn.matches(&identity.dn) {
            return self.settle(attempt, anew, kind, Verdict::Refused(refusal));
        }
        match self.ask(attempt, anew).await {
            Ok(verdict) => self.settle(attempt, anew, kind, verdict),
            Err(fault) => self.without_answer(attempt, fault).await,
        }
    }

    fn settle(&self, attempt: &Attempt<'_>, identity: &Arc<Identity>, kind: Option<Kind>, verdict: Verdict) -> Outcome {
        match self.conclude(attempt, identity, self.standing(identity).with(verdict)) {
            Ok(proof) => proven(identity, kind, proof, attempt.steps),
            Err(reason) => refused(Some(identity), reason),
        }
    }

    /// A bind was answered, and the entry read: what both say together is cached.
    pub(crate) fn conclude(
        &self,
        attempt: &Attempt<'_>,
        identity: &Identity,
        verdict: Verdict,
    ) -> Result<Proof, Reason> {
        match verdict {
            Verdict::Proven => {
                self.verified(attempt, identity);
                Ok(Proof::Bind)
            }
            Verdict::Grace { left } => {
                self.verified(attempt, identity);
                self.passwords.note_grace(identity);
                Ok(Proof::GraceLogin { left })
            }
            Verdict::Refused(refusal @ (Refusal::WrongPassword | Refusal::WrongOrLocked)) => {
                self.passwords.refused(identity, &attempt.password, Instant::now(), attempt.sent);
                Err(Reason::Directory(refusal))
            }
            Verdict::Refused(refusal) => {
                self.passwords.dropped(identity);
                Err(Reason::Directory(refusal))
            }
        }
    }

    fn verified(&self, attempt: &Attempt<'_>, identity: &Identity) {
        self.passwords.verified(identity, &attempt.password, Instant::now(), attempt.sent);
    }
}

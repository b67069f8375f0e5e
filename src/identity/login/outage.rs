//! While a directory is silent there is one answer for everybody who is not let in by the outage grace: in words, time and
//! counters. Else an outage would tell who exists, and who has logged in of late.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::directory::{Directory, Fault};
use crate::identity::cache::passwords::GraceCheck;
use crate::identity::question::directories::Needed;
use crate::identity::{Attempt, IdentityMap, LockOutOf, Outcome, Proof, Reason, proven};
use crate::names::LoginName;

/// A directory that was heard so short a time ago is not asked whether it answers.
const HEARD_OF_LATE: Duration = Duration::from_secs(1);

impl IdentityMap {
    /// The directory is silent: those within the grace go on working. Nobody is told that their password is wrong.
    pub(crate) async fn without_answer(&self, attempt: &Attempt<'_>, fault: Fault) -> Outcome {
        let Fault::Unavailable { why, silent: true } = fault else { return Outcome::unanswered(fault) };
        let Some(identity) = self.names.last(&attempt.login).await.filter(|last| self.standing(last).is_free()) else {
            return Outcome::Unavailable(why);
        };
        // In the words of an outage, as for a wrong password.
        if let Some(reason) = attempt.owner.rejects(&identity) {
            return Outcome::Unavailable(format!("{why}; {reason}"));
        }
        // In the words of an outage, as for names that nobody has.
        if self.guard.shuts_out(&identity, &attempt.trial, Instant::now()) {
            return Outcome::Unavailable(format!("{why}; locked out: {}", LockOutOf::Person));
        }
        match self.passwords.bridges_outage(&identity, &attempt.password, Instant::now()) {
            GraceCheck::Yes => return proven(&identity, None, Proof::Grace, attempt.steps),
            GraceCheck::OtherPassword => attempt.trial.wrong_in_outage(&identity),
            GraceCheck::No => {}
        }
        Outcome::Unavailable(why)
    }

    /// A refusal stands only while the directories answer that it rests on: from memory, a name that nobody has would else
    /// be told apart from a person, whose password cannot be judged.
    pub(crate) async fn unless_silent(&self, outcome: Outcome, login: Option<&LoginName>, began: Instant) -> Outcome {
        let Outcome::Refused(refused) = &outcome else { return outcome };
        if !refused.reason.rests_on_a_directory() {
            return outcome;
        }
        let person = refused.identity.as_ref();
        let answered = self.directories.confirm(
            |directory| match (person, login) {
                (Some(person), _) => *directory.settings().name == *person.id.directory(),
                (None, Some(login)) => self.is_asked_for(directory, login),
                (None, None) => true,
            },
            refused.reason.needed(),
            began.checked_sub(HEARD_OF_LATE).unwrap_or(began),
        );
        match answered.await.map_err(Outcome::unanswered) {
            Ok(()) => outcome,
            Err(Outcome::Unavailable(why)) => Outcome::Unavailable(format!("{why}; from memory: {}", refused.reason)),
            Err(other) => other,
        }
    }

    /// The same for whatever is about to be said of a name that leads to no one person.
    pub(crate) async fn answer_for(&self, login: &LoginName, began: Instant) -> Result<(), Fault> {
        let since = began.checked_sub(HEARD_OF_LATE).unwrap_or(began);
        self.directories.confirm(|directory| self.is_asked_for(directory, login), Needed::All, since).await
    }

    fn is_asked_for(&self, directory: &Directory, login: &LoginName) -> bool {
        let settings = directory.settings();
        !settings.names.narrow(self.settings.policy.look_up(login, &settings.base)).is_empty()
    }

    /// What is not let in while a directory is silent counts for its network, whoever is meant, for as long as anybody may be
    /// let in by the grace: as a wrong password does that is seen to be wrong.
    pub(crate) fn note_outage(&self, attempt: &Attempt<'_>, outcome: &Outcome) {
        let is_unanswered = matches!(outcome, Outcome::Unavailable(_));
        if is_unanswered && self.directories.fell_silent_within(self.settings.cache.outage_grace) {
            Arc::as_ref(&attempt.trial).note_outage();
        }
    }
}

impl Reason {
    /// Several people are several, whoever else there may be.
    fn needed(&self) -> Needed {
        match self {
            Self::Ambiguous(_) | Self::CertificateOfSeveral(_) | Self::PasswordOfSeveral(_) => Needed::One,
            _ => Needed::All,
        }
    }

    /// Whether a directory's answer would be needed for it, were it not cached. Whoever is locked out with their whole
    /// network, and whatever no directory is asked for, tells nothing of who exists.
    fn rests_on_a_directory(&self) -> bool {
        match self {
            Self::OutsideLimits(why) => why != crate::identity::question::query::NO_DIRECTORY,
            Self::LockedOut(of) => *of != LockOutOf::Network,
            Self::NoName(_)
            | Self::NoPassword(_)
            | Self::OutsidePolicy
            | Self::FromElsewhere
            | Self::NoCertificate(_)
            | Self::NoTokens
            | Self::NoToken(_)
            | Self::Token(_) => false,
            _ => true,
        }
    }
}

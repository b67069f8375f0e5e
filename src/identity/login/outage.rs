//! While a directory is silent, everybody who is not let in by the outage grace gets the same answer, with the same
//! words, time and counters. Otherwise an outage would show who exists, and who has logged in recently.

use std::time::{Duration, Instant};

use super::LoginContext;
use crate::directory::{Directory, Fault};
use crate::identity::question::Needed;
use crate::identity::verdict::{
    CertificateReason, LockOutOf, NameReason, Outcome, OutsideLimits, PasswordReason, Reason, TokenReason, Trace,
};
use crate::names::LoginName;

/// A directory that has answered within this time is not asked whether it answers.
const ANSWERED_LATELY: Duration = Duration::from_secs(1);

impl LoginContext {
    /// A refusal is final only while the directories on which it relies answer. Otherwise an unknown name, refused from
    /// the cache, could be distinguished from a person, whose password cannot be judged.
    pub(super) async fn unless_silent(&self, outcome: Outcome, login: Option<&LoginName>, began: Instant) -> Outcome {
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
            began.checked_sub(ANSWERED_LATELY).unwrap_or(began),
        );
        match answered.await.map_err(Outcome::from) {
            Ok(()) => outcome,
            Err(Outcome::Unavailable(why)) => Outcome::Unavailable(format!("{why}; from memory: {}", refused.reason)),
            Err(other) => other,
        }
    }

    /// The same for a challenge to a name that does not lead to one person.
    pub(super) async fn confirm_directories_of(&self, login: &LoginName, began: Instant) -> Result<(), Fault> {
        let since = began.checked_sub(ANSWERED_LATELY).unwrap_or(began);
        self.directories.confirm(|directory| self.is_asked_for(directory, login), Needed::All, since).await
    }

    fn is_asked_for(&self, directory: &Directory, login: &LoginName) -> bool {
        !self.query(login, Trace::OFF).look_up_in(directory.settings()).is_empty()
    }
}

impl Reason {
    /// If several people were found, it does not matter who else has the name.
    fn needed(&self) -> Needed {
        match self {
            Self::Name(NameReason::Ambiguous(_))
            | Self::Certificate(CertificateReason::OfSeveral(_))
            | Self::Password(PasswordReason::OfSeveral(_)) => Needed::One,
            _ => Needed::All,
        }
    }

    /// Whether it would need a directory's answer if nothing were cached. A lock-out of the whole network reveals
    /// nothing about who exists, nor does anything for which no directory is asked, nor an authorization identity that
    /// comes with a right password.
    fn rests_on_a_directory(&self) -> bool {
        match self {
            Self::Name(reason) => !matches!(
                reason,
                NameReason::Invalid(_) | NameReason::OutsidePolicy | NameReason::OutsideLimits(OutsideLimits::Name)
            ),
            Self::Password(reason) => {
                !matches!(reason, PasswordReason::Invalid(_) | PasswordReason::OtherAuthorization)
            }
            Self::Certificate(reason) => !matches!(reason, CertificateReason::Missing(_)),
            Self::Token(reason) => {
                matches!(reason, TokenReason::NotToTheLetter | TokenReason::OtherAuthorization)
            }
            Self::LockedOut(of) => *of != LockOutOf::Network,
            Self::Account(_) => true,
            Self::AddressNotAllowed => false,
        }
    }
}

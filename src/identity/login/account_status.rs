//! Whether a person may log in at all, by what their entry says.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::directory::{Refusal, Verdict};
use crate::identity::cache::passwords::LastProof;
use crate::identity::{Identity, IdentityMap, Outcome, Reason, refused};

/// A proof that followed the beginning of a lock this closely may as well have come before it: clocks differ, and
/// directories write whole seconds. Then a bind decides.
const CLOCKS_DIFFER: Duration = Duration::from_secs(5 * 60);

/// How a person stands with the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountStatus {
    /// Nothing speaks against them.
    Free,
    /// The entry speaks against them, and only a bind can tell that it is over, or is waived.
    Doubted(Refusal),
    /// They may not log in.
    Barred(Reason),
}

impl AccountStatus {
    /// Whether nothing speaks against them.
    #[must_use]
    pub fn is_free(&self) -> bool {
        *self == Self::Free
    }

    /// What the answer to a bind means for somebody who stands so.
    ///
    /// A bind that succeeds proves that a lock is over. That an expired password is waived it proves only if it says so.
    /// Locked accounts often answer as if the password were wrong, even the right one.
    pub(crate) fn with(self, verdict: Verdict) -> Verdict {
        match (self, verdict) {
            (Self::Doubted(Refusal::PasswordExpired), Verdict::Proven) => Verdict::Refused(Refusal::PasswordExpired),
            (Self::Doubted(Refusal::Locked), Verdict::Refused(Refusal::WrongPassword | Refusal::WrongOrLocked)) => {
                Verdict::Refused(Refusal::Locked)
            }
            (_, verdict) => verdict,
        }
    }
}

impl fmt::Display for AccountStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Free => f.write_str("nothing in the entry speaks against a login"),
            Self::Doubted(refusal) => write!(f, "{refusal}, unless a bind says otherwise"),
            Self::Barred(reason) => reason.fmt(f),
        }
    }
}

impl IdentityMap {
    /// How a person stands now.
    pub(crate) fn standing(&self, identity: &Identity) -> AccountStatus {
        if let Some(exclusion) = &identity.exclusion {
            return AccountStatus::Barred(Reason::Excluded(exclusion.clone()));
        }
        let Some(barred) = identity.account.barred(SystemTime::now()) else { return AccountStatus::Free };
        match barred.unless_proven_since {
            None => AccountStatus::Barred(Reason::Directory(barred.refusal)),
            Some(since) if self.is_waived(identity, &barred.refusal, since) => AccountStatus::Free,
            Some(_) => AccountStatus::Doubted(barred.refusal),
        }
    }

    /// Whether the held password was proven in spite of what the entry says.
    fn is_waived(&self, identity: &Identity, refusal: &Refusal, since: SystemTime) -> bool {
        let waives = |proof: LastProof| match refusal {
            Refusal::PasswordExpired => proof.by_grace,
            _ => proof.at > since + CLOCKS_DIFFER,
        };
        self.passwords.last_proof(identity).is_some_and(waives)
    }

    /// Why a person may not log in where no bind follows that could settle a doubt. What is held of their password is
    /// dropped at once.
    pub(crate) fn bars(&self, identity: &Identity) -> Option<Reason> {
        let reason = match self.standing(identity) {
            AccountStatus::Free => return None,
            AccountStatus::Doubted(refusal) => Reason::Directory(refusal),
            AccountStatus::Barred(reason) => reason,
        };
        self.passwords.dropped(identity);
        Some(reason)
    }

    /// The refusal of a person who may not log in. What is held of their password is dropped at once, in doubt too: then
    /// a bind decides.
    pub(crate) fn barred(&self, identity: &Arc<Identity>) -> Option<Outcome> {
        match self.standing(identity) {
            AccountStatus::Free => None,
            AccountStatus::Doubted(_) => {
                self.passwords.dropped(identity);
                None
            }
            AccountStatus::Barred(reason) => {
                self.passwords.dropped(identity);
                Some(refused(Some(identity), reason))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entry_and_bind_together() {
        let refused = Verdict::Refused;
        let grace = Verdict::Grace { left: 1 };
        for (doubt, bind, verdict) in [
            (Refusal::Locked, Verdict::Proven, Verdict::Proven),
            (Refusal::Locked, refused(Refusal::WrongPassword), refused(Refusal::Locked)),
            (Refusal::Locked, refused(Refusal::Disabled), refused(Refusal::Disabled)),
            (Refusal::PasswordExpired, Verdict::Proven, refused(Refusal::PasswordExpired)),
            (Refusal::PasswordExpired, grace.clone(), grace.clone()),
            (Refusal::PasswordExpired, refused(Refusal::WrongPassword), refused(Refusal::WrongPassword)),
        ] {
            assert_eq!(AccountStatus::Doubted(doubt.clone()).with(bind.clone()), verdict, "{doubt}, {bind:?}");
        }
        assert_eq!(AccountStatus::Free.with(refused(Refusal::WrongPassword)), refused(Refusal::WrongPassword));
    }
}

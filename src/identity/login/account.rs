//! Whether an account may log in, by what its entry says and by the last proof of its password.

use std::time::{Duration, SystemTime};

use super::LoginContext;
use crate::directory::DirectoryRefusal;
use crate::identity::cache::LastProof;
use crate::identity::person::Identity;
use crate::identity::verdict::{AccountReason, AccountStatus, Reason};

/// A proof that followed the beginning of a lock this closely may really have come before it: clocks differ, and
/// directories write whole seconds. Then a bind decides.
const CLOCKS_DIFFER: Duration = Duration::from_secs(5 * 60);

/// What happens if an entry bars a login, but a bind may show that the reason is over.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doubt {
    /// A bind follows, which decides.
    LeftToBind,
    /// No bind follows: the login is refused.
    Refused,
}

impl LoginContext {
    /// The state of a person's account now.
    pub(super) fn account_status(&self, person: &Identity) -> AccountStatus {
        if let Some(exclusion) = &person.exclusion {
            return AccountStatus::Barred(Reason::Account(AccountReason::Excluded(exclusion.clone())));
        }
        let Some(barred) = person.account.barred(SystemTime::now()) else { return AccountStatus::Usable };
        match barred.unless_proven_since {
            None => AccountStatus::Barred(barred.refusal.into()),
            Some(since) if self.is_waived(person, &barred.refusal, since) => AccountStatus::Usable,
            Some(_) => AccountStatus::Doubted(barred.refusal),
        }
    }

    /// Whether the cached password was proven in spite of what the entry says.
    fn is_waived(&self, person: &Identity, refusal: &DirectoryRefusal, since: SystemTime) -> bool {
        let waives = |proof: LastProof| match refusal {
            DirectoryRefusal::PasswordExpired => proof.by_grace,
            _ => proof.at > since + CLOCKS_DIFFER,
        };
        self.caches.passwords.last_proof(person).is_some_and(waives)
    }

    /// Whether a person may log in. If the entry bars them, even in doubt, their cached password is dropped at once.
    pub(super) fn check_account(&self, person: &Identity, doubt: Doubt) -> Result<(), Reason> {
        let result = match self.account_status(person) {
            AccountStatus::Usable => return Ok(()),
            AccountStatus::Doubted(_) if doubt == Doubt::LeftToBind => Ok(()),
            AccountStatus::Doubted(refusal) => Err(refusal.into()),
            AccountStatus::Barred(reason) => Err(reason),
        };
        self.caches.passwords.record_barred(person);
        result
    }
}

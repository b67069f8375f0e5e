//! Whether a person may log in at all, as far as the entry says.

use std::fmt;

use super::Reason;
use crate::directory::{DirectoryRefusal, Verdict};

/// The state of a person's account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountStatus {
    /// Nothing in the entry bars a login.
    Usable,
    /// The entry bars a login, but a bind can show that the reason is over or waived.
    Doubted(DirectoryRefusal),
    /// The person may not log in.
    Barred(Reason),
}

impl AccountStatus {
    /// Whether nothing in the entry bars a login.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        *self == Self::Usable
    }

    /// The verdict of a bind on an account in this state.
    ///
    /// A bind that succeeds proves that a lock is over. It proves that an expired password is waived only if it says
    /// so. Locked accounts often answer as if the password were wrong, even to the right one.
    pub(crate) fn with(self, verdict: Verdict) -> Verdict {
        match (self, verdict) {
            (Self::Doubted(DirectoryRefusal::PasswordExpired), Verdict::Proven) => {
                Verdict::Refused(DirectoryRefusal::PasswordExpired)
            }
            (
                Self::Doubted(DirectoryRefusal::Locked),
                Verdict::Refused(DirectoryRefusal::WrongPassword | DirectoryRefusal::WrongOrLocked),
            ) => Verdict::Refused(DirectoryRefusal::Locked),
            (_, verdict) => verdict,
        }
    }
}

impl fmt::Display for AccountStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usable => f.write_str("nothing in the entry prevents a login"),
            Self::Doubted(refusal) => write!(f, "{refusal}, unless a bind says otherwise"),
            Self::Barred(reason) => reason.fmt(f),
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
            (DirectoryRefusal::Locked, Verdict::Proven, Verdict::Proven),
            (DirectoryRefusal::Locked, refused(DirectoryRefusal::WrongPassword), refused(DirectoryRefusal::Locked)),
            (DirectoryRefusal::Locked, refused(DirectoryRefusal::Disabled), refused(DirectoryRefusal::Disabled)),
            (DirectoryRefusal::PasswordExpired, Verdict::Proven, refused(DirectoryRefusal::PasswordExpired)),
            (DirectoryRefusal::PasswordExpired, grace.clone(), grace.clone()),
            (
                DirectoryRefusal::PasswordExpired,
                refused(DirectoryRefusal::WrongPassword),
                refused(DirectoryRefusal::WrongPassword),
            ),
        ] {
            assert_eq!(AccountStatus::Doubted(doubt.clone()).with(bind.clone()), verdict, "{doubt}, {bind:?}");
        }
        assert_eq!(
            AccountStatus::Usable.with(refused(DirectoryRefusal::WrongPassword)),
            refused(DirectoryRefusal::WrongPassword)
        );
    }
}

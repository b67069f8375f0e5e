//! Whether a person may log in at all, as far as the entry says.

use std::fmt;

use super::Reason;
use crate::directory::{Refusal, Verdict};

/// The state of a person's account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountStatus {
    /// Nothing in the entry bars a login.
    Usable,
    /// The entry bars a login, but a bind can show that the reason is over or waived.
    Doubted(Refusal),
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
            Self::Usable => f.write_str("nothing in the entry speaks against a login"),
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
            (Refusal::Locked, Verdict::Proven, Verdict::Proven),
            (Refusal::Locked, refused(Refusal::WrongPassword), refused(Refusal::Locked)),
            (Refusal::Locked, refused(Refusal::Disabled), refused(Refusal::Disabled)),
            (Refusal::PasswordExpired, Verdict::Proven, refused(Refusal::PasswordExpired)),
            (Refusal::PasswordExpired, grace.clone(), grace.clone()),
            (Refusal::PasswordExpired, refused(Refusal::WrongPassword), refused(Refusal::WrongPassword)),
        ] {
            assert_eq!(AccountStatus::Doubted(doubt.clone()).with(bind.clone()), verdict, "{doubt}, {bind:?}");
        }
        assert_eq!(AccountStatus::Usable.with(refused(Refusal::WrongPassword)), refused(Refusal::WrongPassword));
    }
}

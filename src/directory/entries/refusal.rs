//! Why a directory refuses a person: what the answer to a bind says, or the state of the account.

use std::fmt;

/// Why a person was refused, as far as the directory says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DirectoryRefusal {
    /// Not this person's password.
    WrongPassword,
    /// Not this person's password, or the account is locked: a password policy is in force, and neither the answer nor
    /// the entry says which.
    WrongOrLocked,
    /// The entry is gone, or moved.
    NoSuchEntry,
    /// Not at this hour, or not from this machine.
    NotHereNotNow,
    /// The password is too old.
    PasswordExpired,
    /// The account is switched off.
    Disabled,
    /// The account has expired.
    AccountExpired,
    /// The account is not valid yet.
    NotYet,
    /// The password must be changed first.
    MustChange,
    /// The account is locked.
    Locked,
    /// Something else; in the directory's own words.
    Other(String),
}

impl DirectoryRefusal {
    /// Whether it is about the account, and so applies to every password, not only to the one that was sent.
    #[must_use]
    pub fn is_of_the_account(&self) -> bool {
        !matches!(self, Self::WrongPassword | Self::WrongOrLocked)
    }
}

impl fmt::Display for DirectoryRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WrongPassword => "wrong password",
            Self::WrongOrLocked => "wrong password, or locked: this directory does not say which",
            Self::NoSuchEntry => "the entry is gone",
            Self::NotHereNotNow => "not allowed at this hour or from this machine",
            Self::PasswordExpired => "password expired",
            Self::Disabled => "account disabled",
            Self::AccountExpired => "account expired",
            Self::NotYet => "account not valid yet",
            Self::MustChange => "password must be changed first",
            Self::Locked => "account locked",
            Self::Other(words) => words,
        })
    }
}

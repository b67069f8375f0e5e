//! Passwords and tokens as types that cannot be printed.
//!
//! A [`Password`] can be sent to the directory and compared by a keyed hash, a [`Token`] can be verified; neither can be
//! printed, in any build.

mod token;

use std::fmt;

use zeroize::Zeroizing;

pub use token::{Token, TokenFault};

/// A password as a person typed it: not empty, UTF-8, without NUL. Wiped from memory when dropped.
///
/// An empty one cannot be built: to a directory, a bind with a name and an empty password is an *unauthenticated* bind
/// that may succeed (RFC 4513 §5.1.2), and would let anybody in.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(Zeroizing<String>);

/// Why octets are not a [`Password`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordFault {
    /// No octets at all.
    Empty,
    /// Not UTF-8, which RFC 4513 §5.1.3 requires of a password sent to a directory.
    NotUtf8,
    /// Contains a NUL, which no mechanism can carry.
    Nul,
}

impl Password {
    /// Takes the octets of a password; wipes them if they are not one.
    ///
    /// # Errors
    /// See [`PasswordFault`].
    pub fn new(octets: Vec<u8>) -> Result<Self, PasswordFault> {
        let text = match String::from_utf8(octets) {
            Ok(text) => Zeroizing::new(text),
            Err(fault) => {
                drop(Zeroizing::new(fault.into_bytes()));
                return Err(PasswordFault::NotUtf8);
            }
        };
        if text.is_empty() {
            return Err(PasswordFault::Empty);
        }
        if text.contains('\0') {
            return Err(PasswordFault::Nul);
        }
        Ok(Self(text))
    }

    /// The password itself, for code that must send or hash it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

impl fmt::Display for PasswordFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "empty password",
            Self::NotUtf8 => "password is not UTF-8",
            Self::Nul => "password contains a NUL",
        })
    }
}

impl std::error::Error for PasswordFault {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_printed() {
        let password = Password::new(b"correct horse".to_vec()).unwrap();
        assert_eq!(format!("{password:?}"), "Password(…)");
        assert_eq!(password.expose(), "correct horse");
    }

    #[test]
    fn malformed_passwords_cannot_be_built() {
        assert_eq!(Password::new(vec![]), Err(PasswordFault::Empty));
        assert_eq!(Password::new(vec![0xff]), Err(PasswordFault::NotUtf8));
        assert_eq!(Password::new(b"a\0b".to_vec()), Err(PasswordFault::Nul));
    }
}

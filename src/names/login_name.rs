//! A login name as it was typed.

use std::fmt;

/// What a person typed as their name: trimmed, of bounded length, without control characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LoginName(String);

/// Why some octets are no login name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginNameFault {
    /// Nothing but blanks.
    Empty,
    /// Longer than [`LoginName::MOST`].
    TooLong,
    /// Not UTF-8.
    NotUtf8,
    /// Holds a control character.
    Control,
}

impl LoginName {
    /// The longest name taken, in octets: a DN of many parts fits.
    pub const MOST: usize = 512;

    /// Takes the octets of a USER command or a SASL response.
    ///
    /// # Errors
    /// See [`LoginNameFault`].
    pub fn new(octets: &[u8]) -> Result<Self, LoginNameFault> {
        let text = std::str::from_utf8(octets).map_err(|_| LoginNameFault::NotUtf8)?.trim();
        if text.is_empty() {
            return Err(LoginNameFault::Empty);
        }
        if text.len() > Self::MOST {
            return Err(LoginNameFault::TooLong);
        }
        if text.chars().any(char::is_control) {
            return Err(LoginNameFault::Control);
        }
        Ok(Self(text.to_owned()))
    }

    /// The name, trimmed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LoginName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for LoginNameFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "empty login name",
            Self::TooLong => "login name too long",
            Self::NotUtf8 => "login name is not UTF-8",
            Self::Control => "login name holds a control character",
        })
    }
}
impl std::error::Error for LoginNameFault {}

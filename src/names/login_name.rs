//! A login name as it was typed.

use std::fmt;
use std::sync::Arc;

/// What a person typed as their name: trimmed, of bounded length, without control characters. A copy costs no memory.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LoginName(Arc<str>);

/// Why octets are not a login name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginNameFault {
    /// Nothing but blanks.
    Empty,
    /// Longer than [`LoginName::MOST`].
    TooLong,
    /// Not UTF-8.
    NotUtf8,
    /// Contains a control character.
    Control,
}

impl LoginName {
    /// The longest name accepted, in octets: enough for a DN of many parts.
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
        Ok(Self(Arc::from(text)))
    }

    /// What was typed as a name, valid or not, in the form in which it is logged and counted: trimmed, and cut at
    /// [`Self::MOST`] octets, so that a stranger's long lines fill neither log nor memory.
    #[must_use]
    pub fn as_typed(octets: &[u8]) -> String {
        let octets = octets.trim_ascii();
        let Some((kept, _)) = octets.split_at_checked(Self::MOST).filter(|(_, rest)| !rest.is_empty()) else {
            return String::from_utf8_lossy(octets).trim().to_owned();
        };
        // Do not cut within a character.
        let kept = match std::str::from_utf8(kept) {
            Err(fault) if fault.error_len().is_none() => kept.get(..fault.valid_up_to()).unwrap_or(kept),
            _ => kept,
        };
        String::from_utf8_lossy(kept).trim().to_owned() + "…"
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
            Self::Control => "login name contains a control character",
        })
    }
}
impl std::error::Error for LoginNameFault {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_is_cut_between_characters() {
        for (typed, kept) in [
            (" ajones \t".to_owned(), "ajones".to_owned()),
            ("a".repeat(512), "a".repeat(512)),
            ("a".repeat(513), "a".repeat(512) + "…"),
            ("ä".repeat(300), "ä".repeat(256) + "…"),
            (format!("{}{}", "a".repeat(511), "ä".repeat(300)), "a".repeat(511) + "…"),
            ("\0".repeat(9_000), "\0".repeat(512) + "…"),
            (" ".repeat(9_000), String::new()),
        ] {
            assert_eq!(LoginName::as_typed(typed.as_bytes()), kept);
        }
        assert_eq!(LoginName::as_typed(&[0xff; 9_000]), "\u{fffd}".repeat(512) + "…");
    }
}

//! A bearer token: whoever has it can log in, so it is treated like a password.

use std::fmt;

use zeroize::Zeroizing;

/// A bearer token as a client sent it. Wiped from memory when dropped, never printed.
pub struct Token(Zeroizing<String>);

/// Why octets are not a [`Token`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenFault {
    /// No octets at all: in this way clients ask what kind of token is required (RFC 7628 §4.3).
    Empty,
    /// Contains characters that a token may not have.
    Malformed,
}

impl Token {
    /// Takes the octets of a token: `b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`
    /// (RFC 6750 §2.1).
    ///
    /// # Errors
    /// See [`TokenFault`].
    pub fn new(octets: &[u8]) -> Result<Self, TokenFault> {
        if octets.is_empty() {
            return Err(TokenFault::Empty);
        }
        let body = octets.iter().position(|octet| *octet == b'=').unwrap_or(octets.len());
        let (body, padding) = octets.split_at(body);
        let is_sound = |octet: &u8| octet.is_ascii_alphanumeric() || b"-._~+/".contains(octet);
        if body.is_empty() || !body.iter().all(is_sound) || !padding.iter().all(|octet| *octet == b'=') {
            return Err(TokenFault::Malformed);
        }
        Ok(Self(Zeroizing::new(octets.iter().copied().map(char::from).collect())))
    }

    /// The token itself, for code that must verify it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl fmt::Display for TokenFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "no token",
            Self::Malformed => "not a token",
        })
    }
}

impl std::error::Error for TokenFault {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_never_printed() {
        let token = Token::new(b"eyJ.abc-_~+/9.x==").unwrap();
        assert_eq!((format!("{token:?}").as_str(), token.expose()), ("Token(…)", "eyJ.abc-_~+/9.x=="));
    }

    #[test]
    fn malformed_tokens_cannot_be_built() {
        assert_eq!(Token::new(b"").unwrap_err(), TokenFault::Empty);
        for octets in [&b"="[..], b"a b", b"a=b", b"a\n", "ä".as_bytes(), b"a,b", b"\"a\""] {
            assert_eq!(Token::new(octets).unwrap_err(), TokenFault::Malformed, "{octets:?}");
        }
    }
}

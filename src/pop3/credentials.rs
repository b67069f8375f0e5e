//! The credentials that a client sends to log in.

use std::fmt;

use crate::secret::{Password, PasswordFault, Token, TokenFault};

/// A login name and a password, as received.
pub struct Credentials {
    /// The login name as typed, in any octets.
    pub login: Vec<u8>,
    /// The authorization identity (RFC 4422 §3.4.1), in any octets; empty if the client leaves it to the login name.
    pub authorization: Vec<u8>,
    /// The password, or why the octets sent cannot be one.
    pub password: Result<Password, PasswordFault>,
    /// How they were sent.
    pub mechanism: Mechanism,
}

/// A bearer token, as received.
pub struct TokenCredentials {
    /// The authorization identity, in any octets; empty if the client leaves it to the token.
    pub authorization: Vec<u8>,
    /// The token, or why the octets sent cannot be one.
    pub token: Result<Token, TokenFault>,
    /// How it was sent.
    pub mechanism: Mechanism,
}

/// How credentials were sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mechanism {
    /// USER and PASS (RFC 1939 §7).
    User,
    /// SASL PLAIN (RFC 4616).
    Plain,
    /// SASL LOGIN, which never became a standard, but is all that some clients know.
    Login,
    /// SASL EXTERNAL (RFC 4422 appendix A): the certificate shown under TLS.
    External,
    /// SASL SCRAM-SHA-256 (RFC 7677).
    ScramSha256,
    /// The same, bound to the TLS connection.
    ScramSha256Plus,
    /// SASL OAUTHBEARER (RFC 7628): a bearer token.
    OauthBearer,
    /// SASL XOAUTH2, Google's predecessor of it.
    Xoauth2,
}

impl Mechanism {
    /// Its name, as the log and the metrics write it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::User => "USER",
            Self::Plain => "PLAIN",
            Self::Login => "LOGIN",
            Self::External => "EXTERNAL",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha256Plus => "SCRAM-SHA-256-PLUS",
            Self::OauthBearer => "OAUTHBEARER",
            Self::Xoauth2 => "XOAUTH2",
        }
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

//! Why a token does not count.

use std::fmt;

/// Why a token does not count: the true reason, for the log only.
///
/// What stands in a token that is not verified may be anything. It is told in quotes, escaped and cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is none that could be read; why.
    NotReadable(&'static str),
    /// It wants to be understood in a way that nobody here knows (RFC 7515 §4.1.11).
    Critical,
    /// It names no issuer that is configured.
    Issuer(Option<String>),
    /// It is signed by an algorithm that is not configured, or by none.
    Algorithm(Option<String>),
    /// It names a key that the issuer does not have.
    KeyId(String),
    /// No key of the issuer is for the algorithm that it is signed by.
    NoKey(String),
    /// No key of the issuer made its signature.
    Signature,
    /// It is meant for somebody else.
    Audience(Vec<String>),
    /// It has no end.
    Endless,
    /// It has ended so many seconds ago.
    Expired(u64),
    /// It does not hold for so many seconds yet.
    NotYetValid(u64),
    /// It does not tell when it was issued, but only young ones count.
    NoBirth,
    /// It was issued so many seconds ago, which is too long.
    TooOld(u64),
    /// It was issued so many seconds in the future.
    Unborn(u64),
    /// It is not good for what is wanted here.
    Scope(String),
    /// It does not have the claim that says who it is, as a text.
    NoClaim(String),
    /// Its issuer says that the mail address was not verified.
    MailNotVerified,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotReadable(why) => write!(f, "no token that could be read: {why}"),
            Self::Critical => f.write_str("token wants an extension that is not known here (crit)"),
            Self::Issuer(None) => f.write_str("token names no issuer"),
            Self::Issuer(Some(name)) => write!(f, "token of an issuer that is not configured: {}", quoted(name)),
            Self::Algorithm(None) => f.write_str("token names no algorithm"),
            Self::Algorithm(Some(name)) => write!(f, "token by an algorithm that is not allowed: {}", quoted(name)),
            Self::KeyId(id) => write!(f, "token by a key that the issuer's files do not hold: kid {}", quoted(id)),
            Self::NoKey(name) => write!(f, "no key of the issuer is for the token's algorithm {}", quoted(name)),
            Self::Signature => f.write_str("token with a wrong signature"),
            Self::Audience(audience) => {
                let audience: Vec<String> = audience.iter().map(|one| quoted(one)).collect();
                write!(f, "token for another audience: {}", audience.join(", "))
            }
            Self::Endless => f.write_str("token without an end (exp)"),
            Self::Expired(seconds) => write!(f, "token expired {seconds} s ago"),
            Self::NotYetValid(seconds) => write!(f, "token not valid for another {seconds} s (nbf)"),
            Self::NoBirth => f.write_str("token does not tell when it was issued (iat), and max_age is configured"),
            Self::TooOld(seconds) => write!(f, "token issued {seconds} s ago, which is longer than max_age"),
            Self::Unborn(seconds) => write!(f, "token issued {seconds} s in the future (iat)"),
            Self::Scope(scope) => write!(f, "token without the scope {scope}"),
            Self::NoClaim(claim) => write!(f, "token without the claim {claim} as a text"),
            Self::MailNotVerified => f.write_str("token's mail address was not verified by its issuer"),
        }
    }
}

/// So much of a strange text is told, in characters.
const TOLD: usize = 100;

fn quoted(text: &str) -> String {
    format!("{:?}", text.chars().take(TOLD).collect::<String>())
}

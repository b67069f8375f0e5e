//! Why a token is rejected.

use std::fmt;

/// Why a token is rejected: the true reason, for the log only.
///
/// The content of an unverified token may be anything. It is quoted, escaped and cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenRefusal {
    /// It is malformed; why.
    NotReadable(&'static str),
    /// It requires an extension that is not supported (RFC 7515 §4.1.11).
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
    /// It is for another audience.
    Audience(Vec<String>),
    /// It never expires.
    Endless,
    /// It expired this many seconds ago.
    Expired(u64),
    /// It becomes valid in this many seconds.
    NotYetValid(u64),
    /// It does not say when it was issued, which `max_age` requires.
    NoBirth,
    /// It was issued this many seconds ago, which is too long.
    TooOld(u64),
    /// It was issued this many seconds in the future.
    Unborn(u64),
    /// It lacks the required scope.
    Scope(String),
    /// It lacks the claim that identifies the person, as a string.
    NoClaim(String),
    /// Its issuer says that the mail address was not verified.
    MailNotVerified,
}

impl fmt::Display for TokenRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotReadable(why) => write!(f, "malformed token: {why}"),
            Self::Critical => f.write_str("token requires an unsupported extension (crit)"),
            Self::Issuer(None) => f.write_str("token names no issuer"),
            Self::Issuer(Some(name)) => write!(f, "token of an issuer that is not configured: {}", quoted(name)),
            Self::Algorithm(None) => f.write_str("token names no algorithm"),
            Self::Algorithm(Some(name)) => {
                write!(f, "token signed with an algorithm that is not allowed: {}", quoted(name))
            }
            Self::KeyId(id) => {
                write!(f, "token signed with a key that is not in the issuer's files: kid {}", quoted(id))
            }
            Self::NoKey(name) => write!(f, "no key of the issuer is for the token's algorithm {}", quoted(name)),
            Self::Signature => f.write_str("token with a wrong signature"),
            Self::Audience(audience) => {
                let audience: Vec<String> = audience.iter().map(|one| quoted(one)).collect();
                write!(f, "token for another audience: {}", audience.join(", "))
            }
            Self::Endless => f.write_str("token without an expiry time (exp)"),
            Self::Expired(seconds) => write!(f, "token expired {seconds} s ago"),
            Self::NotYetValid(seconds) => write!(f, "token not valid for another {seconds} s (nbf)"),
            Self::NoBirth => f.write_str("token without an issue time (iat), which max_age requires"),
            Self::TooOld(seconds) => write!(f, "token issued {seconds} s ago, which is longer than max_age"),
            Self::Unborn(seconds) => write!(f, "token issued {seconds} s in the future (iat)"),
            Self::Scope(scope) => write!(f, "token without the scope {scope}"),
            Self::NoClaim(claim) => write!(f, "token without the claim {claim} as a string"),
            Self::MailNotVerified => f.write_str("token with a mail address that its issuer did not verify"),
        }
    }
}

/// How much of an untrusted text is quoted, in characters.
const TOLD: usize = 100;

fn quoted(text: &str) -> String {
    format!("{:?}", text.chars().take(TOLD).collect::<String>())
}

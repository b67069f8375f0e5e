//! What must be known of an issuer.

use std::path::PathBuf;
use std::time::Duration;

use super::Algorithm;
use crate::names::Kind;

/// An issuer whose tokens are accepted, for what, and how they identify a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The claim `iss`, to the letter.
    pub issuer: String,
    /// What must be among the claim `aud`, to the letter.
    pub audience: String,
    /// Files of public keys: PEM, or a JWK set (RFC 7517).
    pub keys: Vec<PathBuf>,
    /// The algorithms that count; of these a key is used with those that fit its type.
    pub algorithms: Vec<Algorithm>,
    /// The claim that says who it is.
    pub claim: String,
    /// The kind of name that this claim holds.
    pub kind: Kind,
    /// How far the issuer's clock and ours may differ.
    pub leeway: Duration,
    /// How long after it was issued a token counts, whatever its own end; its own end alone if none.
    pub max_age: Option<Duration>,
    /// What must be among the claim `scope` (RFC 8693 §4.2); nothing if none.
    pub required_scope: Option<String>,
    /// Where clients find out how to get a token: the issuer's `OpenID` configuration, sent to clients without a valid token.
    pub openid_configuration: Option<String>,
}

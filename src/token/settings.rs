//! What must be known of an issuer.

use std::path::PathBuf;
use std::time::Duration;

use super::Algorithm;
use crate::names::Kind;

/// An issuer whose tokens are accepted, how they are verified, and how they identify a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The exact value of the claim `iss`.
    pub issuer: String,
    /// The exact value that the claim `aud` must contain.
    pub audience: String,
    /// Files of public keys: PEM, or a JWK set (RFC 7517).
    pub keys: Vec<PathBuf>,
    /// The accepted algorithms; a key is used with those that fit its type.
    pub algorithms: Vec<Algorithm>,
    /// The claim that identifies the person.
    pub claim: String,
    /// The kind of name in this claim.
    pub kind: Kind,
    /// How far the issuer's clock and ours may differ.
    pub leeway: Duration,
    /// How long after it was issued a token is accepted, even if it expires later; none: until it expires.
    pub max_age: Option<Duration>,
    /// A value that the claim `scope` must contain (RFC 8693 §4.2); none: scopes are not checked.
    pub required_scope: Option<String>,
    /// Where clients find out how to get a token: the issuer's `OpenID` configuration, sent to clients without a valid token.
    pub openid_configuration: Option<String>,
}

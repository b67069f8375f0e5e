//! One issuer's judgement of a token.

use std::sync::Arc;
use std::time::SystemTime;

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, TokenData, Validation, decode};
use serde_json::{Map, Value};

use super::claims::TokenClaims;
use super::key::VerificationKey;
use super::unverified::Unverified;
use super::{Settings, TokenRefusal};
use crate::names::Kind;
use crate::secret::Token;

/// The person that a token identifies, according to its issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bearer {
    /// Its issuer.
    pub issuer: Arc<str>,
    /// What the configured claim says.
    pub name: String,
    /// The kind of name that this is.
    pub kind: Kind,
}

/// A rejected token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedToken {
    /// The reason.
    pub refusal: TokenRefusal,
    /// The bearer, if the signature is valid.
    pub bearer: Option<Bearer>,
}

impl From<TokenRefusal> for RefusedToken {
    fn from(refusal: TokenRefusal) -> Self {
        Self { refusal, bearer: None }
    }
}

/// Judges a token that names this issuer.
pub(super) fn judge(
    token: &Token,
    unverified: &Unverified,
    settings: &Settings,
    keys: &[VerificationKey],
    now: SystemTime,
) -> Result<Bearer, RefusedToken> {
    let claims = TokenClaims::new(verified(token, unverified, settings, keys)?);
    let bearer = claims.text(&settings.claim).map(|name| Bearer {
        issuer: settings.issuer.as_str().into(),
        name: name.to_owned(),
        kind: settings.kind,
    });
    let judged = claims.judge(settings, now).and_then(|()| claims.name(&settings.claim).map(drop));
    match (judged, bearer) {
        (Ok(()), Some(bearer)) => Ok(bearer),
        (Ok(()), None) => Err(TokenRefusal::NoClaim(settings.claim.clone()).into()),
        (Err(refusal), bearer) => Err(RefusedToken { refusal, bearer }),
    }
}

/// The claims, if a key of the issuer signed them.
fn verified(
    token: &Token,
    unverified: &Unverified,
    settings: &Settings,
    keys: &[VerificationKey],
) -> Result<Map<String, Value>, TokenRefusal> {
    let named = unverified.algorithm();
    let algorithm = named.and_then(|name| name.parse::<Algorithm>().ok());
    let Some(algorithm) = algorithm.filter(|own| settings.algorithms.contains(own)) else {
        return Err(TokenRefusal::Algorithm(named.map(str::to_owned)));
    };
    // "The "kid" (key ID) Header Parameter is a hint indicating which key was used" (RFC 7515 §4.1.4): keys without a
    // name, which come from PEM files, are tried for every token.
    let is_meant = |key: &&VerificationKey| match (unverified.key_id(), &key.id) {
        (Some(wanted), Some(own)) => wanted == own,
        _ => true,
    };
    let meant: Vec<&VerificationKey> = keys.iter().filter(is_meant).collect();
    if let (Some(id), []) = (unverified.key_id(), meant.as_slice()) {
        return Err(TokenRefusal::KeyId(id.to_owned()));
    }
    let mut refusal = TokenRefusal::NoKey(format!("{algorithm:?}"));
    for key in meant.into_iter().filter(|key| key.algorithms.contains(&algorithm)) {
        match decode::<Map<String, Value>>(token.expose(), &key.public, &by_signature_alone(&key.algorithms)) {
            Ok(TokenData { claims, .. }) => return Ok(claims),
            Err(fault) => refusal = refused_by_library(fault.kind()),
        }
    }
    Err(refusal)
}

fn refused_by_library(kind: &ErrorKind) -> TokenRefusal {
    match kind {
        ErrorKind::Json(_) | ErrorKind::Base64(_) | ErrorKind::Utf8(_) => {
            TokenRefusal::NotReadable("a part of it is not valid in a JWT")
        }
        _ => TokenRefusal::Signature,
    }
}

/// Everything but the signature is judged by [`TokenClaims`].
fn by_signature_alone(algorithms: &[Algorithm]) -> Validation {
    let mut validation = Validation::default();
    algorithms.clone_into(&mut validation.algorithms);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation
}

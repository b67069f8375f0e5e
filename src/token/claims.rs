//! The claims of a token whose signature is valid (RFC 7519 §4.1): whether it is for this service, and valid now.
//!
//! The library could check times and audience as well, but only by the machine's clock, and without saying which of
//! them is wrong and by how much.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value};

use super::{Settings, TokenRefusal};

/// The claims of one token.
pub(super) struct TokenClaims(Map<String, Value>);

impl TokenClaims {
    pub(super) fn new(claims: Map<String, Value>) -> Self {
        Self(claims)
    }

    /// Whether the token is for this service and valid now; if not, why.
    pub(super) fn judge(&self, settings: &Settings, now: SystemTime) -> Result<(), TokenRefusal> {
        self.audience(&settings.audience)?;
        self.times(settings, now)?;
        if let Some(scope) = &settings.required_scope
            && !self.scopes().any(|own| own == scope)
        {
            return Err(TokenRefusal::Scope(scope.clone()));
        }
        Ok(())
    }

    /// The name in a claim. Whoever can enter any address into their account at the issuer must not get its owner's
    /// mail: `email_verified` says whether the address was verified (`OpenID` Connect Core §5.1).
    pub(super) fn name(&self, claim: &str) -> Result<&str, TokenRefusal> {
        let is_refuted = |value: &Value| *value != Value::Bool(true) && value.as_str() != Some("true");
        if claim == "email" && self.0.get("email_verified").is_some_and(is_refuted) {
            return Err(TokenRefusal::MailNotVerified);
        }
        self.text(claim).filter(|name| !name.is_empty()).ok_or_else(|| TokenRefusal::NoClaim(claim.to_owned()))
    }

    /// A claim that is a string.
    pub(super) fn text(&self, claim: &str) -> Option<&str> {
        self.0.get(claim).and_then(Value::as_str)
    }

    /// "In the general case, the `aud` value is an array of case-sensitive strings … In the special case when the JWT
    /// has one audience, the `aud` value MAY be a single case-sensitive string" (RFC 7519 §4.1.3). A token without an
    /// audience is for nobody.
    fn audience(&self, own: &str) -> Result<(), TokenRefusal> {
        let audience: Vec<&str> = texts(self.0.get("aud")).collect();
        if audience.contains(&own) {
            return Ok(());
        }
        Err(TokenRefusal::Audience(audience.into_iter().map(str::to_owned).collect()))
    }

    /// "The processing of the `exp` claim requires that the current date/time MUST be before the expiration date/time"
    /// (RFC 7519 §4.1.4); "after or equal to the not-before date/time" (§4.1.5).
    fn times(&self, settings: &Settings, now: SystemTime) -> Result<(), TokenRefusal> {
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        let leeway = settings.leeway.as_secs_f64();
        let end = self.date("exp").ok_or(TokenRefusal::Endless)?;
        if now >= end + leeway {
            return Err(TokenRefusal::Expired(seconds(now - end)));
        }
        // An `nbf` that is not a number is a moment that never comes.
        if self.0.contains_key("nbf") {
            let begin = self.date("nbf").unwrap_or(f64::INFINITY);
            if now < begin - leeway {
                return Err(TokenRefusal::NotYetValid(seconds(begin - now)));
            }
        }
        let Some(max_age) = settings.max_age else { return Ok(()) };
        let birth = self.date("iat").ok_or(TokenRefusal::NoBirth)?;
        if birth > now + leeway {
            return Err(TokenRefusal::Unborn(seconds(birth - now)));
        }
        if now >= birth + max_age.as_secs_f64() + leeway {
            return Err(TokenRefusal::TooOld(seconds(now - birth)));
        }
        Ok(())
    }

    /// "A JSON numeric value representing the number of seconds from 1970-01-01T00:00:00Z UTC until the specified UTC
    /// date/time, ignoring leap seconds", which may have a fraction (RFC 7519 §2).
    fn date(&self, claim: &str) -> Option<f64> {
        self.0.get(claim).and_then(Value::as_f64)
    }

    /// `scope` is one string of values with blanks between them (RFC 8693 §4.2); some issuers write a list, or call it
    /// `scp`.
    fn scopes(&self) -> impl Iterator<Item = &str> {
        let claims = ["scope", "scp"].into_iter().map(|claim| self.0.get(claim));
        claims.flat_map(texts).flat_map(|text| text.split(' '))
    }
}

/// The strings of a claim that is a string or a list of strings.
fn texts(claim: Option<&Value>) -> impl Iterator<Item = &str> {
    let (one, list) = match claim {
        Some(Value::String(one)) => (Some(one.as_str()), &[][..]),
        Some(Value::Array(list)) => (None, list.as_slice()),
        _ => (None, &[][..]),
    };
    one.into_iter().chain(list.iter().filter_map(Value::as_str))
}

/// Whole seconds, for the log.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast ends at the bounds of the type, and a saturated duration is as good in the log"
)]
fn seconds(duration: f64) -> u64 {
    duration.ceil() as u64
}

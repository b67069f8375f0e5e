//! The unverified content of a token: which issuer's keys to try.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::TokenRefusal;
use crate::secret::Token;

/// A token's header and claims, not verified.
pub(super) struct Unverified {
    header: Map<String, Value>,
    claims: Map<String, Value>,
}

impl Unverified {
    /// A JWT in the JWS compact serialization: three parts in base64url (RFC 7515 §7.1).
    pub(super) fn read(token: &Token) -> Result<Self, TokenRefusal> {
        let parts: Vec<&str> = token.expose().split('.').collect();
        let (header, claims) = match parts.as_slice() {
            [header, claims, _] => (header, claims),
            // RFC 7516 §7.1
            [_, _, _, _, _] => return Err(TokenRefusal::NotReadable("it is encrypted (JWE)")),
            _ => return Err(TokenRefusal::NotReadable("not a JWT (three parts separated by dots)")),
        };
        let unreadable = |why| move || TokenRefusal::NotReadable(why);
        let header = object(header).ok_or_else(unreadable("its header is not a JSON object in base64url"))?;
        // "If any of the listed extension Header Parameters are not understood and supported by the recipient, then the
        // JWS is invalid." (RFC 7515 §4.1.11) None is understood here, not even `b64` (RFC 7797).
        if header.contains_key("crit") || header.contains_key("b64") {
            return Err(TokenRefusal::Critical);
        }
        let claims = object(claims).ok_or_else(unreadable("its claims are not a JSON object in base64url"))?;
        Ok(Self { header, claims })
    }

    pub(super) fn issuer(&self) -> Option<&str> {
        self.claims.get("iss").and_then(Value::as_str)
    }

    pub(super) fn algorithm(&self) -> Option<&str> {
        self.header.get("alg").and_then(Value::as_str)
    }

    pub(super) fn key_id(&self) -> Option<&str> {
        self.header.get("kid").and_then(Value::as_str)
    }
}

fn object(part: &str) -> Option<Map<String, Value>> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

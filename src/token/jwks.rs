//! Public keys in a JWK set (RFC 7517).

use jsonwebtoken::jwk::{Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::Value;

use super::key::VerificationKey;

const RIGHT: &str = "expected a JWK set of public keys, as the issuer publishes at its jwks_uri";

/// The keys of a set that are for signatures by one of the configured algorithms. Issuers publish other keys as well:
/// "Implementations SHOULD ignore JWKs within a JWK Set that use "kty" (key type) values that are not understood by
/// them, that are missing required members, or for which values are out of the supported ranges." (RFC 7517 §5)
pub(super) fn keys(text: &str, configured: &[Algorithm]) -> Result<Vec<VerificationKey>, String> {
    let set: Value = serde_json::from_str(text).map_err(|fault| format!("is not valid JSON: {fault}; {RIGHT}"))?;
    let listed = set.get("keys").and_then(Value::as_array).ok_or_else(|| format!("has no list \"keys\"; {RIGHT}"))?;
    // `d` is the private part of every asymmetric key, `k` a shared secret (RFC 7518 §6).
    if listed.iter().any(|key| key.get("d").is_some() || key.get("k").is_some()) {
        return Err(format!("holds a private key or a shared secret, which belongs to the issuer alone; {RIGHT}"));
    }
    let (keys, faults): (Vec<_>, Vec<_>) = listed.iter().map(|key| read(key, configured)).partition(Result::is_ok);
    let keys: Vec<VerificationKey> = keys.into_iter().filter_map(Result::ok).collect();
    if keys.is_empty() {
        let first = faults.into_iter().find_map(Result::err);
        return Err(first.unwrap_or_else(|| format!("holds no key; {RIGHT}")));
    }
    Ok(keys)
}

fn read(value: &Value, configured: &[Algorithm]) -> Result<VerificationKey, String> {
    let unreadable = |fault| format!("holds no key for signatures that could be read ({fault}); {RIGHT}");
    let jwk: Jwk = serde_json::from_value(value.clone()).map_err(|fault| unreadable(fault.to_string()))?;
    if jwk.common.public_key_use.as_ref().is_some_and(|purpose| *purpose != PublicKeyUse::Signature) {
        return Err(unreadable("its use is another one".to_owned()));
    }
    let key = DecodingKey::from_jwk(&jwk).map_err(|fault| unreadable(fault.to_string()))?;
    let id = jwk.common.key_id;
    let Some(own) = jwk.common.key_algorithm else { return VerificationKey::new(id, key, configured) };
    // "The "alg" (algorithm) parameter identifies the algorithm intended for use with the key." (RFC 7517 §4.4)
    let intended: Vec<Algorithm> =
        configured.iter().copied().filter(|one| Algorithm::try_from(own).is_ok_and(|own| own == *one)).collect();
    if intended.is_empty() {
        return Err(format!("holds a key for {own}; expected it among algorithms, or another key"));
    }
    VerificationKey::new(id, key, &intended)
}

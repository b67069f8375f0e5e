//! One public key of an issuer, and the algorithms that it may be used with.

use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, DecodingKeyKind};

/// A public key, and what it may be used with.
#[derive(Clone)]
pub(super) struct VerificationKey {
    /// Its name in the issuer's JWK set; a PEM file gives none.
    pub(super) id: Option<String>,
    /// The algorithms that fit its type and are configured.
    pub(super) algorithms: Vec<Algorithm>,
    pub(super) public: DecodingKey,
}

/// The smallest RSA modulus: "A key of size 2048 bits or larger MUST be used" (RFC 7518 §3.3), in octets.
const RSA_OCTETS: usize = 256;

impl VerificationKey {
    /// A key with those of the configured algorithms that fit it; a sentence if there are none. The key's type alone
    /// decides: a token that claims to be signed by HMAC, with the public key as the secret, finds no key for HMAC.
    pub(super) fn new(id: Option<String>, key: DecodingKey, configured: &[Algorithm]) -> Result<Self, String> {
        let (kind, fitting) = fitting(&key)?;
        let algorithms: Vec<Algorithm> = configured.iter().copied().filter(|own| fitting.contains(own)).collect();
        if algorithms.is_empty() {
            return Err(format!("holds {kind}, which is for {fitting:?}; expected one of them among algorithms"));
        }
        Ok(Self { id, algorithms, public: key })
    }
}

/// What a key is, and all algorithms that fit it.
fn fitting(key: &DecodingKey) -> Result<(&'static str, &'static [Algorithm]), String> {
    use Algorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
    let octets = match key.kind() {
        DecodingKeyKind::SecretOrDer(octets) => octets,
        DecodingKeyKind::RsaModulusExponent { n, .. } => n,
    };
    match (key.family(), octets.len()) {
        // The modulus, or with it the exponent and a few octets of DER.
        (AlgorithmFamily::Rsa, RSA_OCTETS..) => Ok(("an RSA key", &[RS256, RS384, RS512, PS256, PS384, PS512])),
        (AlgorithmFamily::Rsa, _) => Err("holds an RSA key of less than 2048 bits; expected a longer one".to_owned()),
        // Uncompressed points: an octet, and two coordinates.
        (AlgorithmFamily::Ec, 65) => Ok(("a key on the curve P-256", &[ES256])),
        (AlgorithmFamily::Ec, 97) => Ok(("a key on the curve P-384", &[ES384])),
        (AlgorithmFamily::Ed, 32) => Ok(("an Ed25519 key", &[EdDSA])),
        _ => Err("holds a key of an unsupported type; expected RSA, P-256, P-384 or Ed25519".to_owned()),
    }
}

//! The keys of an issuer, as read from its files.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, DecodingKeyKind};

use super::{jwks, pem};

/// A public key, and what it may be used with.
#[derive(Clone)]
pub(super) struct VerificationKey {
    /// Its name in the issuer's JWK set; a PEM file gives none.
    pub(super) id: Option<String>,
    /// The algorithms that fit its type and are configured.
    pub(super) algorithms: Vec<Algorithm>,
    pub(super) public: DecodingKey,
}

/// Which file is wrong, and a sentence that says how, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFault {
    /// The file.
    pub file: PathBuf,
    /// What is wrong with it.
    pub what: String,
}

/// A JWK set of many keys with certificate chains is smaller.
const LARGEST: u64 = 1024 * 1024;

/// A token that names no key is tried with every one of its issuer.
const MOST: usize = 64;

/// The smallest RSA modulus: "A key of size 2048 bits or larger MUST be used" (RFC 7518 §3.3), in octets.
const RSA_OCTETS: usize = 256;

/// Reads every key in some files that is for one of these algorithms.
pub(super) fn read(files: &[PathBuf], configured: &[Algorithm]) -> Result<Vec<VerificationKey>, KeyFault> {
    let mut keys = Vec::new();
    for file in files {
        let fault = |what| KeyFault { file: file.clone(), what };
        keys.extend(read_file(file, configured).map_err(fault)?);
        if keys.len() > MOST {
            return Err(fault(format!("makes more than {MOST} keys of one issuer; expected those it signs by now")));
        }
    }
    Ok(keys)
}

/// A JWK set is a JSON object; everything else should be PEM.
fn read_file(file: &Path, configured: &[Algorithm]) -> Result<Vec<VerificationKey>, String> {
    const RIGHT: &str = "expected a file of public keys, PEM or a JWK set";
    let mut octets = Vec::new();
    let read = File::open(file).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut octets));
    read.map_err(|fault| format!("cannot be read: {fault}; {RIGHT}"))?;
    if octets.len() as u64 > LARGEST {
        return Err(format!("is larger than 1 MiB; {RIGHT}"));
    }
    let text = str::from_utf8(&octets).map_err(|_| format!("is not UTF-8; {RIGHT}"))?;
    if text.trim_start().starts_with('{') { jwks::keys(text, configured) } else { pem::keys(text, configured) }
}

impl VerificationKey {
    /// A key with those of the configured algorithms that fit it; a sentence if there are none. The key's type alone
    /// decides: a token that says it was signed by HMAC, with a public key as the secret, meets no key that HMAC fits.
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

//! Public keys in PEM (RFC 7468).

use jsonwebtoken::{Algorithm, DecodingKey};

use super::key::VerificationKey;

const BEGIN: &str = "-----BEGIN ";

/// The keys of a file, one or several. A key that cannot be used is an error, since somebody put it there on purpose.
pub(super) fn keys(text: &str, configured: &[Algorithm]) -> Result<Vec<VerificationKey>, String> {
    let begins: Vec<usize> = text.match_indices(BEGIN).map(|(at, _)| at).collect();
    if begins.is_empty() {
        let right = "expected PEM (a block that begins with BEGIN PUBLIC KEY) or a JWK set";
        return Err(format!("holds no key; {right}"));
    }
    let ends = begins.iter().skip(1).copied().chain([text.len()]);
    let blocks = begins.iter().zip(ends).filter_map(|(begin, end)| text.get(*begin..end));
    blocks.map(|block| key(block, configured)).collect()
}

fn key(block: &str, configured: &[Algorithm]) -> Result<VerificationKey, String> {
    let label = block.strip_prefix(BEGIN).and_then(|rest| rest.split("-----").next()).unwrap_or_default();
    let right = "expected the public key (a block that begins with BEGIN PUBLIC KEY)";
    match label {
        "PUBLIC KEY" | "RSA PUBLIC KEY" => {}
        label if label.ends_with("PRIVATE KEY") => {
            return Err(format!("holds a private key, which belongs to the issuer alone; {right}"));
        }
        _ => return Err(format!("holds a block {label:?}; {right}")),
    }
    let octets = block.as_bytes();
    let read = [DecodingKey::from_rsa_pem, DecodingKey::from_ec_pem, DecodingKey::from_ed_pem];
    let key = read.into_iter().find_map(|read| read(octets).ok());
    let key = key.ok_or_else(|| format!("holds a key that cannot be read; {right}, RSA, P-256, P-384 or Ed25519"))?;
    VerificationKey::new(None, key, configured)
}

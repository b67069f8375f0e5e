//! Keys and signatures that TLS clients do not accept any more, or never did.

use x509_parser::oid_registry::Oid;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

const ED25519: &str = "1.3.101.112";
const ECDSA: &str = "1.2.840.10045.2.1";
/// The curves that TLS uses for certificates: P-256, P-384, P-521.
const CURVES: [&str; 3] = ["1.2.840.10045.3.1.7", "1.3.132.0.34", "1.3.132.0.35"];

/// Signatures by hashes for which collisions are known.
const BROKEN: [(&str, &str); 5] = [
    ("1.2.840.113549.1.1.2", "MD2"),
    ("1.2.840.113549.1.1.4", "MD5"),
    ("1.2.840.113549.1.1.5", "SHA-1"),
    ("1.2.840.10040.4.3", "SHA-1"),
    ("1.2.840.10045.4.1", "SHA-1"),
];

/// The shortest and the longest RSA key that certificates are verified with, in bits.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

const RIGHT: &str = "expected RSA with 2048 bits or more, or ECDSA on P-256, P-384 or P-521";

/// Why clients reject a key.
pub(super) fn weak_key(key: &SubjectPublicKeyInfo<'_>) -> Option<String> {
    let kind = key.algorithm.algorithm.to_id_string();
    if kind == ED25519 {
        return None;
    }
    let what = match key.parsed() {
        Ok(PublicKey::RSA(rsa)) => {
            // The modulus has a zero octet before it, which makes it positive.
            let bits = rsa.modulus.iter().skip_while(|octet| **octet == 0).count() * 8;
            (!RSA_BITS.contains(&bits)).then(|| format!("has an RSA key of {bits} bits, which clients reject"))
        }
        Ok(PublicKey::EC(_)) if kind == ECDSA => {
            let curve = key.algorithm.parameters.as_ref().and_then(|curve| curve.as_oid().ok());
            let is_known = curve.is_some_and(|curve| CURVES.contains(&curve.to_id_string().as_str()));
            (!is_known).then(|| "has an ECDSA key on a curve that TLS does not use".to_owned())
        }
        _ => Some("has a key of a kind that TLS does not use".to_owned()),
    };
    what.map(|what| format!("{what}; {RIGHT}"))
}

/// Why clients reject a signature.
pub(super) fn weak_signature(algorithm: &Oid<'_>) -> Option<String> {
    let number = algorithm.to_id_string();
    let (_, hash) = BROKEN.iter().find(|(broken, _)| *broken == number)?;
    Some(format!("is signed by {hash}, which clients reject; expected a new certificate, signed by SHA-256 or better"))
}

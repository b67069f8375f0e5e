//! The keys of SCRAM: how an entry stores them, what they prove, and decoys for names that have none.

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::{digest, hmac, rand};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::identity::settings::ScramSettings;
use crate::pop3::ScramProof;

const MECHANISM: &str = "SCRAM-SHA-256";

/// Octets of SHA-256, and so of each key.
const OCTETS: usize = 32;

/// Whoever has these can try passwords, and pretend to be the server; wiped when dropped.
pub(super) struct ScramKeys {
    pub(super) salt: Vec<u8>,
    pub(super) iterations: u32,
    stored_key: Zeroizing<[u8; OCTETS]>,
    server_key: Zeroizing<[u8; OCTETS]>,
}

impl ScramKeys {
    /// The keys in an attribute's values, if any can be read. Values have no order, and a client must get the same salt
    /// each time, so the value with the most iterations is used.
    pub(super) fn of(values: &[Zeroizing<Vec<u8>>]) -> Option<Self> {
        let readable = values.iter().filter_map(|value| Self::read(std::str::from_utf8(value).ok()?));
        readable.max_by(|one, other| (one.iterations, &one.salt).cmp(&(other.iterations, &other.salt)))
    }

    /// `SCRAM-SHA-256$4096:SALT$STOREDKEY:SERVERKEY` (RFC 5803 §2; RFC 3112 §2 allows blanks around each `$`), or what
    /// Dovecot's and GNU SASL's tools write: `{SCRAM-SHA-256}4096,SALT,STOREDKEY,SERVERKEY`, perhaps with a fifth
    /// field.
    fn read(value: &str) -> Option<Self> {
        if let Some(fields) = value.strip_prefix('{').and_then(|rest| rest.strip_prefix(MECHANISM)?.strip_prefix('}')) {
            let mut fields = fields.split(',');
            return Self::of_fields(fields.next()?, fields.next()?, fields.next()?, fields.next()?);
        }
        let mut parts = value.split('$').map(str::trim);
        let (scheme, info, keys) = (parts.next()?, parts.next()?, parts.next()?);
        if scheme != MECHANISM || parts.next().is_some() {
            return None;
        }
        let ((iterations, salt), (stored_key, server_key)) = (info.split_once(':')?, keys.split_once(':')?);
        Self::of_fields(iterations, salt, stored_key, server_key)
    }

    fn of_fields(iterations: &str, salt: &str, stored_key: &str, server_key: &str) -> Option<Self> {
        // iter-count = %x31-39 *DIGIT
        let digits = Some(iterations).filter(|text| text.bytes().all(|octet| octet.is_ascii_digit()));
        let iterations = digits?.parse().ok().filter(|count| *count > 0)?;
        let salt = STANDARD.decode(salt).ok().filter(|salt| !salt.is_empty())?;
        Some(Self { salt, iterations, stored_key: key(stored_key)?, server_key: key(server_key)? })
    }

    /// Whether a proof was made by somebody who knows the password: `H(ClientKey) = StoredKey`
    /// (RFC 5802 §3).
    pub(super) fn are_proven_by(&self, proof: &ScramProof) -> bool {
        let signature = sign(&*self.stored_key, &proof.message);
        let client_key = proof.proof.iter().zip(signature.as_ref()).map(|(one, other)| one ^ other);
        let client_key: Zeroizing<Vec<u8>> = Zeroizing::new(client_key.collect());
        let stored_key = digest::digest(&digest::SHA256, &client_key);
        verify_slices_are_equal(stored_key.as_ref(), &*self.stored_key).is_ok()
    }

    /// `ServerSignature := HMAC(ServerKey, AuthMessage)` (RFC 5802 §3).
    pub(super) fn signature(&self, proof: &ScramProof) -> [u8; OCTETS] {
        octets(&sign(&*self.server_key, &proof.message))
    }
}

impl fmt::Debug for ScramKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(…)")
    }
}

/// Makes keys for names without credentials, so that a challenge does not show which names these are.
#[derive(Clone)]
pub(crate) struct DecoyCredentials {
    key: hmac::Key,
    iterations: u32,
    salt_octets: usize,
}

impl DecoyCredentials {
    /// With a key that all nodes share, or a random one that never leaves this process.
    pub(crate) fn new(settings: &ScramSettings) -> Result<Self, Unspecified> {
        let ScramSettings { iterations, salt_octets, ref key } = *settings;
        let key = match key {
            Some(secret) => hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes()),
            None => hmac::Key::generate(hmac::HMAC_SHA256, &rand::SystemRandom::new())?,
        };
        Ok(Self { key, iterations, salt_octets })
    }

    /// The same salt for a name each time, and keys that nobody can prove.
    pub(super) fn keys_of(&self, name: &str) -> ScramKeys {
        let made = |what: &str| octets(&hmac::sign(&self.key, format!("{what}\0{name}").as_bytes()));
        ScramKeys {
            salt: made("salt").into_iter().take(self.salt_octets).collect(),
            iterations: self.iterations,
            stored_key: Zeroizing::new(made("stored key")),
            server_key: Zeroizing::new(made("server key")),
        }
    }
}

fn key(text: &str) -> Option<Zeroizing<[u8; OCTETS]>> {
    let decoded = Zeroizing::new(STANDARD.decode(text).ok()?);
    decoded.as_slice().try_into().ok().map(Zeroizing::new)
}

fn sign(key: &[u8], message: &[u8]) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message)
}

fn octets(tag: &hmac::Tag) -> [u8; OCTETS] {
    let mut octets = [0; OCTETS];
    octets.iter_mut().zip(tag.as_ref()).for_each(|(to, from)| *to = *from);
    octets
}

//! Issuers of tokens, as far as tests need one: a key that signs, and the files that tell its public part.

use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rcgen::KeyPair;
use serde_json::{Value, json};

/// What tokens call the issuer, and for whom they are.
pub const ISSUER: &str = "https://id.renovations.example/realms/staff";
pub const AUDIENCE: &str = "pop.renovations.example";

/// A key pair of an issuer.
pub struct SigningKey {
    pair: KeyPair,
    id: String,
    algorithm: Algorithm,
}

impl SigningKey {
    /// A fresh one of that name.
    pub fn new(id: &str, algorithm: Algorithm) -> Self {
        let kind = match algorithm {
            Algorithm::ES256 => &rcgen::PKCS_ECDSA_P256_SHA256,
            Algorithm::ES384 => &rcgen::PKCS_ECDSA_P384_SHA384,
            Algorithm::EdDSA => &rcgen::PKCS_ED25519,
            _ => &rcgen::PKCS_RSA_SHA256,
        };
        Self { pair: KeyPair::generate_for(kind).unwrap(), id: id.to_owned(), algorithm }
    }

    /// The public key, PEM.
    pub fn pem(&self) -> String {
        self.pair.public_key_pem()
    }

    /// The private key, PEM.
    pub fn private_pem(&self) -> String {
        self.pair.serialize_pem()
    }

    /// The public key as an item of a JWK set.
    pub fn jwk(&self) -> Value {
        if self.algorithm == Algorithm::EdDSA {
            let x = URL_SAFE_NO_PAD.encode(self.pair.public_key_raw());
            return json!({ "kty": "OKP", "crv": "Ed25519", "x": x, "kid": self.id });
        }
        let mut jwk = Jwk::from_encoding_key(&self.private(), self.algorithm).unwrap();
        jwk.common.key_id = Some(self.id.clone());
        serde_json::to_value(jwk).unwrap()
    }

    /// A token with these claims.
    pub fn sign(&self, claims: &Value) -> String {
        self.sign_with(|_| {}, claims)
    }

    /// The same with its header changed.
    pub fn sign_with(&self, change: impl FnOnce(&mut Header), claims: &Value) -> String {
        let mut header = Header::new(self.algorithm);
        header.kid = Some(self.id.clone());
        change(&mut header);
        encode(&header, claims, &self.private()).unwrap()
    }

    fn private(&self) -> EncodingKey {
        let pem = self.private_pem();
        match self.algorithm {
            Algorithm::ES256 | Algorithm::ES384 => EncodingKey::from_ec_pem(pem.as_bytes()),
            Algorithm::EdDSA => EncodingKey::from_ed_pem(pem.as_bytes()),
            _ => EncodingKey::from_rsa_pem(pem.as_bytes()),
        }
        .unwrap()
    }
}

/// A JWK set.
pub fn jwks(keys: &[Value]) -> String {
    json!({ "keys": keys }).to_string()
}

/// Seconds since 1970.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// The claims of a good token about a mail address, with further ones or others in their place; null takes one out.
pub fn claims(mail: &str, further: &Value) -> Value {
    let mut claims = json!({ "iss": ISSUER, "aud": AUDIENCE, "exp": now() + 300, "iat": now(), "email": mail });
    for (name, value) in further.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    claims
}

/// Header and claims without a signature that anybody made.
pub fn unsigned(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.", part(header), part(claims))
}

/// Replaces a file at one stroke, as a job that fetches keys should.
pub fn replace(file: &Path, content: &str) {
    let new = file.with_extension("new");
    fs::write(&new, content).unwrap();
    fs::rename(new, file).unwrap();
}

/// What a client of OAUTHBEARER sends first, in base64 (RFC 7628 §3.1).
pub fn oauthbearer(name: &str, token: &str) -> String {
    let identity = if name.is_empty() { String::new() } else { format!("a={name}") };
    encoded(&format!("n,{identity},\x01host=localhost\x01port=110\x01auth=Bearer {token}\x01\x01"))
}

/// What a client of XOAUTH2 sends first, in base64.
pub fn xoauth2(name: &str, token: &str) -> String {
    encoded(&format!("user={name}\x01auth=Bearer {token}\x01\x01"))
}

fn encoded(message: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(message)
}

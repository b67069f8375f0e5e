//! Files of keys: what `restante check` and the service say of those that are wrong.

use std::fs;
use std::time::Duration;

use jsonwebtoken::Algorithm;
use restante::names::Kind;
use restante::token::{Issuers, Settings};
use serde_json::{Value, json};

use crate::support::tokens::{AUDIENCE, ISSUER, SigningKey, jwks};

/// What is wrong with a file of keys, if anything is.
fn fault(content: &str, algorithms: &[Algorithm]) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys");
    fs::write(&file, content).unwrap();
    let settings = Settings {
        issuer: ISSUER.to_owned(),
        audience: AUDIENCE.to_owned(),
        keys: vec![file],
        algorithms: algorithms.to_vec(),
        claim: "sub".to_owned(),
        kind: Kind::ShortName,
        leeway: Duration::ZERO,
        max_age: None,
        required_scope: None,
        openid_configuration: None,
    };
    let faults = Issuers::read(vec![settings]).err()?;
    assert_eq!(faults.len(), 1);
    Some(faults[0].1.what.clone())
}

fn with(mut jwk: Value, name: &str, value: Value) -> Value {
    jwk[name] = value;
    jwk
}

#[test]
fn a_malformed_file_is_reported_with_the_reason() {
    let (curve, rsa) = (SigningKey::new("one", Algorithm::ES256), SigningKey::new("two", Algorithm::RS256));
    let small = "-----BEGIN PUBLIC KEY-----\n\
                 MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDBQFZ/MO3DVQKb7Vj64zszIFt+\n\
                 v8WeNWr23AqY7vmtjfaHSsTs57FCTKn5WeSR/Gr9EbSEiMHmeMLG4TmoEmnoo8kG\n\
                 rvXXjU1nuXqC0sz1dU9K7TqqXLQJZ53Ky8Ch1Y2LMJ7kbFeoaRbYL84RIYNHrLjg\n\
                 v1OPJWFrmGNqwzOTvQIDAQAB\n-----END PUBLIC KEY-----\n";
    let certificate = rcgen::generate_simple_self_signed(["id.example".to_owned()]).unwrap().cert.pem();
    let both = [Algorithm::ES256, Algorithm::RS256];
    for (content, fault_of_it) in [
        (curve.private_pem(), "holds a private key, which belongs to the issuer alone"),
        (curve.pem() + &rsa.private_pem(), "holds a private key, which belongs to the issuer alone"),
        (certificate, "holds a block \"CERTIFICATE\"; expected the public key"),
        (String::new(), "holds no key; expected PEM"),
        ("geheim\n".to_owned(), "holds no key; expected PEM"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n".to_owned(), "holds a key that cannot be read"),
        (curve.pem().replace("END", "DNE"), "holds a key that cannot be read"),
        (small.to_owned(), "holds an RSA key of less than 2048 bits"),
        ("{".to_owned(), "is not valid JSON: EOF"),
        ("{}".to_owned(), "has no list \"keys\""),
        (jwks(&[]), "holds no key; expected a JWK set"),
        (jwks(&[json!({ "kty": "oct", "k": "c2VjcmV0" })]), "holds a private key or a shared secret"),
        (jwks(&[curve.jwk(), with(rsa.jwk(), "d", json!("AA"))]), "holds a private key or a shared secret"),
        (jwks(&[with(curve.jwk(), "use", json!("enc"))]), "holds no key for signatures that could be read (its use"),
        (jwks(&[json!({ "kty": "EC", "crv": "P-256", "x": "AA" })]), "holds no key for signatures that could be read"),
        (jwks(&[json!({ "kty": "new" })]), "holds no key for signatures that could be read"),
        (jwks(&[json!(7)]), "holds no key for signatures that could be read"),
        (jwks(&[with(rsa.jwk(), "alg", json!("RS512"))]), "holds a key for RS512; expected it among algorithms"),
    ] {
        let told = fault(&content, &both).unwrap_or_else(|| panic!("{content} is taken"));
        assert!(told.starts_with(fault_of_it), "{told}\n{fault_of_it}");
        assert!(told.contains("; expected "), "{told}");
    }
    let told = fault(&curve.pem(), &[Algorithm::RS256]).unwrap();
    assert!(told.starts_with("holds a key on the curve P-256, which is for [ES256]; expected one of them"), "{told}");
    let many: Vec<Value> = (0..65).map(|_| curve.jwk()).collect();
    assert!(fault(&jwks(&many), &both).unwrap().starts_with("makes more than 64 keys of one issuer"));
}

/// Issuers publish keys for other purposes beside those for signatures.
#[test]
fn unsupported_keys_do_not_invalidate_a_set() {
    let curve = SigningKey::new("one", Algorithm::ES256);
    let encryption = with(SigningKey::new("two", Algorithm::RS256).jwk(), "use", json!("enc"));
    let strange = json!({ "kty": "EC", "crv": "P-521", "x": "AA", "y": "AA" });
    let content = jwks(&[encryption, json!({ "kty": "new" }), strange, curve.jwk()]);
    assert_eq!(fault(&content, &[Algorithm::ES256]), None);
}

#[test]
fn several_keys_in_pem_stand_behind_each_other() {
    let (one, two) = (SigningKey::new("", Algorithm::ES256), SigningKey::new("", Algorithm::RS256));
    let content = format!("# of 2026\n{}# of 2027\n{}", one.pem(), two.pem());
    assert_eq!(fault(&content, &[Algorithm::ES256, Algorithm::RS256]), None);
}

//! What a token must be to count: every way in which one can fall short, and those in which it must not.

use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use proptest::prelude::*;
use restante::names::Kind;
use restante::secret::Token;
use restante::token::{Bearer, Issuers, Settings, TokenRefusal};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::tokens::{AUDIENCE, ISSUER, SigningKey, claims, jwks, now, unsigned};

const MAIL: &str = "alan.jones@renovations.example";

/// An issuer with its keys in a JWK set.
struct World {
    issuers: Issuers,
    _folder: TempDir,
}

impl World {
    fn new(keys: &[&SigningKey], algorithms: &[Algorithm]) -> Self {
        Self::with(keys, algorithms, |_| {})
    }

    fn with(keys: &[&SigningKey], algorithms: &[Algorithm], change: impl FnOnce(&mut Settings)) -> Self {
        let keys: Vec<Value> = keys.iter().map(|key| key.jwk()).collect();
        Self::of_file(&jwks(&keys), algorithms, change)
    }

    fn of_file(content: &str, algorithms: &[Algorithm], change: impl FnOnce(&mut Settings)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("keys");
        fs::write(&file, content).unwrap();
        let mut settings = Settings {
            issuer: ISSUER.to_owned(),
            audience: AUDIENCE.to_owned(),
            keys: vec![file],
            algorithms: algorithms.to_vec(),
            claim: "email".to_owned(),
            kind: Kind::Mail,
            leeway: Duration::from_secs(30),
            max_age: None,
            required_scope: None,
            openid_configuration: None,
        };
        change(&mut settings);
        Self { issuers: Issuers::read(vec![settings]).unwrap(), _folder: folder }
    }

    fn judge(&self, token: &str) -> Result<Bearer, TokenRefusal> {
        self.judge_at(token, SystemTime::now())
    }

    fn judge_at(&self, token: &str, now: SystemTime) -> Result<Bearer, TokenRefusal> {
        self.issuers.verify(&Token::new(token.as_bytes()).unwrap(), now).map_err(|refused| refused.refusal)
    }

    fn takes(&self, token: &str) {
        assert_eq!(self.judge(token).map(|bearer| bearer.name).as_deref(), Ok(MAIL));
    }
}

fn es256() -> (SigningKey, World) {
    let key = SigningKey::new("one", Algorithm::ES256);
    let world = World::new(&[&key], &[Algorithm::ES256]);
    (key, world)
}

#[test]
fn a_token_by_each_kind_of_key_counts() {
    for algorithm in [Algorithm::RS256, Algorithm::PS512, Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA] {
        let key = SigningKey::new("one", algorithm);
        let token = key.sign(&claims(MAIL, &json!({})));
        World::new(&[&key], &[algorithm]).takes(&token);
        World::of_file(&key.pem(), &[algorithm], |_| {}).takes(&token);
    }
}

/// RFC 7515 appendix A.3: the key, and the signature that it made in 2013.
#[test]
fn the_standards_own_signature_counts() {
    let key = json!({ "kty": "EC", "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0" });
    let token = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290\
                 Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    let world = World::of_file(&jwks(&[key]), &[Algorithm::ES256], |settings| "joe".clone_into(&mut settings.issuer));
    let at = UNIX_EPOCH + Duration::from_secs(1_300_819_379);
    // It has no audience; its signature was right, or that would not have been looked at.
    assert_eq!(world.judge_at(token, at), Err(TokenRefusal::Audience(Vec::new())));
    let forged = token.replace("DtEh", "DtEi");
    assert_eq!(world.judge_at(&forged, at), Err(TokenRefusal::Signature));
}

#[test]
fn malformed_tokens_are_refused_with_the_reason() {
    let (_, world) = es256();
    for (token, why) in [
        ("opaque", "not a JWT (three parts separated by dots)"),
        ("a.b", "not a JWT (three parts separated by dots)"),
        ("a.b.c.d.e", "it is encrypted (JWE)"),
        ("a.b.c", "its header is not a JSON object in base64url"),
        ("..", "its header is not a JSON object in base64url"),
        ("e30.e30=.", "its claims are not a JSON object in base64url"),
        ("e30.W10.", "its claims are not a JSON object in base64url"),
    ] {
        let judged = Token::new(token.as_bytes()).map(|_| world.judge(token));
        assert!(judged.is_err() || judged == Ok(Err(TokenRefusal::NotReadable(why))), "{token}: {judged:?}");
    }
}

/// "alg": "none" (RFC 7518 §3.6), in any spelling, and whatever stands in place of the signature.
#[test]
fn a_token_without_a_signature_does_not_count() {
    let (key, world) = es256();
    let good = key.sign(&claims(MAIL, &json!({})));
    let signature = good.rsplit('.').next().unwrap();
    for name in ["none", "None", "NONE", "nOnE", "", "ES256 ", "es256", "RS256"] {
        for end in ["", signature, "AA"] {
            let token = unsigned(&json!({ "alg": name }), &claims(MAIL, &json!({}))) + end;
            assert_eq!(world.judge(&token), Err(TokenRefusal::Algorithm(Some(name.to_owned()))), "{name}");
        }
    }
    let no_name = unsigned(&json!({}), &claims(MAIL, &json!({})));
    assert_eq!(world.judge(&no_name), Err(TokenRefusal::Algorithm(None)));
    let stripped = unsigned(&json!({ "alg": "ES256", "kid": "one" }), &claims(MAIL, &json!({})));
    assert_eq!(world.judge(&stripped), Err(TokenRefusal::Signature));
}

/// The public key is known to everybody: as the secret of an HMAC it proves nothing.
#[test]
fn a_public_key_is_no_secret() {
    for algorithm in [Algorithm::RS256, Algorithm::ES256] {
        let key = SigningKey::new("one", algorithm);
        for world in [World::new(&[&key], &[algorithm]), World::of_file(&key.pem(), &[algorithm], |_| {})] {
            for secret in [key.pem(), key.pem().trim().to_owned(), key.jwk().to_string()] {
                for (name, hmac) in [("HS256", Algorithm::HS256), ("HS512", Algorithm::HS512)] {
                    let mut header = Header::new(hmac);
                    header.kid = Some("one".to_owned());
                    let secret = EncodingKey::from_secret(secret.as_bytes());
                    let token = encode(&header, &claims(MAIL, &json!({})), &secret).unwrap();
                    assert_eq!(world.judge(&token), Err(TokenRefusal::Algorithm(Some(name.to_owned()))));
                }
            }
        }
    }
    // Not even where somebody configured it in the code: no key in a file is for HMAC.
    let key = SigningKey::new("one", Algorithm::ES256);
    let world = World::new(&[&key], &[Algorithm::HS256, Algorithm::ES256]);
    let token = encode(&Header::default(), &claims(MAIL, &json!({})), &EncodingKey::from_secret(key.pem().as_bytes()));
    assert_eq!(world.judge(&token.unwrap()), Err(TokenRefusal::NoKey("HS256".to_owned())));
}

/// Keys and addresses of keys that a token brings along are looked at by nobody (RFC 7515 §4.1.2, §4.1.3, §4.1.5).
#[test]
fn a_token_brings_no_key_of_its_own() {
    let (key, world) = es256();
    let stranger = SigningKey::new("one", Algorithm::ES256);
    let own: jsonwebtoken::jwk::Jwk = serde_json::from_value(stranger.jwk()).unwrap();
    let bring = |header: &mut Header| {
        header.jwk = Some(own);
        header.jku = Some("https://attacker.example/keys".to_owned());
        header.x5u = header.jku.clone();
    };
    assert_eq!(world.judge(&stranger.sign_with(bring, &claims(MAIL, &json!({})))), Err(TokenRefusal::Signature));
    assert_eq!(world.judge(&stranger.sign(&claims(MAIL, &json!({})))), Err(TokenRefusal::Signature));
    world.takes(&key.sign(&claims(MAIL, &json!({}))));
}

#[test]
fn the_key_id_chooses_the_key() {
    let (one, two) = (SigningKey::new("one", Algorithm::ES256), SigningKey::new("two", Algorithm::ES256));
    let good = claims(MAIL, &json!({}));
    let named = |name: Option<&str>| {
        let name = name.map(str::to_owned);
        one.sign_with(|header| header.kid = name, &good)
    };
    let world = World::new(&[&one, &two], &[Algorithm::ES256]);
    world.takes(&named(Some("one")));
    world.takes(&two.sign(&good));
    // A key that is not named is sought among all.
    world.takes(&named(None));
    assert_eq!(world.judge(&named(Some("two"))), Err(TokenRefusal::Signature));
    assert_eq!(world.judge(&named(Some("three"))), Err(TokenRefusal::KeyId("three".to_owned())));
    // Those of a PEM file have no names.
    World::of_file(&(two.pem() + &one.pem()), &[Algorithm::ES256], |_| {}).takes(&named(Some("three")));
}

/// An algorithm that is configured, and another key of the issuer is for, does not make this key be for it.
#[test]
fn the_type_of_the_key_fixes_its_algorithms() {
    let (rsa, curve) = (SigningKey::new("rsa", Algorithm::RS256), SigningKey::new("curve", Algorithm::ES384));
    let world = World::new(&[&rsa, &curve], &[Algorithm::RS256, Algorithm::ES384]);
    world.takes(&rsa.sign(&claims(MAIL, &json!({}))));
    world.takes(&curve.sign(&claims(MAIL, &json!({}))));
    let crossed = curve.sign_with(|header| header.kid = Some("rsa".to_owned()), &claims(MAIL, &json!({})));
    assert_eq!(world.judge(&crossed), Err(TokenRefusal::NoKey("ES384".to_owned())));
    // The set says that this key is for RS256.
    let other = rsa.sign_with(|header| header.alg = Algorithm::PS256, &claims(MAIL, &json!({})));
    assert_eq!(world.judge(&other), Err(TokenRefusal::Algorithm(Some("PS256".to_owned()))));
    let both = World::new(&[&rsa], &[Algorithm::RS256, Algorithm::PS256]);
    assert_eq!(both.judge(&other), Err(TokenRefusal::NoKey("PS256".to_owned())));
}

/// A claim, what it is instead, and what comes of it.
#[test]
fn claims_are_judged() {
    let (key, world) = es256();
    let audience = |names: &[&str]| TokenRefusal::Audience(names.iter().map(|name| (*name).to_owned()).collect());
    let other = "https://id.renovations.example/realms/staff/";
    for (further, refusal) in [
        (json!({}), None),
        (json!({ "aud": ["other", AUDIENCE] }), None),
        (json!({ "aud": [7, AUDIENCE] }), None),
        (json!({ "aud": "POP.renovations.example" }), Some(audience(&["POP.renovations.example"]))),
        (json!({ "aud": ["a", "b"] }), Some(audience(&["a", "b"]))),
        (json!({ "aud": [] }), Some(audience(&[]))),
        (json!({ "aud": null }), Some(audience(&[]))),
        (json!({ "aud": { "a": AUDIENCE } }), Some(audience(&[]))),
        (json!({ "iss": other }), Some(TokenRefusal::Issuer(Some(other.to_owned())))),
        (json!({ "iss": [ISSUER] }), Some(TokenRefusal::Issuer(None))),
        (json!({ "iss": null }), Some(TokenRefusal::Issuer(None))),
        (json!({ "exp": null }), Some(TokenRefusal::Endless)),
        (json!({ "exp": "9999999999" }), Some(TokenRefusal::Endless)),
        (json!({ "exp": 1e300 }), None),
        (json!({ "exp": -1 }), Some(TokenRefusal::Expired(now() + 1))),
        (json!({ "nbf": now() }), None),
        (json!({ "nbf": 1.5 }), None),
        (json!({ "nbf": "1" }), Some(TokenRefusal::NotYetValid(u64::MAX))),
        (json!({ "iat": null }), None),
        (json!({ "email": null }), Some(TokenRefusal::NoClaim("email".to_owned()))),
        (json!({ "email": "" }), Some(TokenRefusal::NoClaim("email".to_owned()))),
        (json!({ "email": [MAIL] }), Some(TokenRefusal::NoClaim("email".to_owned()))),
        (json!({ "email_verified": true }), None),
        (json!({ "email_verified": "true" }), None),
        (json!({ "email_verified": false }), Some(TokenRefusal::MailNotVerified)),
        (json!({ "email_verified": "false" }), Some(TokenRefusal::MailNotVerified)),
    ] {
        let judged = world.judge(&key.sign(&claims(MAIL, &further))).err();
        let is_alike = match (&judged, &refusal) {
            // The clock may have moved on.
            (Some(TokenRefusal::Expired(is)), Some(TokenRefusal::Expired(expected))) => is.abs_diff(*expected) < 60,
            (is, expected) => is == expected,
        };
        assert!(is_alike, "{further}: {judged:?}");
    }
}

#[test]
fn times_are_kept_to_the_second_with_leeway() {
    let (key, world) = es256();
    let token = key.sign(&claims(MAIL, &json!({ "nbf": 10_000, "exp": 20_000 })));
    let at = |seconds: f64| world.judge_at(&token, UNIX_EPOCH + Duration::from_secs_f64(seconds)).err();
    assert_eq!(at(9_969.0), Some(TokenRefusal::NotYetValid(31)));
    assert_eq!(at(9_970.0), None);
    assert_eq!(at(20_029.9), None);
    assert_eq!(at(20_030.0), Some(TokenRefusal::Expired(30)));
    assert_eq!(at(20_031.0), Some(TokenRefusal::Expired(31)));
    let exact = World::with(&[&key], &[Algorithm::ES256], |settings| settings.leeway = Duration::ZERO);
    let at = |seconds: f64| exact.judge_at(&token, UNIX_EPOCH + Duration::from_secs_f64(seconds)).err();
    assert_eq!((at(19_999.9), at(20_000.0)), (None, Some(TokenRefusal::Expired(0))));
    assert_eq!((at(9_999.0), at(10_000.0)), (Some(TokenRefusal::NotYetValid(1)), None));
}

#[test]
fn old_tokens_are_refused_with_max_age() {
    let key = SigningKey::new("one", Algorithm::ES256);
    let world = World::with(&[&key], &[Algorithm::ES256], |settings| settings.max_age = Some(Duration::from_secs(100)));
    let judged =
        |claim: Value| world.judge_at(&key.sign(&claims(MAIL, &claim)), UNIX_EPOCH + Duration::from_secs(1000));
    let end = 9_999_999_999_u64;
    assert!(judged(json!({ "exp": end, "iat": 871 })).is_ok());
    assert_eq!(judged(json!({ "exp": end, "iat": 870 })), Err(TokenRefusal::TooOld(130)));
    assert!(judged(json!({ "exp": end, "iat": 1030 })).is_ok());
    assert_eq!(judged(json!({ "exp": end, "iat": 1031 })), Err(TokenRefusal::Unborn(31)));
    assert_eq!(judged(json!({ "exp": end, "iat": null })), Err(TokenRefusal::NoBirth));
}

#[test]
fn a_scope_that_is_wanted_must_be_there() {
    let key = SigningKey::new("one", Algorithm::ES256);
    let world = World::with(&[&key], &[Algorithm::ES256], |settings| settings.required_scope = Some("mail".to_owned()));
    for (further, counts) in [
        (json!({ "scope": "openid mail profile" }), true),
        (json!({ "scp": "mail" }), true),
        (json!({ "scp": ["openid", "mail"] }), true),
        (json!({}), false),
        (json!({ "scope": "mailbox e-mail MAIL" }), false),
        (json!({ "scope": { "mail": true } }), false),
    ] {
        let judged = world.judge(&key.sign(&claims(MAIL, &further)));
        assert_eq!(judged.is_ok(), counts, "{further}");
        assert!(counts || judged == Err(TokenRefusal::Scope("mail".to_owned())), "{further}");
    }
}

/// What must be understood and is not makes a token void (RFC 7515 §4.1.11, RFC 7797).
#[test]
fn an_extension_that_is_not_known_makes_a_token_void() {
    let (key, world) = es256();
    for change in [
        |header: &mut Header| header.crit = Some(vec!["exp".to_owned()]),
        |header: &mut Header| header.extras.insert("b64", false),
    ] {
        assert_eq!(world.judge(&key.sign_with(change, &claims(MAIL, &json!({})))), Err(TokenRefusal::Critical));
    }
}

#[test]
fn the_bearer_of_an_expired_token_is_logged() {
    let (key, world) = es256();
    let token = Token::new(key.sign(&claims(MAIL, &json!({ "exp": 5 }))).as_bytes()).unwrap();
    let refused = world.issuers.verify(&token, SystemTime::now()).unwrap_err();
    let bearer = refused.bearer.unwrap();
    assert_eq!((&*bearer.issuer, &*bearer.name, bearer.kind), (ISSUER, MAIL, Kind::Mail));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_octets_panic(octets in prop::collection::vec(prop::sample::select(b"eyJhbGci.-_=09AZ".to_vec()), 1..80)) {
        let (_, world) = es256();
        if let Ok(token) = Token::new(&octets) {
            prop_assert!(world.issuers.verify(&token, SystemTime::now()).is_err());
        }
    }

    /// Any JSON in any part, well encoded.
    #[test]
    fn no_json_panics(header in "\\{\"alg\":\"ES256\",\"[a-z0-9]{1,5}\":[0-9\\[\\]\\{\\}\"a-z]{0,12}\\}", claim in "[\"\\{\\}\\[\\]a-z:,0-9]{0,30}") {
        let (_, world) = es256();
        let claims = format!("{{\"iss\":\"{ISSUER}\",\"aud\":{claim}}}");
        let token = format!("{}.{}.AAAA", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        prop_assert!(world.judge(&token).is_err());
    }

    /// Whatever one octet of a token is changed to, it does not count any more.
    #[test]
    fn a_tampered_token_never_passes(at in any::<prop::sample::Index>(), other in prop::sample::select(
        b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.".to_vec())) {
        let (key, world) = es256();
        let mut octets = key.sign(&claims(MAIL, &json!({}))).into_bytes();
        let at = at.index(octets.len());
        prop_assume!(octets[at] != other);
        octets[at] = other;
        prop_assert!(world.judge(&String::from_utf8(octets).unwrap()).is_err());
    }
}

//! What an administrator is told about `tokens:` before anybody depends on it.

use std::fs;
use std::path::Path;

use jsonwebtoken::Algorithm;
use restante::config;
use tempfile::TempDir;

use crate::support::service::restante;
use crate::support::tokens::SigningKey;

const REST: &str = "
listeners: [{ address: \"127.0.0.1:0\", tls: none }]
directories: [{ urls: [ldaps://ldap.example.org], base: \"dc=example,dc=org\" }]
";

/// What every issuer needs, without what a test is about.
const GOOD: [(&str, &str); 6] = [
    ("issuer", "https://id.example"),
    ("audience", "pop"),
    ("keys", "[key.pem]"),
    ("algorithms", "[ES256]"),
    ("claim", "email"),
    ("name", "mail"),
];

fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let key = SigningKey::new("", Algorithm::ES256);
    fs::write(folder.path().join("key.pem"), key.pem()).unwrap();
    fs::write(folder.path().join("private.pem"), key.private_pem()).unwrap();
    folder
}

fn faults(folder: &Path, content: &str) -> Vec<String> {
    let file = folder.join("restante.yaml");
    fs::write(&file, content).unwrap();
    let Err(faults) = config::load(&file) else { return Vec::new() };
    faults
        .to_string()
        .replace(&format!("{}:", file.display()), "")
        .replace(&format!("{}/", folder.display()), "")
        .lines()
        .map(str::to_owned)
        .collect()
}

/// An issuer whose keys are these in place of or besides the good ones; a key without a value is left out.
fn issuer(keys: &[(&str, &str)]) -> String {
    let own = |name: &str| keys.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
    let good = GOOD.iter().map(|(key, value)| (*key, own(key).unwrap_or(value)));
    let further = keys.iter().copied().filter(|(key, _)| GOOD.iter().all(|(good, _)| good != key));
    let pairs: Vec<String> = good
        .chain(further)
        .filter(|(_, value)| !value.is_empty())
        .map(|(key, value)| format!("{key}: {value}"))
        .collect();
    format!("{{ {} }}", pairs.join(", "))
}

#[test]
fn a_mistake_is_reported_with_its_position() {
    let folder = folder();
    for (key, value, fault) in [
        ("issuer", "", "tokens.issuer is missing; expected what the tokens' claim iss says"),
        ("audience", "", "tokens.audience is missing; expected"),
        ("keys", "", "tokens.keys is missing; expected a list of files"),
        ("algorithms", "", "tokens.algorithms is missing; expected the issuer's signature algorithms"),
        ("claim", "", "tokens.claim is missing; expected"),
        ("name", "", "tokens.name is missing; expected the kind of name"),
        ("keys", "key.pem", "tokens.keys: must be a list"),
        ("keys", "[]", "tokens.keys: the list is empty; expected"),
        ("keys", "[none.pem]", "tokens.keys: none.pem cannot be read: No such file"),
        ("keys", "[key.pem, private.pem]", "tokens.keys: private.pem holds a private key, which belongs to the issuer"),
        ("algorithms", "[]", "tokens.algorithms: an empty list rejects everybody; expected"),
        (
            "algorithms",
            "[HS256]",
            "tokens.algorithms: \"HS256\" uses a shared secret, with which this server could make",
        ),
        ("algorithms", "[none]", "tokens.algorithms: \"none\" is unknown; expected RS256"),
        (
            "algorithms",
            "[RS256]",
            "tokens.keys: key.pem holds a key on the curve P-256, which is for [ES256]; expected",
        ),
        ("name", "first_name", "tokens.name: \"first_name\" is unknown; expected mail or"),
        ("leeway", "6m", "tokens.leeway: \"6m\" is above the maximum; expected 0s to 5m"),
        ("max_age", "10s", "tokens.max_age: \"10s\" is below the minimum; expected 1m to 30d"),
        ("required_scope", "a b", "tokens.required_scope: \"a b\" is not a scope; expected one word"),
        ("openid_configuration", "http://x", "tokens.openid_configuration: \"http://x\" is not an https:// URL"),
        ("isuer", "x", "\"tokens.isuer\" is an unknown key; did you mean tokens.issuer"),
    ] {
        let told = faults(folder.path(), &format!("tokens: [{}]{REST}", issuer(&[(key, value)])));
        assert_eq!(told.len(), 1, "{key}: {value}: {told:?}");
        let (place, told) = told[0].split_once(": ").unwrap();
        assert!(told.starts_with(fault), "{key}: {value}:\n{told}\n{fault}");
        assert!(told.contains("; expected ") || told.contains("must be ") || told.contains("did you mean "), "{told}");
        assert!(place.starts_with("1:"), "{place}");
    }
    let twice = format!("tokens: [{}, {}]{REST}", issuer(&[]), issuer(&[]));
    let told = faults(folder.path(), &twice);
    assert!(
        told.len() == 1 && told[0].contains("tokens.issuer: \"https://id.example\" is a duplicate issuer"),
        "{told:?}"
    );
    let names = format!("tokens: [{}]{REST}internet_authentication: {{ names: [short_name] }}\n", issuer(&[]));
    let told = faults(folder.path(), &names);
    assert!(told.len() == 1 && told[0].contains("internet_authentication.names leaves out mail; expected"), "{told:?}");
}

#[test]
fn what_is_right_is_taken() {
    let folder = folder();
    for further in
        ["max_age: 1h", "leeway: 0s", "required_scope: \"urn:mail\"", "openid_configuration: https://id.example/x"]
    {
        let (key, value) = further.split_once(": ").unwrap();
        assert_eq!(
            faults(folder.path(), &format!("tokens: [{}]{REST}", issuer(&[(key, value)]))),
            [""; 0],
            "{further}"
        );
    }
    assert_eq!(faults(folder.path(), &format!("tokens: []{REST}")), [""; 0]);
}

#[test]
fn check_reports_what_is_wrong_with_a_key() {
    let folder = folder();
    let file = folder.path().join("restante.yaml");
    fs::write(&file, format!("tokens: [{}]{REST}", issuer(&[("keys", "[private.pem]")]))).unwrap();
    let run = restante().args(["check", "--config"]).arg(&file).output().unwrap();
    assert_eq!(run.status.code(), Some(78));
    let told = String::from_utf8(run.stderr).unwrap();
    assert!(told.contains("private.pem holds a private key, which belongs to the issuer alone"), "{told}");
}

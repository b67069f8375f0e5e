//! A certificate and a token: both must be the same person's.

use std::fs;

use jsonwebtoken::Algorithm;
use serde_json::json;
use tempfile::TempDir;

use super::{World, opened};
use crate::support::certificates::Request;
use crate::support::service::Plan;
use crate::support::tokens::{AUDIENCE, ISSUER, SigningKey, claims, oauthbearer};

/// Where certificates may or must be shown, a token takes the place of a password.
#[test]
fn a_certificate_and_a_token_are_the_same_persons() {
    let key = SigningKey::new("one", Algorithm::ES256);
    let (world, _keys) = with_tokens(&key, |_| {});
    let nobodys = world.authority.sign(Request::named("Nobody").numbered(30));
    let own = key.sign(&claims("alan.jones@renovations.example", &json!({})));
    let other = key.sign(&claims("alan.lamb@renovations.example", &json!({})));
    for (policy, certificate, token, opens) in [
        (("optional", "required"), None, &own, Some("ajones")),
        (("optional", "required"), Some(&world.own), &own, Some("ajones")),
        (("optional", "required"), Some(&world.own), &other, None),
        (("optional", "optional"), Some(&nobodys), &other, Some("alamb")),
        (("required", "required"), Some(&world.own), &own, Some("ajones")),
        (("required", "required"), Some(&world.own), &other, None),
        (("required", "required"), Some(&nobodys), &own, None),
        (("required", "optional"), Some(&world.own), &other, None),
    ] {
        for stls in [false, true] {
            let mut client = world.connect(policy, stls, &world.tls(certificate));
            client.send(&format!("AUTH OAUTHBEARER {}", oauthbearer("", token)));
            if let Some(person) = opens {
                assert_eq!(opened(&mut client).as_deref(), Ok(person), "{policy:?} {stls}");
            } else {
                client.expect("+ ");
                client.ask("AQ==", "-ERR [AUTH]");
            }
        }
    }
    let words = ["event=login_refused person=\"alamb\"", "the certificate is another person's: uid=ajones", "issuer="];
    world.service.wait_for_log(&words);
}

/// A right token with somebody else's certificate is a refused one for its network, too.
#[test]
fn a_token_with_another_persons_certificate_counts_for_the_network() {
    let key = SigningKey::new("one", Algorithm::ES256);
    let (world, _keys) = with_tokens(&key, |plan| "person: 0, network: 2".clone_into(&mut plan.lockout));
    let port = ("required", "required");
    for issued in ["one", "two"] {
        let token = key.sign(&claims("alan.lamb@renovations.example", &json!({ "jti": issued })));
        let mut client = world.connect(port, false, &world.tls(Some(&world.own)));
        client.send(&format!("AUTH OAUTHBEARER {}", oauthbearer("", &token)));
        client.expect("+ ");
        client.ask("AQ==", "-ERR [AUTH]");
    }
    world.service.wait_for_log(&["WARN", "lock-out begins", "network=127.0.0.1", "wrong_passwords=2"]);
}

/// With an issuer whose key this is, and the folder of its file.
fn with_tokens(key: &SigningKey, change: impl FnOnce(&mut Plan)) -> (World, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys.pem");
    fs::write(&file, key.pem()).unwrap();
    let tokens = format!(
        "tokens: [{{ issuer: {ISSUER}, audience: {AUDIENCE}, keys: [{}], algorithms: [ES256], claim: email, name: mail }}]\n",
        file.display()
    );
    let world = World::with(|plan| {
        plan.further.push_str(&tokens);
        change(plan);
    });
    (world, folder)
}

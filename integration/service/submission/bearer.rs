//! Tokens over the SASL service, where an issuer is configured.

use std::fs;

use jsonwebtoken::Algorithm;
use serde_json::json;

use crate::support::mta_client::SaslClient;
use crate::support::stage::Stage;
use crate::support::submission::ALANS;
use crate::support::tokens::{AUDIENCE, ISSUER, SigningKey, claims, oauthbearer, xoauth2};

#[test]
fn a_token_that_fetches_mail_sends_it_too() {
    let key = SigningKey::new("2026", Algorithm::ES256);
    let stage = Stage::set_by(&[], |plan, site| {
        fs::write(site.folder().join("issuer.pem"), key.pem()).unwrap();
        plan.further.push_str("sasl_service: { socket: sasl.sock }\n");
        let tokens = format!(
            "tokens:\n  - issuer: {ISSUER}\n    audience: {AUDIENCE}\n    keys: [issuer.pem]\n    algorithms: [ES256]\n    \
             claim: email\n    name: mail\n"
        );
        plan.further.push_str(&tokens);
    });
    let mut client = SaslClient::connect(&stage.site.folder().join("sasl.sock"));
    assert_eq!(client.mechanisms[2..], ["MECH\tOAUTHBEARER\tplaintext", "MECH\tXOAUTH2\tplaintext"]);
    let good = key.sign(&claims(ALANS, &json!({})));
    let expired = key.sign(&claims(ALANS, &json!({ "exp": 1_000_000_000 })));
    for (id, mechanism, message, answer) in [
        (1, "XOAUTH2", xoauth2(ALANS, &good), "OK\t1\tuser=ajones"),
        (2, "OAUTHBEARER", oauthbearer("", &good), "OK\t2\tuser=ajones"),
        (3, "XOAUTH2", xoauth2("alamb", &good), "FAIL\t3\tuser=alamb"),
        (4, "XOAUTH2", xoauth2(ALANS, &expired), "FAIL\t4\tuser=alan.jones@renovations.example"),
        (5, "OAUTHBEARER", "!".to_owned(), "FAIL\t5\tcode=invalid_base64"),
    ] {
        let request = format!("AUTH\t{id}\t{mechanism}\tservice=smtp\trip=192.0.2.7\tresp={message}");
        assert_eq!(client.ask(&request).unwrap(), answer);
    }
    stage.service.wait_for_log(&["login refused", "mechanism=XOAUTH2", "service=\"smtp\"", "token expired"]);
}

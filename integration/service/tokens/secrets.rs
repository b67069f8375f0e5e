//! No token is ever written down, whatever is done with it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::site::{MAIL, World};
use crate::support::conversation::Conversation;
use crate::support::directory::RealDirectory;
use crate::support::tokens::{claims, oauthbearer, unsigned, xoauth2};

fn base64(text: &str) -> String {
    STANDARD.encode(text)
}

/// Every way in which a client can send a token, as well-formed as it should be and less.
fn ways(token: &str) -> Vec<Vec<String>> {
    let (bearer, google) = (oauthbearer(MAIL, token), xoauth2(MAIL, token));
    let half = bearer.len() / 8 * 4;
    vec![
        vec![format!("AUTH OAUTHBEARER {bearer}"), "AQ==".to_owned()],
        vec!["AUTH OAUTHBEARER".to_owned(), bearer.clone(), "AQ==".to_owned()],
        vec![format!("AUTH XOAUTH2 {google}"), String::new()],
        vec!["AUTH XOAUTH2".to_owned(), google.clone(), token.to_owned()],
        vec![format!("AUTH XOAUTH2 {bearer}"), format!("AUTH OAUTHBEARER {google}")],
        vec![format!("AUTH OAUTHBEARER {}", &bearer[..half]), format!("AUTH OAUTHBEARER {token}")],
        vec![format!("AUTH OAUTHBEARER {}", base64(&format!("n,,\x01auth=Basic {token}\x01\x01")))],
        vec![format!("AUTH OAUTHBEARER {}", base64(&format!("n,,\x01auth=Bearer {token} {token}\x01\x01")))],
        vec![format!("AUTH BEARER {token}"), format!("Bearer {token}"), format!("TOKEN {token}")],
        vec![format!("AUTH PLAIN {}", base64(&format!("\0ajones\0{token}")))],
        vec!["USER ajones".to_owned(), format!("PASS {token}")],
        vec![format!("AUTH OAUTHBEARER {bearer}{}", "A".repeat(13_000))],
    ]
}

/// What would give a token away: its signature, or any half of its claims, as it is and wherever it may lie in base64.
fn traces(token: &str) -> Vec<String> {
    let parts: Vec<&str> = token.split('.').filter(|part| part.len() > 40).collect();
    let pieces = parts.iter().flat_map(|part| [&part[..40], &part[part.len() - 40..]]);
    let mut traces = Vec::new();
    for piece in pieces {
        traces.push(piece.to_owned());
        for offset in 0..3 {
            let encoded = STANDARD.encode([&vec![0; offset], piece.as_bytes()].concat());
            // The characters at both ends depend on the neighbours as well.
            traces.push(encoded[(offset * 8).div_ceil(6)..(offset + piece.len()) * 8 / 6].to_owned());
        }
    }
    traces
}

#[test]
fn no_token_is_ever_logged() {
    let mut world =
        World::with(|plan, _| plan.further.push_str("log: { level: debug }\nlimits: { refused_logins: 100 }\n"));
    let tokens = [
        world.token(),
        world.token_with(&json!({ "exp": 5 })),
        world.token_with(&json!({ "email": "nobody@x.example" })),
        world.token() + "x",
        unsigned(&json!({ "alg": "none", "kid": "x".repeat(60) }), &claims(MAIL, &json!({}))),
    ];
    for token in &tokens {
        for lines in ways(token) {
            for mut client in [world.client(), in_clear(&world)] {
                for line in &lines {
                    client.send(line);
                    client.line();
                }
            }
        }
        // Half a line, and gone; and one in place of a handshake.
        in_clear(&world).send_octets(format!("AUTH OAUTHBEARER {}", oauthbearer("", token)).as_bytes());
        Conversation::plain(world.service.pop3s()).send(&format!("Bearer {token}"));
    }
    world.slapd.kill();
    for lines in ways(&tokens[0]) {
        let mut client = world.client();
        client.send(&lines[0]);
        client.line();
    }
    let World { service, .. } = world;
    let (_, log) = service.terminate();
    let log = log.join("\n");
    for expected in [" event=login person=", "login refused", "directory unavailable", "token expired", "not allowed"] {
        assert!(log.contains(expected), "nothing of {expected}: this test would see nothing");
    }
    for token in &tokens {
        for trace in traces(token) {
            assert!(!log.contains(&trace), "a token is in the log as {trace}");
        }
    }
}

fn in_clear(world: &World) -> Conversation {
    let mut client = Conversation::plain(world.service.pop3());
    client.expect("+OK");
    client
}

/// The search above would find a token, had one been written.
#[test]
fn a_token_would_be_found() {
    let world = World::new();
    let token = world.token();
    for written in
        [token.clone(), oauthbearer(MAIL, &token), xoauth2("x", &token), base64(&format!("\0ajones\0{token}"))]
    {
        assert!(traces(&token).iter().any(|trace| written.contains(trace)), "{written}");
    }
}

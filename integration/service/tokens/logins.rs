//! Logins with tokens, against a real slapd: who is let in, as whom, and what is said to whom.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::site::{DN, MAIL, PARTNER, REFUSAL, World, opened};
use crate::support::conversation::Conversation;
use crate::support::directory::RealDirectory;
use crate::support::login;
use crate::support::service::restante;
use crate::support::stage::{NAME, PASSWORD};
use crate::support::tokens::{ISSUER, SigningKey, claims, now, oauthbearer, xoauth2};
use crate::support::wait_until;

#[test]
fn a_token_logs_in_its_bearer() {
    let world = World::new();
    for name in ["", MAIL, "ajones", "AJones", "Alan Jones", DN] {
        assert_eq!(
            world.log_in(&name.replace('=', "=3D").replace(',', "=2C"), &world.token()).as_deref(),
            Ok("ajones")
        );
        assert_eq!(world.log_in_as_google(name, &world.token()).as_deref(), Ok("ajones"), "{name}");
    }
    let line =
        world.service.wait_for_log(&[" event=login person=\"ajones\" login=\"Alan Jones\"", "mechanism=OAUTHBEARER"]);
    assert!(line.contains(&format!("kind=\"mail\" issuer=\"{ISSUER}\" claim=\"{MAIL}\"")), "{line}");
    assert!(line.contains(" proof=\"token\" "), "{line}");
    world.service.wait_for_log(&["mechanism=XOAUTH2 proof=\"token\""]);
}

/// A client may ask to act as somebody (RFC 7628 §3.1): here only as the person whom the token is about.
#[test]
fn the_authorization_identity_is_empty_or_any_name_of_the_same_person() {
    let world = World::new();
    for name in ["alamb", "alan.lamb@renovations.example", "nobody", "Alan"] {
        world.refuses(name, &world.token(), "the authorization identity is not a name of the token's owner");
        assert_eq!(world.log_in_as_google(name, &world.token()), Err(REFUSAL.to_owned()));
    }
    let words = ["event=login_refused person=\"ajones\" login=\"alamb\"", "claim=\"alan.jones@renovations.example\""];
    world.service.wait_for_log(&words);
}

#[test]
fn each_issuer_has_a_kind_of_name_of_its_own() {
    let world = World::new();
    let partner = |name: &str, further: &Value| {
        let mut claims = claims(MAIL, &json!({ "iss": PARTNER, "preferred_username": name, "scope": "mail" }));
        for (name, value) in further.as_object().unwrap() {
            claims[name] = value.clone();
        }
        world.partner.sign(&claims)
    };
    assert_eq!(world.log_in("", &partner("alamb", &json!({}))).as_deref(), Ok("alamb"));
    assert_eq!(world.log_in("", &partner("ALAMB", &json!({}))).as_deref(), Ok("alamb"));
    // Other names of the same person, and what would be one if it had been typed.
    for name in ["Alan Lamb", "alan.lamb@renovations.example", "UID=alamb", "Alan", "alam*", "nobody"] {
        world.refuses("", &partner(name, &json!({})), &format!("reason=\"no such login name\" issuer=\"{PARTNER}\""));
    }
    // What slapd takes for the same letters (RFC 4518 §2.3) are other letters in a token.
    world.refuses("", &partner("\u{ff41}lamb", &json!({})), "the token's name does not match this person's exactly");
    world.refuses("", &partner("alamb", &json!({ "scope": "openid" })), "token without the scope mail");
    // The one issuer's key signs nothing for the other.
    world.refuses(
        "",
        &world.partner.sign(&claims(MAIL, &json!({}))),
        "signed with an algorithm that is not allowed: \"ES256\"",
    );
    let stolen = world.key.sign(&claims(MAIL, &json!({ "iss": PARTNER, "preferred_username": "alamb" })));
    world.refuses("", &stolen, "signed with an algorithm that is not allowed: \"RS256\"");
}

/// A token is refused in the same words whatever is wrong with it; the log has the reason.
#[test]
fn the_log_has_the_true_reason() {
    let world = World::new();
    let stranger = SigningKey::new("2026", jsonwebtoken::Algorithm::RS256);
    for (token, reason) in [
        (world.token_with(&json!({ "exp": now() - 6 })), "token expired "),
        (world.token_with(&json!({ "nbf": now() + 600 })), "token not valid for another "),
        (world.token_with(&json!({ "aud": "imap" })), "token for another audience: \"imap\""),
        (world.token_with(&json!({ "iss": "x\ny" })), "token of an issuer that is not configured: \"x\\ny\""),
        (world.token_with(&json!({ "email": null })), "token without the claim email as a string"),
        (world.token_with(&json!({ "email": "nobody@x.example" })), "no such login name"),
        (world.token_with(&json!({ "email": "\u{7}" })), "login name contains a control character"),
        (world.token_with(&json!({ "email_verified": false })), "mail address that its issuer did not verify"),
        (stranger.sign(&claims(MAIL, &json!({}))), "token with a wrong signature"),
        (SigningKey::new("2027", jsonwebtoken::Algorithm::RS256).sign(&claims(MAIL, &json!({}))), "kid \"2027\""),
        ("opaque".to_owned(), "malformed token: not a JWT"),
        (String::new(), "reason=\"no token\" "),
        ("a,b".to_owned(), "not a token"),
    ] {
        world.refuses("ajones", &token, reason);
    }
}

/// RFC 7628 §4.3: the error as a challenge, a dummy response, and only then the end.
#[test]
fn a_refusal_has_the_form_of_the_mechanism() {
    let world = World::new();
    let expired = world.token_with(&json!({ "exp": 5 }));
    let configuration = format!("{ISSUER}/.well-known/openid-configuration");
    for (mechanism, sent, dummy, told) in [
        (
            "OAUTHBEARER",
            oauthbearer("ajones", &expired),
            "AQ==",
            json!({ "status": "invalid_token", "openid-configuration": configuration }),
        ),
        (
            "XOAUTH2",
            xoauth2("ajones", &expired),
            "",
            json!({ "status": "401", "schemes": "bearer", "openid-configuration": configuration }),
        ),
    ] {
        for dummy in [dummy, "*", "QUIT", &"x".repeat(20_000)] {
            let mut client = world.client();
            assert_eq!(client.ask(&format!("AUTH {mechanism}"), "+ "), "+ ");
            let challenge = client.ask(&sent, "+ ").split_off(2);
            let json: Value = serde_json::from_slice(&STANDARD.decode(challenge).unwrap()).unwrap();
            assert_eq!(json, told);
            assert_eq!(client.ask(dummy, "-ERR"), REFUSAL);
            // The session goes on, and a good token still counts.
            client.send(&format!("AUTH OAUTHBEARER {}", oauthbearer("", &world.token())));
            assert_eq!(opened(&mut client, "").as_deref(), Ok("ajones"));
        }
    }
}

#[test]
fn three_refused_tokens_end_a_session() {
    let world = World::new();
    let mut client = world.client();
    for _ in 0..3 {
        client.ask(&format!("AUTH OAUTHBEARER {}", oauthbearer("", "x")), "+ ");
        client.ask("AQ==", REFUSAL);
    }
    client.ended();
}

#[test]
fn an_exchange_can_be_cancelled_or_go_wrong() {
    let world = World::new();
    let mut client = world.client();
    client.ask("AUTH OAUTHBEARER", "+ ");
    client.ask("*", "-ERR authentication cancelled");
    client.ask("AUTH OAUTHBEARER =", "-ERR malformed response");
    client.ask("AUTH XOAUTH2 AQ==", "-ERR malformed response");
    client.ask(&format!("AUTH XOAUTH2 {}", oauthbearer("", "x")), "-ERR malformed response");
    client.ask(&format!("AUTH OAUTHBEARER {}", xoauth2("x", "x")), "-ERR malformed response");
    client.ask("AUTH OAUTHBEARER ä", "-ERR malformed response");
}

/// 12,288 octets is what a server must take (RFC 5034 §4): with the command, and as an answer.
#[test]
fn big_tokens_work() {
    let world = World::new();
    let token = world.token_with(&json!({ "groups": "x".repeat(6_300) }));
    let response = oauthbearer("", &token);
    assert!((11_900..12_288).contains(&response.len()), "{}", response.len());
    let mut client = world.client();
    client.ask("AUTH OAUTHBEARER", "+ ");
    client.send(&response);
    assert_eq!(opened(&mut client, "").as_deref(), Ok("ajones"));
    assert_eq!(world.log_in("", &token).as_deref(), Ok("ajones"));
    let mut client = world.client();
    client.ask("AUTH OAUTHBEARER", "+ ");
    client.ask(&"A".repeat(12_289), "-ERR line too long");
}

/// Where a password may be sent, and only there: a token in clear is as good for an eavesdropper.
#[test]
fn tokens_are_offered_where_a_password_may_be_sent() {
    let world = World::with(|plan, _| {
        plan.listeners.push_str("  - { address: \"127.0.0.1:0\", tls: starttls, login_without_tls: refuse }\n");
    });
    let refusing = world.service.listeners.last().unwrap().0;
    let mut client = Conversation::plain(refusing);
    client.expect("+OK");
    assert_eq!(mechanisms(&mut client), "");
    let sent = format!("AUTH OAUTHBEARER {}", oauthbearer("", "x"));
    client.ask(&sent, "-ERR tokens are accepted under TLS only: send STLS first");
    client.stls(NAME, &world.tls);
    assert_eq!(mechanisms(&mut client), "PLAIN LOGIN OAUTHBEARER XOAUTH2");
    client.send(&format!("AUTH OAUTHBEARER {}", oauthbearer("", &world.token())));
    assert_eq!(opened(&mut client, "").as_deref(), Ok("ajones"));
    let mut client = Conversation::plain(world.service.pop3());
    client.expect("+OK");
    assert_eq!(mechanisms(&mut client), "PLAIN LOGIN OAUTHBEARER XOAUTH2");
    let without = World::with(|plan, _| plan.further = "refusal_step: 0s\n".to_owned());
    let mut client = without.client();
    assert_eq!(mechanisms(&mut client), "PLAIN LOGIN");
    client.ask(&sent, "-ERR tokens are not accepted here");
}

fn mechanisms(client: &mut Conversation) -> String {
    client.ask("CAPA", "+OK");
    let lines = String::from_utf8(client.multiline()).unwrap();
    lines.lines().find_map(|line| line.strip_prefix("SASL ")).unwrap_or_default().to_owned()
}

/// The issuer signs by a new key, and soon only by that.
#[test]
fn keys_change_without_a_restart() {
    let world = World::new();
    let next = SigningKey::new("2027", jsonwebtoken::Algorithm::RS256);
    let by_next = next.sign(&claims(MAIL, &json!({})));
    world.refuses("", &by_next, "token signed with a key that is not in the issuer's files: kid \"2027\"");
    world.publish(&[&world.key, &next]);
    assert_eq!(world.log_in("", &by_next).as_deref(), Ok("ajones"));
    assert_eq!(world.log_in("", &world.token()).as_deref(), Ok("ajones"));
    world.publish(&[&next]);
    world.refuses("", &world.token(), "token signed with a key that is not in the issuer's files: kid \"2026\"");
    // A job that went wrong: what was read before holds, and the log says so once.
    std::fs::write(world.site.folder().join("issuer.jwks"), "<html>not now</html>").unwrap();
    world.service.wait_for_log(&["ERROR", "token keys changed but cannot be read", "issuer.jwks", "holds no key"]);
    assert_eq!(world.log_in("", &by_next).as_deref(), Ok("ajones"));
    world.publish(&[&next]);
    assert_eq!(world.log_in("", &by_next).as_deref(), Ok("ajones"));
}

/// A token login makes no bind: the state of the account is read from the entry.
#[test]
fn an_account_that_is_barred_is_not_let_in_by_a_token() {
    let world = World::new();
    let change = |lines: &str| world.slapd.modify(&format!("dn: {DN}\nchangetype: modify\n{lines}"));
    change("add: objectClass\nobjectClass: shadowAccount\n-\nadd: shadowExpire\nshadowExpire: 1\n");
    world.refuses("", &world.token(), "reason=\"account expired\" issuer=");
    change("replace: shadowExpire\nshadowExpire: 99999\n");
    assert_eq!(world.log_in("", &world.token()).as_deref(), Ok("ajones"));
}

#[test]
fn a_claim_that_is_ambiguous_is_rejected() {
    let world = World::new();
    let lamb = "uid=alamb,ou=Production,ou=people,dc=renovations,dc=example";
    world.slapd.modify(&format!("dn: {lamb}\nchangetype: modify\nadd: mail\nmail: {MAIL}\n"));
    world.refuses("", &world.token(), "reason=\"ambiguous: ");
    // The name that the client gives does not choose one of them.
    world.refuses("ajones", &world.token(), "reason=\"ambiguous: ");
}

/// What a claim leads to is held as long as what a login name leads to, and forgotten by the same order.
#[test]
fn the_person_behind_a_claim_is_cached_for_a_while() {
    let world = World::with(|plan, _| {
        let held = plan.further.replace("found: 0s", "found: 1h");
        plan.further = held + "admin: { socket: admin.sock }\n";
    });
    assert_eq!(world.log_in("", &world.token()).as_deref(), Ok("ajones"));
    world.slapd.modify(&format!("dn: {DN}\nchangetype: modify\ndelete: mail\n"));
    assert_eq!(world.log_in("", &world.token()).as_deref(), Ok("ajones"));
    let mut flush = restante();
    let file = world.site.folder().join("restante.yaml");
    assert!(flush.args(["flush", "ajones", "--config"]).arg(file).status().unwrap().success());
    world.refuses("", &world.token(), "no such login name");
}

/// Whose DN it is now is read, whatever is cached: a DN can be given to a successor.
#[test]
fn a_token_by_dn_leads_to_whoever_has_the_dn_now() {
    let world = World::with(|plan, _| {
        let by_dn =
            plan.further.replace("preferred_username\n    name: short_name", "dn\n    name: distinguished_name");
        plan.further = by_dn.replace("found: 0s", "found: 1h");
        "  path: \"{mail.local}/Maildir\"\n".clone_into(&mut plan.mailboxes);
    });
    let by_dn = |dn: &str| world.partner.sign(&claims(MAIL, &json!({ "iss": PARTNER, "dn": dn, "scope": "mail" })));
    for owner in ["alan.jones", "new.jones"] {
        login::give_mail(&world.site, owner);
    }
    for name in ["", "ajones", "Alan Jones"] {
        assert_eq!(world.log_in(name, &by_dn(DN)).as_deref(), Ok("alan.jones"), "{name}");
    }
    let (place, moved) = DN.split_once(',').map(|(_, place)| (place, format!("uid=alan,{place}"))).unwrap();
    world.slapd.modify(&format!(
        "dn: {DN}\nchangetype: modrdn\nnewrdn: uid=alan\ndeleteoldrdn: 1\nnewsuperior: {place}\n\ndn: {DN}\nchangetype: add\n\
         objectClass: inetOrgPerson\nuid: ajones\ncn: A Successor\nsn: Jones\nmail: new.jones@renovations.example\n"
    ));
    // With the predecessor's other names as identity it is nobody's.
    world.refuses("Alan Jones", &by_dn(DN), "the authorization identity is not a name of the token's owner");
    for name in ["", "ajones"] {
        assert_eq!(world.log_in_as_google(name, &by_dn(DN)).as_deref(), Ok("new.jones"), "{name}");
        assert_eq!(world.log_in(name, &by_dn(DN)).as_deref(), Ok("new.jones"), "{name}");
    }
    assert_eq!(world.log_in("Alan Jones", &by_dn(&moved)).as_deref(), Ok("alan.jones"));
    // Once the successor has left as well, the DN is nobody's.
    world.slapd.modify(&format!("dn: {DN}\nchangetype: delete\n"));
    world.refuses("", &by_dn(DN), "no such login name");
}

/// An outage is never told as a bad token, and those known of late go on working.
#[test]
fn a_silent_directory_refuses_nobody() {
    let mut world = World::new();
    assert_eq!(world.log_in("", &world.token()).as_deref(), Ok("ajones"));
    world.slapd.kill();
    let lamb = world.key.sign(&claims("alan.lamb@renovations.example", &json!({})));
    let refusal = world.log_in("", &lamb).unwrap_err();
    assert!(refusal.starts_with("-ERR [SYS/TEMP]"), "{refusal}");
    assert_eq!(world.log_in("", &world.token()).as_deref(), Ok("ajones"));
    world.service.wait_for_log(&["event=login person=\"ajones\"", "mechanism=OAUTHBEARER proof=\"outage grace\""]);
    world.slapd.restart();
    wait_until("the directory is asked again", || world.log_in("", &lamb).is_ok());
}

/// Who is not let in while the directory answers is not let in while it is silent either.
#[test]
fn likeness_bridges_no_outage() {
    let mut world = World::new();
    let partner = |name: &str| {
        let further = json!({ "preferred_username": name, "scope": "mail", "iss": PARTNER });
        world.partner.sign(&claims(MAIL, &further))
    };
    let (alike, own) = (partner("\u{ff41}lamb"), partner("alamb"));
    world.refuses("", &alike, "the token's name does not match this person's exactly");
    assert_eq!(world.log_in("", &own).as_deref(), Ok("alamb"));
    world.slapd.kill();
    assert_eq!(world.log_in("", &own).as_deref(), Ok("alamb"));
    let told = world.log_in("", &alike);
    assert!(told.as_ref().is_err_and(|refusal| refusal.starts_with("-ERR [SYS/TEMP]")), "{told:?}");
}

/// Nobody guesses a token: a person who is locked out for wrong passwords is let in by theirs, and refused tokens count for
/// the network they come from.
#[test]
fn refused_tokens_count_for_the_network_only() {
    let world = World::with(|plan, _| plan.lockout = "person: 3, network: 8, exempt_networks: []".to_owned());
    for password in ["a", "b", "c"] {
        login::refuses(&world.service, "ajones", password, "AUTH");
    }
    login::refuses(&world.service, "ajones", PASSWORD, "AUTH");
    world.service.wait_for_log(&["lock-out begins", "person=\"ajones\""]);
    assert_eq!(world.log_in("ajones", &world.token()).as_deref(), Ok("ajones"));
    // An office full of devices that wake up with yesterday's tokens is no attack, nor is a question.
    for number in 0..10 {
        world.refuses("alamb", &world.token_with(&json!({ "exp": number })), "token expired");
        world.refuses(&format!("person{number}"), "", "no token");
    }
    // The same one again and again counts once.
    let forged = world.token() + "A";
    for _ in 0..10 {
        world.refuses("alamb", &forged, "token with a wrong signature");
    }
    login::opens(&world.service, "alamb", "seven green lamps", "alamb");
    // With three wrong passwords and the right one of somebody who is locked out.
    for number in 0..3 {
        world.refuses("alamb", &format!("{forged}{number}"), "token with a wrong signature");
    }
    world.service.wait_for_log(&["lock-out begins", "network="]);
    world.refuses("alamb", &world.token(), "locked out: too many refused logins from this network");
}

/// No faster and no slower than any other refusal.
#[test]
fn a_refused_token_waits_for_the_step() {
    let world = World::with(|plan, _| plan.further = plan.further.replace("refusal_step: 0s", "refusal_step: 1s"));
    for token in [world.token_with(&json!({ "exp": 5 })), world.token_with(&json!({ "email": "nobody@x.example" }))] {
        let mut client = world.client();
        let began = std::time::Instant::now();
        client.ask(&format!("AUTH OAUTHBEARER {}", oauthbearer("", &token)), "+ ");
        let told = began.elapsed().as_secs_f64();
        assert!((1.0..1.9).contains(&told), "{told}");
    }
}

#[test]
fn a_listener_takes_tokens_only_from_its_networks() {
    let world = World::with(|plan, _| {
        plan.listeners = plan.listeners.replace("tls: implicit", "tls: implicit, accept_from: [192.0.2.0/24]");
    });
    world.refuses("ajones", &world.token(), "the listener takes no logins from that address");
}

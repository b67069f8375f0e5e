//! Who is let in: the account, the password, the certificate.

use std::fs;

use super::{ALAN, ALANS_SALT, LAMB, REFUSAL, World, opened};
use crate::support::certificates::{ClientAuthority, Request, showing};
use crate::support::conversation::Conversation;
use crate::support::directory::RealDirectory;
use crate::support::login::{give_mail, log_in};
use crate::support::overlays::Overlay;
use crate::support::scram::{Client, stored};
use crate::support::slapd::Options;

#[test]
fn opens_the_own_mail_by_any_login_name() {
    let world = World::new();
    for name in ["ajones", "Alan Jones", "alan.jones@renovations.example", "cn=Alan Jones"] {
        assert_eq!(world.log_in((name, ALAN.1)).as_deref(), Ok("ajones"), "{name}");
    }
    let log = world.service.wait_for_log(&[" login ", "login=\"Alan Jones\""]);
    for words in ["person=\"ajones\"", "kind=\"common_name\"", "mechanism=SCRAM-SHA-256 ", "proof=\"scram\" "] {
        assert!(log.contains(words), "{log}");
    }
}

/// "The authorization identity … any login name of the same person": as with PLAIN.
#[test]
fn the_authorization_identity_may_be_another_name_of_the_person() {
    let world = World::new();
    let log_in = |name, authorization: &str| {
        let header = format!("n,{authorization},");
        let mut pop3 = Conversation::plain(world.service.pop3());
        pop3.expect("+OK");
        Client { header: &header, ..Client::new((name, ALAN.1)) }.log_in(&mut pop3)
    };
    for (name, authorization) in [
        ("ajones", "a=ajones"),
        ("ajones", "a=alan.jones@renovations.example"),
        ("alan.jones@renovations.example", "a=ajones"),
        ("ajones", "a=cn=3DAlan Jones"),
    ] {
        let reply = log_in(name, authorization);
        assert!(reply.starts_with("+OK"), "{name} {authorization}: {reply}");
    }
    for other in ["a=alamb", "a=nobody", "a=Mary Brown"] {
        assert_eq!(log_in("ajones", other), REFUSAL, "{other}");
        world.service.wait_for_log(&["login refused", "the authorization identity is not a name of this person"]);
    }
}

#[test]
fn whoever_else_it_is_is_refused_in_the_same_words() {
    let world = World::new();
    world.refuses((ALAN.0, "another"), "wrong password");
    world.refuses((ALAN.0, "violet-harbour-17"), "wrong password");
    world.refuses(LAMB, "the entry has no SCRAM-SHA-256 credentials");
    world.refuses(("nobody", "x"), "no such login name");
    world.refuses(("Mary Brown", "paper-boat-42"), "ambiguous: ");
    // The other mechanisms go on as before.
    assert_eq!(log_in(&world.service, LAMB.0, LAMB.1).as_deref(), Ok("alamb"));
}

#[test]
fn a_changed_password_works_at_once_and_the_old_one_no_more() {
    let world = World::new();
    assert_eq!(world.log_in(ALAN).as_deref(), Ok("ajones"));
    for (password, before) in [("second-5", ALAN.1), ("third-5", "second-5")] {
        world.give(ALAN.0, &[&stored(password, b"another salt", 10_000)]);
        world.refuses((ALAN.0, before), "wrong password");
        assert_eq!(world.log_in((ALAN.0, password)).as_deref(), Ok("ajones"));
    }
}

/// What is held of somebody leads to where their entry was.
#[test]
fn somebody_who_moved_is_found() {
    let world = World::new();
    assert_eq!(world.log_in(ALAN).as_deref(), Ok("ajones"));
    let dn = world.slapd.dn(ALAN.0);
    let superior = "ou=Production,ou=people,dc=renovations,dc=example";
    world.slapd.modify(&format!(
        "dn: {dn}\nchangetype: modrdn\nnewrdn: uid=ajones\ndeleteoldrdn: 0\nnewsuperior: {superior}\n"
    ));
    assert_eq!(world.log_in(ALAN).as_deref(), Ok("ajones"));
}

/// Whoever has the place of somebody else's entry does not get that one's mail.
#[test]
fn a_successor_of_the_same_name_gets_their_own_mail() {
    let world = World::with(Options::default(), |plan, _| {
        "  path: \"{mail.local}/Maildir\"\n".clone_into(&mut plan.mailboxes);
    });
    give_mail(&world.site, "alan.jones");
    give_mail(&world.site, "new.jones");
    assert_eq!(world.log_in(ALAN).as_deref(), Ok("alan.jones"));
    let (dn, value) = (world.slapd.dn(ALAN.0), stored("second-5", ALANS_SALT, 4096));
    world.slapd.modify(&format!(
        "dn: {dn}\nchangetype: delete\n\ndn: {dn}\nchangetype: add\nobjectClass: inetOrgPerson\n\
         objectClass: authPasswordObject\nuid: ajones\ncn: Alan Jones\nsn: Jones\nmail: new.jones@renovations.example\n\
         authPassword: {value}\n"
    ));
    world.refuses(ALAN, "wrong password");
    assert_eq!(world.log_in(("ajones", "second-5")).as_deref(), Ok("new.jones"));
}

#[test]
fn a_disabled_person_is_refused() {
    let options = Options { overlays: &[Overlay::PasswordPolicy], ..Options::default() };
    let world = World::with(options, |plan, _| plan.further.push_str("cache: { found: 0s }\n"));
    assert_eq!(world.log_in(ALAN).as_deref(), Ok("ajones"));
    world.slapd.disable(ALAN.0);
    world.refuses(ALAN, "account locked");
}

#[test]
fn a_certificate_must_be_the_same_persons() {
    let authority = ClientAuthority::new("CA for people");
    let [own, others] = ["Alan Jones", "Alan Lamb"].map(|name| authority.sign(Request::named(name)));
    let world = World::with(Options::default(), |plan, site| {
        fs::write(site.folder().join("people-ca.pem"), authority.pem()).unwrap();
        "  - { address: \"127.0.0.1:0\", tls: implicit, client_certificate: required }\n"
            .clone_into(&mut plan.listeners);
        plan.tls.push_str("  client_ca: people-ca.pem\n");
        "person: 2, network: 0".clone_into(&mut plan.lockout);
    });
    for (person, certificate) in [(ALAN, &own), (LAMB, &others)] {
        let dn = world.slapd.dn(person.0);
        let value = certificate.ldif();
        world.slapd.modify(&format!("dn: {dn}\nchangetype: modify\nadd: userCertificate;binary\n{value}\n"));
    }
    let log_in = |certificate| {
        let tls = showing(&world.site.authority(), Some(certificate));
        let mut pop3 = Conversation::tls(world.service.pop3s(), "localhost", &tls);
        pop3.expect("+OK");
        let reply = Client::new(ALAN).log_in(&mut pop3);
        opened(&mut pop3, reply)
    };
    assert_eq!(log_in(&own).as_deref(), Ok("ajones"));
    assert_eq!(log_in(&others), Err(REFUSAL.to_owned()));
    world.service.wait_for_log(&["login refused", "reason=\"the certificate is another person's: "]);
    assert_eq!(log_in(&others), Err(REFUSAL.to_owned()));
    world.service.wait_for_log(&["WARN", "lock-out begins", "person=\"ajones\"", "wrong_passwords=2"]);
}

/// What is flushed while a client answers counts no more, however late the client answers.
#[test]
fn a_flush_reaches_logins_under_way() {
    let world = World::with(Options::default(), |plan, _| plan.further.push_str("admin: { socket: admin.sock }\n"));
    let mut pop3 = world.connect();
    let client = Client::new(ALAN);
    let begun = client.begin(&mut pop3).unwrap();
    world.command(&["flush", ALAN.0]);
    let refusal = client.prove(&mut pop3, &begun).unwrap_err();
    assert!(refusal.starts_with("-ERR [SYS/TEMP] "), "{refusal}");
    world.service.wait_for_log(&["login not possible", "reason=\"the entry changed while the client answered\""]);
    assert!(client.log_in(&mut pop3).starts_with("+OK"));
}

#[test]
fn what_is_secret_is_never_logged() {
    let world = World::with(Options::default(), |plan, _| plan.further.push_str("log: { level: debug }\n"));
    assert_eq!(world.log_in(ALAN).as_deref(), Ok("ajones"));
    world.refuses((ALAN.0, "wrong"), "wrong password");
    let log = world.service.log().join("\n");
    let value = stored(ALAN.1, ALANS_SALT, 4096);
    for secret in value.split(['$', ':']).skip(2).chain([ALAN.1, "a secret of all nodes"]) {
        assert!(!log.contains(secret), "{secret}\n{log}");
    }
}

#[test]
fn resolve_shows_who_has_credentials() {
    let world = World::new();
    for (name, words) in [
        (ALAN.0, "scram       authPassword has credentials, 4096 iterations"),
        (LAMB.0, "scram       authPassword has no SCRAM-SHA-256 credentials"),
    ] {
        let told = world.command(&["resolve", name]);
        assert!(told.contains(words), "{told}");
    }
}

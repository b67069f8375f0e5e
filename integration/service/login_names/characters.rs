//! What is typed matches itself and nothing else: LDAP's special characters, blanks, lengths, passwords.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{REFUSAL, World};
use crate::support::conversation::Conversation;
use crate::support::directory::RealDirectory;
use crate::support::login::opens;
use crate::support::process::{output, program};
use crate::support::slapd::{Options, Slapd};

#[test]
fn special_characters_match_only_themselves() {
    let world = World::with_names("names: more");
    let dn = r"cn=Smith\2C Ann (Paris)* \5C \2B 1,ou=Sales,ou=people,dc=renovations,dc=example";
    let other_dn = r"cn=Smith\, Ann (Paris)* \\ \+ 1,ou=Sales,ou=people,dc=renovations,dc=example";
    world.opens(&[
        (r"Smith, Ann (Paris)* \ + 1", "asmith", "common_name"),
        (r"CN=smith, ann (paris)* \ + 1", "asmith", "common_name"),
        (r"Smith, Ann (Paris)* \ + 1/Sales/people", "asmith", "hierarchical_name"),
        (dn, "asmith", "distinguished_name"),
        (other_dn, "asmith", "distinguished_name"),
    ]);
    let guesses = [
        "*",
        "a*",
        "*jones",
        "ajones*",
        "CN=*",
        "UID=*",
        "UID=a*",
        "*@*",
        "*@renovations.example",
        "*)(uid=*",
        "ajones)(uid=*",
        "ajones)(|(uid=*)",
        "*))(|(uid=*",
        "(uid=ajones)",
        "!(uid=x)",
        r"\61jones",
        r"ajones\",
        r"ajones\00",
        r"Smith\2c Ann (Paris)* \5c \2b 1",
        "Smith*",
        "*/Sales/people",
        "Alan Jones/*/people",
        "cn=*/ou=Sales/ou=people",
        "uid=*,ou=Sales,ou=people,dc=renovations,dc=example",
        "ou=Sales,ou=people,dc=renovations,dc=example",
        "ou=people,dc=renovations,dc=example",
    ];
    for guess in guesses {
        world.refuses_with(guess, world.password("ajones"), "no such login name");
    }
}

#[test]
fn blanks_around_a_name_are_ignored_and_some_names_are_rejected() {
    let world = World::with_names("names: fewer");
    opens(&world.service, " ajones  ", world.password("ajones"), "ajones");
    for (login, reason) in [
        ("a".repeat(513), "login name too long"),
        ("a".repeat(512), "no such login name"),
        ("aj\u{7}ones".to_owned(), "login name contains a control character"),
    ] {
        world.refuses_with(&login, world.password("ajones"), reason);
    }
}

#[test]
fn passwords_count_octet_by_octet() {
    let world = World::with_names("names: fewer");
    for (login, password) in [
        ("ajones", "violet-harbour-17 "),
        ("ajones", " violet-harbour-17"),
        ("ajones", "VIOLET-HARBOUR-17"),
        ("ajones", "violet-harbour-1"),
        ("alamb", "seven  green lamps"),
        ("jmueller", "grune Apfel"),
        ("jmueller", "gru\u{308}ne A\u{308}pfel"),
        ("asmith", r"lantern*(over)\\water"),
        ("asmith", "*"),
        ("ajones", "{SSHA}"),
        // Another person's.
        ("mbrown", "quiet-orchard-8"),
    ] {
        world.refuses_with(login, password, "wrong password");
    }
    for (login, password) in
        [("alamb", "seven green lamps"), ("jmueller", "grüne Äpfel"), ("asmith", r"lantern*(over)\water")]
    {
        opens(&world.service, login, password, login);
    }
}

/// "Clients SHOULD disallow an empty password input to a Name/Password Authentication user interface." (RFC 4513 §5.1.2)
/// Some do not; and this slapd lets a bind with a name and no password succeed, as nobody in particular.
#[test]
fn an_empty_password_is_nobodys() {
    let trap = Options { global: "allow bind_anon_dn".to_owned(), ..Options::default() };
    let slapd = Slapd::start_with(&super::ldif(), &trap);
    let alan = "uid=ajones,ou=Sales,ou=people,dc=renovations,dc=example";
    let bound = output(program("ldapwhoami").args(["-x", "-H", &slapd.url(), "-D", alan, "-w", ""]), "");
    assert!(bound.status.success(), "the trap is not set: {}", String::from_utf8_lossy(&bound.stderr));

    let world = World::before(slapd, "names: fewer", |_| {});
    for login in ["ajones", "Alan Jones", alan, "nobody"] {
        world.refuses_with(login, "", "empty password");
        let mut client = Conversation::plain(world.service.pop3());
        client.expect("+OK");
        let response = STANDARD.encode(format!("\0{login}\0"));
        assert_eq!(client.ask(&format!("AUTH PLAIN {response}"), "-ERR"), REFUSAL);
    }
}

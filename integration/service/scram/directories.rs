//! Several directories: each person's own holds their credentials.

use restante::demo::people::{BASE, LDIF};

use super::{ALAN, World};
use crate::support::directory::RealDirectory;
use crate::support::login::give_mail;
use crate::support::scram::{SCHEMA, stored};
use crate::support::slapd::{Options, Slapd};

const ERNA: (&str, &str) = ("eother", "silver-teapot-9");

/// The services' part of the sample directory, and one person.
fn other() -> Slapd {
    let (first, _) = LDIF.split_once("dn: ou=Sales,").unwrap();
    let value = stored(ERNA.1, b"sixteen others..", 4096);
    let person = format!(
        "dn: uid=eother,{BASE}\nobjectClass: inetOrgPerson\nobjectClass: authPasswordObject\nuid: eother\ncn: Erna Other\n\
         sn: Other\nauthPassword: {value}\n"
    );
    Slapd::start_with(&format!("{first}{person}"), &Options { global: SCHEMA.to_owned(), ..Options::default() })
}

/// In front of both; with the second one's lines.
fn world(other: &Slapd, lines: &str) -> World {
    let url = other.url();
    let world = World::with(Options::default(), |plan, _| {
        let bind =
            "    bind: { dn: \"cn=restante,ou=services,dc=renovations,dc=example\", password_file: ldap.password }\n";
        let second = format!("  - name: other\n    urls: [\"{url}\"]\n{bind}    base: \"{BASE}\"\n{lines}");
        plan.directory.push_str(&second);
    });
    give_mail(&world.site, ERNA.0);
    world
}

#[test]
fn the_own_directory_holds_the_credentials() {
    let other = other();
    let world = world(&other, "    attributes: { scram: authPassword }\n");
    assert_eq!(world.log_in(ALAN).as_deref(), Ok(ALAN.0));
    assert_eq!(world.log_in(ERNA).as_deref(), Ok(ERNA.0));
    world.refuses((ERNA.0, ALAN.1), "wrong password");
}

#[test]
fn where_a_directory_has_none_its_people_are_refused() {
    let other = other();
    let world = world(&other, "");
    assert_eq!(world.log_in(ALAN).as_deref(), Ok(ALAN.0));
    world.refuses(ERNA, "the entry has no SCRAM-SHA-256 credentials");
}

#[test]
fn a_silent_directory_is_an_outage_for_whom_it_may_hold() {
    let mut other = other();
    let world = world(&other, "    attributes: { scram: authPassword }\n");
    assert_eq!(world.log_in(ALAN).as_deref(), Ok(ALAN.0));
    other.stop();
    for name in [ERNA.0, "nobody"] {
        let refusal = world.log_in((name, ERNA.1)).unwrap_err();
        assert!(refusal.starts_with("-ERR [SYS/TEMP] "), "{name}: {refusal}");
    }
    // It was known that nobody else has his name.
    assert_eq!(world.log_in(ALAN).as_deref(), Ok(ALAN.0));
}

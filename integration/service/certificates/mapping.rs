//! Whose a certificate is: by the key in the entry, or by the authority's word for its subject.

use std::sync::Arc;

use rcgen::{DnType, KeyPair, OtherNameValue, SanType};

use super::World;
use crate::support::certificates::{ClientAuthority, Request};
use crate::support::directory::RealDirectory;
use crate::support::login::give_mail;
use crate::support::service::Site;
use crate::support::slapd::{Options, Slapd};

/// What Active Directory has and slapd has not.
const SCHEMA: &str = "attributetype ( 1.2.840.113556.1.4.656 NAME 'userPrincipalName' EQUALITY caseIgnoreMatch \
                      SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
objectclass ( 1.3.6.1.4.1.4203.666.1 NAME 'principal' SUP top AUXILIARY MAY userPrincipalName )";

/// A tree whose names hold each attribute type once.
const PEOPLE: &str = "
dn: o=Renovations
objectClass: organization
o: Renovations

dn: ou=people,o=Renovations
objectClass: organizationalUnit
ou: people

dn: uid=ajones,ou=people,o=Renovations
objectClass: inetOrgPerson
uid: ajones
cn: Alan Jones
sn: Jones
mail: alan.jones@renovations.example

dn: uid=alamb,ou=people,o=Renovations
objectClass: inetOrgPerson
uid: alamb
cn: Alan Lamb
sn: Lamb
mail: alan.lamb@renovations.example

dn: uid=upn,ou=people,o=Renovations
objectClass: inetOrgPerson
objectClass: principal
uid: upn
cn: Ursula Paine
sn: Paine
userPrincipalName: upaine@ad.renovations.example
";

fn world(mapping: &str) -> World {
    let authority = ClientAuthority::new("Renovations CA for people");
    let own = authority.sign(Request::named("Alan Jones"));
    let smiths = [1, 2].map(|_| authority.sign(Request::named("Kim Lee")));
    let mut ldif = PEOPLE.trim_start().replace("uid: ajones\n", &format!("uid: ajones\n{}", own.ldif()));
    for number in 1..=6 {
        let certificate = if number == 1 { smiths[0].ldif() } else { String::new() };
        let dn = format!("\ndn: uid=kim{number},ou=people,o=Renovations\n");
        ldif += &(dn + "objectClass: inetOrgPerson\ncn: Kim Lee\nsn: Lee\n" + &certificate);
    }
    let options = Options { global: SCHEMA.to_owned(), anybody_reads: true, ..Options::default() };
    let slapd = Slapd::start_with(&ldif, &options);
    let directory = format!(
        "    urls: [\"{}\"]\n    base: \"ou=people,o=Renovations\"\n    certificate_mapping: {mapping}\n",
        slapd.url()
    );
    let world = World::before(slapd, Site::new(), authority, own, smiths, |plan, _| plan.directory = directory);
    give_mail(&world.site, "upn");
    world
}

/// `UID=…,OU=people,O=…` in the order of a certificate: the root's part first.
fn subject(organization: &str, uid: &str) -> Request {
    let of_uid = DnType::from_oid(&[0, 9, 2342, 19_200_300, 100, 1, 1]);
    let parts = [(DnType::OrganizationName, organization), (DnType::OrganizationalUnitName, "people"), (of_uid, uid)];
    Request::of(&parts)
}

/// `emailAddress` within the subject, as old certificates have it.
fn old_mail(address: &str) -> Request {
    Request::of(&[(DnType::from_oid(&[1, 2, 840, 113_549, 1, 9, 1]), address)])
}

fn principal(name: &str) -> Request {
    let kind = vec![1, 3, 6, 1, 4, 1, 311, 20, 2, 3];
    Request::named("x").and(SanType::OtherName((kind, OtherNameValue::Utf8String(name.to_owned()))))
}

#[test]
fn with_the_key_in_the_entry_names_only_say_where_to_look() {
    let world = world("key");
    let alans = &world.own.key;
    for request in [
        subject("Renovations", "ajones"),
        subject("RENOVATIONS", "AJones"),
        Request::named("alan jones"),
        Request::named("x").mail("alan.jones@renovations.example"),
        Request::named("Alan Lamb").mail("alan.jones@renovations.example"),
        old_mail("alan.jones@renovations.example"),
    ] {
        let told = format!("{:?}", request.params);
        assert_eq!(world.external(&world.authority.sign_key(request, alans)).as_deref(), Ok("ajones"), "{told}");
    }
    let refuses = |request, key: &Arc<KeyPair>, reason| {
        world.refuses(&world.authority.sign_key(request, key), reason);
    };
    let others = &world.smiths[1].key;
    refuses(
        subject("Renovations", "ajones"),
        others,
        "no person found for the certificate: its key is not in uid=ajones,",
    );
    refuses(
        subject("Renovations", "alamb"),
        alans,
        "no person found for the certificate: its key is not in uid=alamb,",
    );
    refuses(Request::named("Alan Lamb"), alans, "no person found for the certificate: its key is not in uid=alamb,");
    refuses(Request::named("ajones"), alans, "no person found for the certificate: no entry fits its subject");
    refuses(Request::named("*"), alans, "no person found for the certificate: no entry fits its subject");
    refuses(
        principal("upaine@ad.renovations.example"),
        alans,
        "no person found for the certificate: no entry fits its subject",
    );
    // Six people have that name: who knows whether there are more.
    refuses(Request::named("Kim Lee"), &world.smiths[0].key, "reason=\"ambiguous: uid=kim");
}

#[test]
fn the_authority_is_trusted_for_whole_names_and_addresses_only() {
    let world = world("subject");
    for (request, owner) in [
        (subject("Renovations", "ajones"), "ajones"),
        (Request::named("Alan Jones").mail("Alan.Lamb@renovations.example"), "alamb"),
        (principal("upaine@ad.renovations.example"), "upn"),
        (subject("Renovations", "ajones").mail("alan.jones@renovations.example"), "ajones"),
    ] {
        let told = format!("{:?}", request.params);
        assert_eq!(world.external(&world.authority.sign(request)).as_deref(), Ok(owner), "{told}");
    }
    let refuses = |request, reason| world.refuses(&world.authority.sign(request), reason);
    refuses(Request::named("Alan Jones"), "no person found for the certificate: no entry fits its subject");
    refuses(
        old_mail("alan.jones@renovations.example"),
        "no person found for the certificate: no entry fits its subject",
    );
    refuses(subject("Elsewhere", "ajones"), "no person found for the certificate: no entry fits its subject");
    refuses(
        subject("Renovations", "ajones").mail("alan.lamb@renovations.example"),
        "reason=\"ambiguous: uid=ajones,ou=people,o=Renovations and uid=alamb,ou=people,o=Renovations",
    );
}

//! Where the mail of the person found lies, or why that cannot be told.

use super::World;
use crate::support::directory::RealDirectory;
use crate::support::login::{give_mail, log_in, opens, refuses};
use crate::support::maildir;
use crate::support::service::Plan;

/// The right password of somebody without mailbox gets the words of a wrong one; the log knows.
#[test]
fn a_person_without_a_mailbox_path_cannot_log_in() {
    let world = World::with("names: fewer", |plan| "  path: \"{mail}/Maildir\"\n".clone_into(&mut plan.mailboxes));
    give_mail(&world.site, "alan.jones@renovations.example");
    opens(&world.service, "ajones", world.password("ajones"), "alan.jones@renovations.example");
    opens(&world.service, "Alan Jones", world.password("ajones"), "alan.jones@renovations.example");
    world.refuses(&[
        ("tclerk", "tclerk", "no maildrop: the entry has no value for {mail}\""),
        ("Tom Clerk/Production/people", "tclerk", "no maildrop: the entry has no value for {mail}\""),
        ("jmueller", "jmueller", "no maildrop: the entry has several values for {mail}, none of them in its RDN\""),
    ]);
    world.refuses_with("tclerk", "wrong", "wrong password");
}

/// The canonical name and the maildrop come from the entry, never from what was typed.
#[test]
fn what_was_typed_never_makes_a_path() {
    let world = World::with_names("names: fewer");
    for typed in ["AJONES", "Alan Jones", "alan.jones@renovations.example"] {
        maildir::make(&world.site.maildir(typed), &[("new/1.x", b"Subject: mail of nobody\n\n")]);
        opens(&world.service, typed, world.password("ajones"), "ajones");
    }
    for typed in ["../ajones", "ajones/", "/ajones", "ajones/../alamb", "./ajones"] {
        world.refuses_with(typed, world.password("ajones"), "no such login name");
    }
    assert!(log_in(&world.service, "ajones", world.password("alamb")).is_err());
}

/// Somebody with capitals in every value, and several of two attributes, of which one each stands in the RDN.
const ZED: &str = "dn: uid=Zed+departmentNumber=D-2,ou=Sales,ou=people,dc=renovations,dc=example
changetype: add
objectClass: inetOrgPerson
uid: Other
uid: Zed
cn: Zed Grey
sn: Grey
mail: Zed.Grey@Renovations.Example
departmentNumber: D-1
departmentNumber: D-2
title: Box/Zed
userPassword: two-wet-stones
";

/// Each field, as it is and in lower case. "Of several values the one in the entry's RDN counts", whatever its order.
#[test]
fn every_field_makes_a_path() {
    let world = World::with_names("names: fewer");
    world.slapd.modify(ZED);
    for (field, place) in [
        ("short_name", "Zed"),
        ("canonical_name", "Zed"),
        ("mail", "Zed.Grey@Renovations.Example"),
        ("mail.local", "Zed.Grey"),
        ("mail.domain", "Renovations.Example"),
        ("attr:departmentNumber", "D-2"),
        ("attr:title", "Box/Zed"),
    ] {
        for (field, place) in [(field.to_owned(), place.to_owned()), (format!("{field}|lower"), place.to_lowercase())] {
            give_mail(&world.site, &place);
            let service = world.site.serve(&plan_of(&world, &field));
            opens(&service, "Zed Grey", "two-wet-stones", &place);
        }
    }
    world.slapd.modify(
        "dn: uid=Zed+departmentNumber=D-2,ou=Sales,ou=people,dc=renovations,dc=example\nchangetype: modrdn\n\
         newrdn: uid=Zed\ndeleteoldrdn: 0\n",
    );
    let service = world.site.serve(&plan_of(&world, "attr:departmentNumber"));
    refuses(&service, "Zed Grey", "two-wet-stones", "AUTH");
    service.wait_for_log(&["several values for {attr:departmentNumber}, none of them in its RDN"]);
}

fn plan_of(world: &World, field: &str) -> Plan {
    let mut plan = Plan::at(&world.slapd.url()).and("refusal_step: 0s");
    plan.mailboxes = format!("  path: \"{{{field}}}/Maildir\"\n");
    plan
}

//! Where a directory keeps people and names: schema, filter, attributes, and the service's own entry among the people.

use super::World;
use crate::support::directory::RealDirectory;
use crate::support::login::{opens, refuses};
use crate::support::maildir;

const NOBODY: &str = "no such login name";

/// Only those with a `posixAccount`, and their mail in their home directory.
#[test]
fn posix_accounts_and_their_home_directories() {
    let world = World::with("names: fewer", |plan| {
        plan.directory.push_str("    schema: posix\n");
        "  path: \"{attr:homeDirectory}/Maildir\"\n".clone_into(&mut plan.mailboxes);
    });
    let below_root = world.site.root().join("home/alan").display().to_string();
    let homes = [("ajones", below_root), ("alamb", "home/alan-lamb".to_owned())];
    for ((person, home), unit) in homes.iter().zip(["Sales", "Production"]) {
        world.slapd.modify(&format!(
            "dn: uid={person},ou={unit},ou=people,dc=renovations,dc=example\nchangetype: modify\n\
             replace: homeDirectory\nhomeDirectory: {home}\n"
        ));
        let message = format!("Subject: mail of {person} at home\n\n");
        let at = world.site.root().join(home).join("Maildir");
        maildir::make(&at, &[("new/1.only", message.as_bytes())]);
    }
    for login in ["ajones", "Alan Jones", "Alan Jones/Sales/people", "alan.jones@renovations.example"] {
        opens(&world.service, login, world.password("ajones"), "ajones at home");
    }
    opens(&world.service, "alamb", world.password("alamb"), "alamb at home");
    world.refuses(&[("mbrown", "mbrown", NOBODY), ("nhart", "nhart", NOBODY)]);
}

/// A home directory outside the mail root is told as our fault, not as the person's.
#[test]
fn a_home_directory_outside_the_root_is_forbidden() {
    let world = World::with("names: fewer", |plan| {
        plan.directory.push_str("    schema: posix\n");
        "  path: \"{attr:homeDirectory}/Maildir\"\n".clone_into(&mut plan.mailboxes);
    });
    refuses(&world.service, "ajones", world.password("ajones"), "SYS/PERM");
    world.service.wait_for_log(&["ERROR", "maildrop forbidden", "person=\"ajones\"", "/home/ajones"]);
}

#[test]
fn a_filter_replaces_the_schemas() {
    let world = World::with("names: fewer", |plan| {
        plan.directory.push_str("    filter: \"(&(objectClass=inetOrgPerson)(!(sn=Brown)))\"\n");
    });
    world.opens(&[("ajones", "ajones", "short_name"), ("nhart", "nhart", "short_name")]);
    let browns_dn = "uid=mbrown,ou=Sales,ou=people,dc=renovations,dc=example";
    world.refuses(&[
        ("mbrown", "mbrown", NOBODY),
        ("Mary Brown", "mbrown", NOBODY),
        ("Mary Brown/Sales/people", "mbrown", NOBODY),
        (browns_dn, "mbrown", NOBODY),
    ]);
}

#[test]
fn attributes_can_be_called_otherwise() {
    let world = World::with("names: more", |plan| {
        plan.directory.push_str("    attributes: { short_name: employeeNumber, first_name: ou }\n");
        "  path: \"{attr:uid}/Maildir\"\n".clone_into(&mut plan.mailboxes);
    });
    for login in ["E-1017", "e-1017", "UID=E-1017", "Nora Hart", "nora.hart@renovations.example", "Hart"] {
        opens(&world.service, login, world.password("nhart"), "nhart");
    }
    world.service.wait_for_log(&[" event=login person=\"E-1017\" ", "kind=\"mail\""]);
    world.refuses(&[("nhart", "nhart", NOBODY), ("Nora", "nhart", NOBODY)]);
}

/// Even where the filter takes everything and the base holds the service's own entry, that one is nobody.
#[test]
fn the_service_itself_never_logs_in() {
    let world = World::with("names: more", |plan| {
        plan.directory = plan.directory.replace("base: \"ou=people,dc", "base: \"dc");
        plan.directory.push_str("    filter: \"(objectClass=*)\"\n");
    });
    world.opens(&[("ajones", "ajones", "short_name")]);
    world.refuses(&[
        ("restante", "restante", NOBODY),
        ("CN=restante", "restante", NOBODY),
        ("restante/services", "restante", NOBODY),
        ("cn=restante,ou=services,dc=renovations,dc=example", "restante", NOBODY),
    ]);
    // Neither does it stand in for a namesake, nor hide that there are two.
    let namesake = |uid: &str| {
        format!(
            "dn: uid={uid},ou=Sales,ou=people,dc=renovations,dc=example\nchangetype: add\nobjectClass: inetOrgPerson\n\
             uid: {uid}\ncn: restante\nsn: Restante\nuserPassword: of {uid}\n\n"
        )
    };
    world.slapd.modify(&namesake("first"));
    super::give_mail(&world.site, "first");
    world.refuses_with("CN=Restante", "copper kettle on the shelf", "wrong password");
    opens(&world.service, "CN=RESTANTE", "of first", "first");
    world.slapd.modify(&namesake("second"));
    for (login, whose) in [("cn=restantE", "of first"), ("cn=Restante", "of second"), ("cn=RestantE", "of second")] {
        world.refuses_with(login, whose, "ambiguous: ");
    }
}

//! The same states, names and groups at each of the real directories.

use restante::demo::people::{BASE, LDIF};

use super::password_policy::check;
use super::{ALAN, LAMB, MARY, OTHER_MARY, TOM, is_cut, is_let_in_again, keeps_out, lets_in, served};
use crate::support::directory::RealDirectory;
use crate::support::ds389::Ds389;
use crate::support::login::{give_mail, opens};
use crate::support::overlays::Overlay;
use crate::support::samba::Samba;
use crate::support::service::{Plan, Site};
use crate::support::slapd::{Options, Slapd};

/// Somebody's state comes while their password is held, and cuts it; the log tells the reason.
fn states(directory: &impl RealDirectory, lines: &str, disabled: &str) {
    let (site, service) = served(&directory.url(), lines);
    for person in [ALAN, LAMB, TOM, MARY, OTHER_MARY] {
        lets_in(&service, person, "bind");
        lets_in(&service, person, "cache");
    }
    directory.disable(LAMB.0);
    directory.lock(TOM.0);
    directory.expire_password(MARY.0);
    directory.must_change(OTHER_MARY.0);
    for (person, reason) in [
        (LAMB, disabled),
        (TOM, "account locked"),
        (MARY, "password expired"),
        (OTHER_MARY, "password must be changed first"),
    ] {
        is_cut(&service, person, reason);
    }
    // The entry's change stamp has moved: the next look-up ends the old password, before anybody types the new one.
    directory.set_password(ALAN.0, "another one 1");
    is_cut(&service, ALAN, "wrong password");
    lets_in(&service, (ALAN.0, "another one 1"), "bind");
    let mut plan = Plan::at(&directory.url());
    plan.directory.push_str(lines);
    let checked = check(&site, &plan);
    assert_eq!(String::from_utf8(checked.stderr).unwrap(), "");
}

/// Somebody's entry goes to another place while it is held where it was, and has another DN then.
fn moves(directory: &impl RealDirectory, schema: &str) {
    let site = Site::new();
    let mut plan = Plan::at(&directory.url()).and("refusal_step: 0s\ncache: { found: 1h, password: 0s }");
    plan.directory.push_str(schema);
    give_mail(&site, ALAN.0);
    let service = site.serve(&plan);
    lets_in(&service, ALAN, "bind");
    let dn = directory.dn(ALAN.0);
    let (own, _) = dn.split_once(',').unwrap();
    directory.modify(&format!(
        "dn: {dn}\nchangetype: modrdn\nnewrdn: {own}\ndeleteoldrdn: 1\nnewsuperior: ou=Production,{BASE}\n"
    ));
    lets_in(&service, ALAN, "bind");
    keeps_out(&service, (ALAN.0, "wrong"), "wrong password");
    lets_in(&service, ALAN, "bind");
}

/// A group within a group; its members come and go.
fn groups(directory: &impl RealDirectory, lines: &str, new_group: &str) {
    let (inner, outer) = (format!("cn=Alan Jones,ou=groups,{BASE}"), format!("cn=Everybody,ou=groups,{BASE}"));
    directory.modify(&format!("dn: {outer}\nchangetype: add\n{new_group}\nmember: {inner}\n"));
    let (_site, service) = served(&directory.url(), &format!("{lines}    allowed_group: \"{outer}\"\n"));
    let member = |change: &str, of: &str, dn: &str| {
        directory.modify(&format!("dn: {of}\nchangetype: modify\n{change}: member\nmember: {dn}\n"));
    };
    lets_in(&service, ALAN, "bind");
    keeps_out(&service, LAMB, "not in the group cn=Everybody,");
    member("add", &inner, &directory.dn(LAMB.0));
    is_let_in_again(&service, LAMB);
    lets_in(&service, LAMB, "cache");
    member("delete", &inner, &directory.dn(LAMB.0));
    is_cut(&service, LAMB, "not in the group cn=Everybody,");
    lets_in(&service, ALAN, "cache");
}

fn slapd() -> Slapd {
    let overlays = &[Overlay::PasswordPolicy, Overlay::MemberOf];
    Slapd::start_with(LDIF, &Options { overlays, ..Options::default() })
}

/// Its way to disable an account is a lock without end.
#[test]
fn states_of_slapd() {
    states(&slapd(), "", "account locked");
}

#[test]
fn states_of_389_directory_server() {
    states(&Ds389::start(LDIF), "    schema: 389ds\n", "account disabled");
}

#[test]
fn states_of_samba() {
    states(&Samba::start(LDIF), "    schema: active_directory\n", "account disabled");
}

#[test]
fn a_move_in_slapd() {
    moves(&slapd(), "");
}

#[test]
fn a_move_in_389_directory_server() {
    moves(&Ds389::start(LDIF), "    schema: 389ds\n");
}

#[test]
fn a_move_in_samba() {
    moves(&Samba::start(LDIF), "    schema: active_directory\n");
}

#[test]
fn groups_of_slapd() {
    groups(&slapd(), "", "objectClass: groupOfNames\ncn: Everybody");
}

#[test]
fn groups_of_slapd_without_member_of() {
    let overlays = &[Overlay::PasswordPolicy];
    let slapd = Slapd::start_with(LDIF, &Options { overlays, ..Options::default() });
    groups(&slapd, "", "objectClass: groupOfNames\ncn: Everybody");
}

#[test]
fn groups_of_389_directory_server() {
    groups(&Ds389::start(LDIF), "    schema: 389ds\n", "objectClass: groupOfNames\ncn: Everybody");
}

/// The service may not read it, as where its plug-in is off.
#[test]
fn groups_of_389_directory_server_without_member_of() {
    let server = Ds389::start(LDIF);
    server.modify(
        "dn: dc=renovations,dc=example\nchangetype: modify\nadd: aci\naci: (targetattr = \"memberOf\")(version 3.0; \
         acl \"hidden\"; deny (all) userdn = \"ldap:///anyone\";)\n",
    );
    groups(&server, "    schema: 389ds\n", "objectClass: groupOfNames\ncn: Everybody");
}

#[test]
fn groups_of_samba() {
    groups(&Samba::start(LDIF), "    schema: active_directory\n", "objectClass: group\nsAMAccountName: everybody");
}

/// Nobody is listed as a member of the primary group; only the computed groups have it.
#[test]
fn the_primary_group_of_samba_and_its_names() {
    let samba = Samba::start(LDIF);
    let lines =
        "    schema: active_directory\n    allowed_group: \"CN=Domain Users,CN=Users,DC=renovations,DC=example\"\n";
    let (_site, service) = served(&samba.url(), lines);
    for name in ["ajones", "RENOVATIONS\\ajones", "ajones@renovations.example", "alan.jones@renovations.example"] {
        opens(&service, name, ALAN.1, "ajones");
    }
    samba.expire_account(ALAN.0);
    is_cut(&service, ALAN, "account expired");
    samba.never_at_this_hour(MARY.0);
    samba.only_elsewhere(OTHER_MARY.0);
    for person in [MARY, OTHER_MARY] {
        keeps_out(&service, person, "not allowed at this hour or from this machine");
    }
}

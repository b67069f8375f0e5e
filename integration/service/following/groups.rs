//! Groups of a followed directory: whoever joins or leaves one, or one that lies within, counts within a second.

use std::fmt::Write as _;

use super::{
    ALAN, HELD_FOR_LONG, LDIF, Overlay, Plan, RealDirectory, Service, Site, Slapd, follows, give_mail, log_in, soon,
};
use crate::support::ds389::Ds389;
use crate::support::slapd::Options;

const BASE: &str = "ou=groups,dc=renovations,dc=example";
const ALANS_DN: &str = "uid=ajones,ou=Sales,ou=people,dc=renovations,dc=example";

/// Innermost lies within inner, which lies within the group that lets people in, as does one by uid.
const GROUPS: &str = "
dn: ou=groups,dc=renovations,dc=example
objectClass: organizationalUnit
ou: groups

dn: cn=innermost,ou=groups,dc=renovations,dc=example
objectClass: groupOfUniqueNames
cn: innermost
uniqueMember: cn=nobody,dc=renovations,dc=example

dn: cn=inner,ou=groups,dc=renovations,dc=example
objectClass: groupOfNames
cn: inner
member: cn=innermost,ou=groups,dc=renovations,dc=example

dn: cn=clerks,ou=groups,dc=renovations,dc=example
objectClass: posixGroup
cn: clerks
gidNumber: 7000

dn: cn=pop3,ou=groups,dc=renovations,dc=example
objectClass: groupOfNames
cn: pop3
member: cn=inner,ou=groups,dc=renovations,dc=example
member: cn=clerks,ou=groups,dc=renovations,dc=example
";

/// Members whose entries are changed before Alan's.
const FILLERS: usize = 200;

fn with_groups() -> String {
    format!("{LDIF}\n{GROUPS}")
}

fn slapd(overlays: &'static [Overlay]) -> Slapd {
    Slapd::start_with(&with_groups(), &Options { overlays, ..Options::default() })
}

/// Everything is held for so long that nothing but a change lets it fall.
fn serve(site: &Site, directory: &impl RealDirectory, further: &str) -> Service {
    let ca = directory.authority();
    let mut plan = Plan::at(&directory.tls_url()).and(HELD_FOR_LONG);
    writeln!(
        plan.directory,
        "    follow: true\n    ca: {}\n    allowed_group: \"cn=pop3,{BASE}\"\n{further}",
        ca.display()
    )
    .unwrap();
    give_mail(site, ALAN.0);
    let service = site.serve(&plan);
    follows(&service);
    service
}

fn lets_in(service: &Service) -> bool {
    log_in(service, ALAN.0, ALAN.1).is_ok()
}

fn change(directory: &impl RealDirectory, group: &str, how: &str, attribute: &str, value: &str) {
    directory.modify(&format!("dn: cn={group},{BASE}\nchangetype: modify\n{how}: {attribute}\n{attribute}: {value}\n"));
}

fn who_joins_and_who_leaves_counts_at_once(directory: &impl RealDirectory) {
    let site = Site::new();
    let service = serve(&site, directory, "");
    assert!(!lets_in(&service));
    for (group, attribute, value) in
        [("innermost", "uniqueMember", ALANS_DN), ("clerks", "memberUid", ALAN.0), ("pop3", "member", ALANS_DN)]
    {
        change(directory, group, "add", attribute, value);
        soon(&format!("who joined {group} is let in"), || lets_in(&service));
        assert!(lets_in(&service));
        change(directory, group, "delete", attribute, value);
        soon(&format!("who left {group} is refused"), || !lets_in(&service));
    }
    change(directory, "innermost", "add", "uniqueMember", ALANS_DN);
    soon("who joined is let in", || lets_in(&service));
    change(directory, "pop3", "delete", "member", &format!("cn=inner,{BASE}"));
    soon("with the group between them lost, they are refused", || !lets_in(&service));
    service.wait_for_log(&["login refused", "person=\"ajones\"", "reason=\"not in the group cn=pop3"]);
}

#[test]
fn walked_groups_of_openldap() {
    who_joins_and_who_leaves_counts_at_once(&slapd(&[Overlay::Sync]));
}

#[test]
fn groups_that_the_entry_lists_in_openldap() {
    who_joins_and_who_leaves_counts_at_once(&slapd(&[Overlay::MemberOf, Overlay::Sync]));
}

/// The members are many, and their entries changed one after the other: who logs in meanwhile may be read with the old one.
#[test]
fn groups_that_the_entries_list_a_little_later() {
    let filler = |number: usize| format!("cn=filler{number},{BASE}");
    let entries = (0..FILLERS).fold(with_groups(), |text, number| {
        format!("{text}\ndn: {}\nobjectClass: device\ncn: filler{number}\n", filler(number))
    });
    let overlays = &[Overlay::Sync, Overlay::MemberOf];
    let slapd = Slapd::start_with(&entries, &Options { overlays, ..Options::default() });
    let members = (0..FILLERS).map(filler).chain([ALANS_DN.to_owned()]);
    let members = members.fold(String::new(), |text, dn| format!("{text}member: {dn}\n"));
    slapd.modify(&format!("dn: cn=pop3,{BASE}\nchangetype: modify\nadd: member\n{members}"));
    let site = Site::new();
    let service = serve(&site, &slapd, "");
    assert!(lets_in(&service));
    let leave = format!("dn: cn=pop3,{BASE}\nchangetype: modify\ndelete: member\n{members}");
    std::thread::scope(|scope| {
        let leaving = scope.spawn(|| slapd.modify(&leave));
        while !leaving.is_finished() {
            let _in_between = lets_in(&service);
        }
    });
    soon("who left with many is refused", || !lets_in(&service));
}

#[test]
fn groups_of_389_directory_server() {
    who_joins_and_who_leaves_counts_at_once(&Ds389::start(&with_groups()));
}

/// The group may lie elsewhere than those within it.
#[test]
fn a_group_outside_the_group_base_is_followed_too() {
    let (slapd, site) = (slapd(&[Overlay::MemberOf, Overlay::Sync]), Site::new());
    change(&slapd, "pop3", "add", "member", ALANS_DN);
    let service = serve(&site, &slapd, "    group_base: \"ou=services,dc=renovations,dc=example\"\n");
    soon("the member is let in", || lets_in(&service));
    change(&slapd, "pop3", "delete", "member", ALANS_DN);
    soon("who left is refused", || !lets_in(&service));
}

#[test]
fn after_a_reconnect_groups_are_heard_again() {
    let (mut slapd, site) = (slapd(&[Overlay::Sync]), Site::new());
    change(&slapd, "innermost", "add", "uniqueMember", ALANS_DN);
    let service = serve(&site, &slapd, "");
    assert!(lets_in(&service));
    slapd.kill();
    service.wait_for_log(&["WARN", "the directory is not followed"]);
    slapd.restart();
    service.wait_for_logs(&["the directory is followed"], 2);
    assert!(lets_in(&service));
    change(&slapd, "innermost", "delete", "uniqueMember", ALANS_DN);
    soon("who left is refused", || !lets_in(&service));
}

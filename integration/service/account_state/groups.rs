//! Membership of a group, in slapd: listed in the person's entry by its memberof overlay, or walked from group to group.

use restante::demo::people;

use super::{ALAN, ALANS_DN, LAMB, MARY, MARYS_DN, TOM, is_cut, is_let_in_again, keeps_out, lets_in, served};
use crate::support::directory::RealDirectory;
use crate::support::slapd::{Options, Slapd};

const GROUP: &str = "cn=pop3,ou=groups,ou=people,dc=renovations,dc=example";
const LINES: &str = "    allowed_group: \"cn=POP3, ou=groups,ou=people,dc=renovations,dc=example\"\n";
const REASON: &str = "not in the group cn=POP3, ou=groups";

/// Mary is a direct member; inner groups have one another as members, in a circle, and unique members; the clerks are a
/// group by uid.
const GROUPS: &str = "
dn: cn=pop3,ou=groups,ou=people,dc=renovations,dc=example
objectClass: groupOfNames
cn: pop3
member: cn=inner,ou=groups,ou=people,dc=renovations,dc=example
member: cn=clerks,ou=groups,ou=people,dc=renovations,dc=example
member: uid=mbrown,ou=Sales,ou=people,dc=renovations,dc=example

dn: cn=inner,ou=groups,ou=people,dc=renovations,dc=example
objectClass: groupOfNames
cn: inner
member: cn=innermost,ou=groups,ou=people,dc=renovations,dc=example
member: cn=pop3,ou=groups,ou=people,dc=renovations,dc=example

dn: cn=innermost,ou=groups,ou=people,dc=renovations,dc=example
objectClass: groupOfUniqueNames
cn: innermost
uniqueMember: cn=nobody

dn: cn=clerks,ou=groups,ou=people,dc=renovations,dc=example
objectClass: posixGroup
cn: clerks
gidNumber: 7000
memberUid: tclerk

dn: cn=others,ou=groups,ou=people,dc=renovations,dc=example
objectClass: groupOfNames
cn: others
member: uid=alamb,ou=Production,ou=people,dc=renovations,dc=example
";

fn slapd(options: &Options) -> Slapd {
    Slapd::start_with(&format!("{}\n{GROUPS}", people::LDIF), options)
}

fn nested_groups_come_and_go(slapd: &Slapd) {
    let (_site, service) = served(&slapd.url(), LINES);
    let innermost = "cn=innermost,ou=groups,ou=people,dc=renovations,dc=example";
    lets_in(&service, MARY, "bind");
    lets_in(&service, TOM, "bind");
    keeps_out(&service, LAMB, REASON);
    keeps_out(&service, ALAN, REASON);
    slapd.modify(&format!("dn: {innermost}\nchangetype: modify\nadd: uniqueMember\nuniqueMember: {ALANS_DN}\n"));
    is_let_in_again(&service, ALAN);
    lets_in(&service, ALAN, "cache");
    slapd.modify(&format!("dn: {innermost}\nchangetype: modify\ndelete: uniqueMember\nuniqueMember: {ALANS_DN}\n"));
    is_cut(&service, ALAN, REASON);
    slapd.modify(&format!("dn: {GROUP}\nchangetype: modify\ndelete: member\nmember: {MARYS_DN}\n"));
    is_cut(&service, MARY, REASON);
    slapd.modify(&format!("dn: {GROUP}\nchangetype: modify\nadd: member\nmember: {MARYS_DN}\n"));
    is_let_in_again(&service, MARY);
}

#[test]
fn groups_that_are_walked() {
    nested_groups_come_and_go(&slapd(&Options::default()));
}

#[test]
fn groups_that_the_entry_lists() {
    let global = "moduleload memberof".to_owned();
    nested_groups_come_and_go(&slapd(&Options {
        global,
        further: "overlay memberof\n".to_owned(),
        ..Options::default()
    }));
}

#[test]
fn a_group_that_is_not_there_is_a_mistake_and_lets_nobody_in() {
    let slapd = slapd(&Options::default());
    let (_site, service) =
        served(&slapd.url(), "    allowed_group: \"cn=none,ou=nowhere,dc=renovations,dc=example\"\n");
    super::refuses(&service, MARY.0, MARY.1, "SYS/PERM");
    service.wait_for_log(&["ERROR", "misconfigured", "ou=nowhere"]);
}

#[test]
fn an_attribute_switches_the_service_on() {
    let slapd = slapd(&Options::default());
    let (_site, service) = served(&slapd.url(), "    enabled_attribute: { name: employeeType, value: pop3 user }\n");
    keeps_out(&service, ALAN, "switched off by the attribute employeeType");
    slapd.modify(&format!("dn: {ALANS_DN}\nchangetype: modify\nadd: employeeType\nemployeeType: POP3  User\n"));
    lets_in(&service, ALAN, "bind");
    lets_in(&service, ALAN, "cache");
    slapd.modify(&format!("dn: {ALANS_DN}\nchangetype: modify\nreplace: employeeType\nemployeeType: none\n"));
    is_cut(&service, ALAN, "switched off by the attribute employeeType");
}

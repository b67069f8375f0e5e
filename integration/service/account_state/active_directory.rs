//! The embedded directory with Active Directory's attributes.

use restante::demo::directory::EmbeddedDirectory;
use restante::demo::fault_injection::InjectedFault;
use restante::demo::ldif;
use restante::demo::people::{self, SERVICE};
use restante::demo::tree::Tree;
use restante::names::Dn;

use super::{ALAN, LAMB, is_cut, is_let_in_again, keeps_out, lets_in, served};
use crate::support::login::opens;

const ALANS_DN: &str = "CN=Alan Jones,OU=Sales,OU=people,DC=renovations,DC=example";
const GROUPS_DN: &str = "CN=POP3,OU=people,DC=renovations,DC=example";

/// Two accounts and a computer of the same name; ids and groups are octets, as they are there.
const ACCOUNTS: &str = "
dn: OU=people,DC=renovations,DC=example
objectClass: organizationalUnit

dn: OU=Sales,OU=people,DC=renovations,DC=example
objectClass: organizationalUnit

dn: CN=Alan Jones,OU=Sales,OU=people,DC=renovations,DC=example
objectClass: user
objectCategory: person
cn: Alan Jones
sAMAccountName: ajones
mail: alan.jones@renovations.example
userPrincipalName: alan@ad.renovations.example
proxyAddresses: SMTP:a.jones@renovations.example
proxyAddresses: smtp:sales@renovations.example
proxyAddresses: x500:/o=Renovations/cn=ajones
objectGUID:: /wABAgMEBQYHCAkKCwwNDg==
tokenGroups:: AQUA/wE=
tokenGroups:: AQUA/wI=
userAccountControl: 512
accountExpires: 9223372036854775807
pwdLastSet: 133536384000000000
msDS-User-Account-Control-Computed: 0
userPassword: violet-harbour-17

dn: CN=Alan Lamb,OU=people,DC=renovations,DC=example
objectClass: user
objectCategory: person
cn: Alan Lamb
sAMAccountName: alamb
objectGUID:: /wABAgMEBQYHCAkKCwwNDw==
tokenGroups:: AQUA/wE=
userAccountControl: 512
pwdLastSet: 133536384000000000
userPassword: seven green lamps

dn: CN=ajones,OU=people,DC=renovations,DC=example
objectClass: user
objectCategory: computer
cn: ajones
sAMAccountName: ajones

dn: CN=POP3,OU=people,DC=renovations,DC=example
objectClass: group
cn: POP3
objectSid:: AQUA/wI=
";

pub(super) fn start() -> EmbeddedDirectory {
    let service = ldif::parse(people::LDIF).unwrap().into_iter();
    let above = service.filter(|entry| !entry.dn.is_within(&Dn::parse(people::BASE).unwrap()));
    let tree = Tree::new(above.chain(ldif::parse(ACCOUNTS).unwrap())).unwrap();
    EmbeddedDirectory::start(tree, Dn::parse(SERVICE)).unwrap()
}

const SCHEMA: &str = "    schema: active_directory\n";

fn set(directory: &EmbeddedDirectory, attribute: &str, value: &str) {
    directory.controls().change(|tree| tree.set(ALANS_DN, attribute, [value]).unwrap());
}

#[test]
fn every_name_of_an_account() {
    let directory = start();
    let (_site, service) = served(&directory.url(), SCHEMA);
    for name in [
        "ajones",
        "RENOVATIONS\\ajones",
        "renovations\\AJones",
        "Alan Jones",
        "alan.jones@renovations.example",
        "alan@ad.renovations.example",
        "a.jones@renovations.example",
        "SALES@renovations.example",
        ALANS_DN,
    ] {
        opens(&service, name, ALAN.1, "ajones");
    }
    service.wait_for_log(&["login=\"SALES@renovations.example\"", "kind=\"mail\""]);
    service.wait_for_log(&["login=\"RENOVATIONS\\\\ajones\"", "kind=\"short_name\""]);
    for nobody in ["OTHER\\ajones", "x500:/o=Renovations/cn=ajones", "SMTP:a.jones@renovations.example"] {
        super::refuses(&service, nobody, ALAN.1, "AUTH");
    }
    service.wait_for_log(&["login refused", "OTHER", "no such login name"]);
}

#[test]
fn each_state_of_an_account_cuts_a_held_password_and_ends() {
    let directory = start();
    let (_site, service) = served(&directory.url(), SCHEMA);
    for (attribute, good, bad, reason) in [
        ("userAccountControl", "512", "514", "account disabled"),
        ("accountExpires", "0", "133536384000000000", "account expired"),
        ("pwdLastSet", "133536384000000000", "0", "password must be changed first"),
        ("msDS-User-Account-Control-Computed", "0", "16", "account locked"),
        ("msDS-User-Account-Control-Computed", "0", "8388608", "password expired"),
        ("nsAccountLock", "false", "true", "account disabled"),
        ("accountUnlockTime", "20200101000000Z", "20991231000000Z", "account locked"),
        ("passwordExpirationTime", "20991231000000Z", "20200101000000Z", "password expired"),
    ] {
        set(&directory, attribute, good);
        is_let_in_again(&service, ALAN);
        lets_in(&service, ALAN, "cache");
        set(&directory, attribute, bad);
        is_cut(&service, ALAN, reason);
        set(&directory, attribute, good);
        lets_in(&service, ALAN, "bind");
    }
}

/// What a bind says counts though the entry says nothing, and ends the held password.
#[test]
fn a_sub_code_ends_what_was_held() {
    let directory = start();
    let (_site, service) = served(&directory.url(), SCHEMA);
    for (code, reason) in [
        ("525", "the entry is gone"),
        ("530", "not allowed at this hour or from this machine"),
        ("531", "not allowed at this hour or from this machine"),
        ("532", "password expired"),
        ("533", "account disabled"),
        ("701", "account expired"),
        ("773", "password must be changed first"),
        ("775", "account locked"),
    ] {
        directory.controls().inject(InjectedFault::None);
        is_let_in_again(&service, ALAN);
        let text =
            format!("80090308: LdapErr: DSID-0C090439, comment: AcceptSecurityContext error, data {code}, v4563\0");
        directory.controls().inject(InjectedFault::BindResult { code: 49, text });
        keeps_out(&service, (ALAN.0, "another"), reason);
        keeps_out(&service, ALAN, reason);
    }
}

#[test]
fn the_directory_computes_the_groups() {
    let directory = start();
    let lines = format!("{SCHEMA}    allowed_group: \"{GROUPS_DN}\"\n");
    let (_site, service) = served(&directory.url(), &lines);
    lets_in(&service, ALAN, "bind");
    keeps_out(&service, LAMB, &format!("not in the group {GROUPS_DN}"));
    let groups = |groups: &[&[u8]]| {
        directory.controls().change(|tree| tree.set(ALANS_DN, "tokenGroups", groups.iter().copied()).unwrap());
    };
    groups(&[b"\x01\x05\x00\xff\x01"]);
    is_cut(&service, ALAN, "not in the group");
    groups(&[b"\x01\x05\x00\xff\x03", b"\x01\x05\x00\xff\x02"]);
    is_let_in_again(&service, ALAN);
}

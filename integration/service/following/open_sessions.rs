//! Sessions of people whom the directory no longer lets in.

use std::fmt::Write as _;

use restante::demo::people::{BASE, LDIF};

use super::{ALAN, follows, serve, serve_over, slapd, with_overlays};
use crate::support::conversation::Conversation;
use crate::support::directory::RealDirectory;
use crate::support::ds389::Ds389;
use crate::support::ldap_relay::{Conduct, LdapRelay};
use crate::support::login::{give_mail, log_in};
use crate::support::overlays::Overlay;
use crate::support::samba::Samba;
use crate::support::service::{Plan, Service, Site};
use crate::support::slapd::Slapd;

/// Alan's open session, in which his message is marked as deleted.
fn session(service: &Service) -> Conversation {
    let mut client = service.session(ALAN.0, ALAN.1);
    client.ask("DELE 1", "+OK");
    client
}

/// The session ends without a reply, for this reason, and removes nothing.
fn is_ended(service: &Service, site: &Site, mut client: Conversation, reason: &str) {
    assert_eq!(client.line_or_end(), None);
    let why = format!("reason=\"no longer allowed to log in: {reason}");
    service.wait_for_log(&["event=connection_ended", "person=\"ajones\"", "dele=0", &why]);
    service.wait_for_log(&["event=sessions_of_disabled_person_ended", "person=\"ajones\"", "count=1", reason]);
    assert!(std::fs::read_dir(site.maildir(ALAN.0).join("new")).unwrap().count() > 0);
}

fn ends_when_disabled(directory: &impl RealDirectory, reason: &str) {
    let site = Site::new();
    let service = serve(&site, directory);
    follows(&service);
    let client = session(&service);
    directory.disable(ALAN.0);
    is_ended(&service, &site, client, reason);
}

#[test]
fn the_session_of_a_disabled_person_ends_at_once_on_openldap() {
    ends_when_disabled(&with_overlays(&[Overlay::Sync, Overlay::PasswordPolicy]), "account locked");
}

#[test]
fn the_session_of_a_disabled_person_ends_at_once_on_389_directory_server() {
    ends_when_disabled(&Ds389::start(LDIF), "account disabled");
}

#[test]
fn the_session_of_a_deleted_person_ends_at_once() {
    let (site, directory) = (Site::new(), slapd());
    let service = serve(&site, &directory);
    follows(&service);
    let client = session(&service);
    directory.modify(&format!("dn: {}\nchangetype: delete\n", directory.dn(ALAN.0)));
    is_ended(&service, &site, client, "the entry is gone");
}

/// A new password, a new place in the tree and a lock after wrong passwords are reported as changes like any other.
#[test]
fn other_changes_of_a_person_end_no_session() {
    let (site, directory) = (Site::new(), with_overlays(&[Overlay::Sync, Overlay::PasswordPolicy]));
    let service = serve(&site, &directory);
    follows(&service);
    let mut client = session(&service);
    directory.set_password(ALAN.0, "a new Password 27");
    client.ask("NOOP", "+OK");
    directory.lock(ALAN.0);
    directory.modify(&format!(
        "dn: {}\nchangetype: modrdn\nnewrdn: uid=ajones\ndeleteoldrdn: 0\nnewsuperior: {BASE}\n",
        directory.dn(ALAN.0)
    ));
    // Whatever the changes so far have caused is over once this one has taken effect.
    let mut other = service.session("alamb", "seven green lamps");
    directory.modify(&format!("dn: {}\nchangetype: delete\n", directory.dn("alamb")));
    assert_eq!(other.line_or_end(), None);
    client.ask("STAT", "+OK");
    client.ask("QUIT", "+OK");
}

/// Not followed: the login that is refused is what shows it.
fn ends_at_the_next_login(directory: &impl RealDirectory, schema: &str, reason: &str) {
    let site = Site::new();
    let mut plan = Plan::at(&directory.tls_url()).and("refusal_step: 0s\ncache: { found: 0s }");
    writeln!(plan.directory, "    schema: {schema}\n    ca: {}", directory.authority().display()).unwrap();
    give_mail(&site, ALAN.0);
    let service = site.serve(&plan);
    let mut client = session(&service);
    directory.disable(ALAN.0);
    client.ask("NOOP", "+OK");
    log_in(&service, ALAN.0, ALAN.1).unwrap_err();
    is_ended(&service, &site, client, reason);
}

#[test]
fn the_session_of_a_disabled_person_ends_at_their_next_login_on_openldap() {
    ends_at_the_next_login(&with_overlays(&[Overlay::PasswordPolicy]), "inet_org_person", "account locked");
}

#[test]
fn the_session_of_a_disabled_person_ends_at_their_next_login_on_active_directory() {
    ends_at_the_next_login(&Samba::start(LDIF), "active_directory", "account disabled");
}

#[test]
fn the_session_of_a_deleted_person_ends_at_their_next_login() {
    let (site, directory) = (Site::new(), Slapd::start(LDIF));
    give_mail(&site, ALAN.0);
    let service = site.serve(&Plan::at(&directory.url()).and("refusal_step: 0s\ncache: { found: 0s }"));
    let client = session(&service);
    directory.modify(&format!("dn: {}\nchangetype: delete\n", directory.dn(ALAN.0)));
    log_in(&service, ALAN.0, ALAN.1).unwrap_err();
    is_ended(&service, &site, client, "the entry is gone");
}

/// The change is reported, and then the directory does not say what became of the entry.
#[test]
fn an_outage_ends_no_session() {
    let (site, directory) = (Site::new(), slapd());
    let relay = LdapRelay::to(&directory.url());
    let service = serve_over(&relay, &site, "refusal_step: 0s");
    let mut client = session(&service);
    let other = service.session("alamb", "seven green lamps");
    relay.set(Conduct::EndsSearchesFor("uid=ajones,ou=Sales", UNAVAILABLE));
    for name in [ALAN.0, "alamb"] {
        directory.modify(&format!("dn: {}\nchangetype: delete\n", directory.dn(name)));
    }
    service.wait_for_log(&["event=connection_ended", "person=\"alamb\"", "the entry is gone"]);
    drop(other);
    client.ask("STAT", "+OK");
    client.ask("QUIT", "+OK");
}

/// A result code of RFC 4511, §4.1.9.
const UNAVAILABLE: u8 = 52;

#[test]
fn sessions_of_disabled_people_continue_where_that_is_configured() {
    let (site, directory) = (Site::new(), Slapd::start(LDIF));
    give_mail(&site, ALAN.0);
    let further =
        "refusal_step: 0s\ncache: { found: 0s }\ninternet_authentication: { sessions_of_disabled_people: keep }";
    let service = site.serve(&Plan::at(&directory.url()).and(further));
    let mut client = session(&service);
    directory.modify(&format!("dn: {}\nchangetype: delete\n", directory.dn(ALAN.0)));
    log_in(&service, ALAN.0, ALAN.1).unwrap_err();
    client.ask("STAT", "+OK");
}

//! A followed directory: what is held of a person falls within a second of a change (RFC 4533).

mod groups;
mod guesses;
mod one_part;

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use restante::demo::people::{BASE, LDIF};

use crate::support::directory::RealDirectory;
use crate::support::ds389::Ds389;
use crate::support::factory;
use crate::support::ldap_relay::{Conduct, LdapRelay};
use crate::support::login::{give_mail, log_in};
use crate::support::overlays::Overlay;
use crate::support::samba::Samba;
use crate::support::service::{Plan, Service, Site};
use crate::support::slapd::{Options, Slapd};

const ALAN: (&str, &str) = ("ajones", "violet-harbour-17");

/// Lifetimes so long that nothing but a change lets anything fall.
const HELD_FOR_LONG: &str = "refusal_step: 0s\ncache: { found: 1h, missed: 1h, password: 1h, refused: 1h }";

/// How soon a change must count.
const SOON: Duration = Duration::from_secs(1);

/// How long a look-up is believed where changes are not heard.
const FOUND: Duration = Duration::from_secs(4);

fn slapd() -> Slapd {
    with_overlays(&[Overlay::Sync])
}

fn with_overlays(overlays: &'static [Overlay]) -> Slapd {
    Slapd::start_with(LDIF, &Options { overlays, ..Options::default() })
}

/// Over a relay, in clear.
fn serve_over(relay: &LdapRelay, site: &Site, further: &str) -> Service {
    let mut plan = Plan::at(&relay.url()).and(further);
    plan.directory.push_str("    follow: true\n");
    give_mail(site, ALAN.0);
    let service = site.serve(&plan);
    follows(&service);
    service
}

fn serve(site: &Site, directory: &impl RealDirectory) -> Service {
    let ca = directory.authority();
    let mut plan = Plan::at(&directory.tls_url()).and(HELD_FOR_LONG);
    writeln!(plan.directory, "    follow: true\n    ca: {}", ca.display()).unwrap();
    give_mail(site, ALAN.0);
    give_mail(site, "newcomer");
    site.serve(&plan)
}

fn follows(service: &Service) {
    service.wait_for_log(&["the directory is followed"]);
}

/// Waits until a login goes as it must; fails if that takes longer than it may.
fn soon(what: &str, goes_right: impl Fn() -> bool) {
    let began = Instant::now();
    while !goes_right() {
        assert!(began.elapsed() < SOON, "{what}: not within {SOON:?}");
    }
}

/// A password that was proven in the second in which its entry changed is not cached for long.
fn is_cached_soon(service: &Service) {
    soon("the password is cached", || {
        log_in(service, ALAN.0, ALAN.1).unwrap();
        service
            .log()
            .iter()
            .any(|line| line.contains("event=login person=\"ajones\"") && line.contains("proof=\"cache\""))
    });
}

fn an_old_password_stops(directory: &impl RealDirectory) {
    let site = Site::new();
    let service = serve(&site, directory);
    follows(&service);
    log_in(&service, ALAN.0, ALAN.1).unwrap();
    log_in(&service, ALAN.0, ALAN.1).unwrap();
    is_cached_soon(&service);
    // Change stamps have whole seconds: the change must fall into another one than the entry's last.
    std::thread::sleep(Duration::from_millis(1_100));
    directory.set_password(ALAN.0, "a new Password 27");
    soon("the old password is refused", || log_in(&service, ALAN.0, ALAN.1).is_err());
    log_in(&service, ALAN.0, "a new Password 27").unwrap();
}

#[test]
fn an_old_password_stops_at_once_on_openldap() {
    an_old_password_stops(&slapd());
}

#[test]
fn an_old_password_stops_at_once_on_389_directory_server() {
    an_old_password_stops(&Ds389::start(LDIF));
}

/// Held by name and password, and refused as soon as the administrator says so; the log tells why.
fn a_disabled_person_is_cut(directory: &impl RealDirectory, reason: &str) {
    let site = Site::new();
    let service = serve(&site, directory);
    follows(&service);
    for _ in 0..2 {
        log_in(&service, ALAN.0, ALAN.1).unwrap();
    }
    is_cached_soon(&service);
    directory.disable(ALAN.0);
    soon("the disabled person is refused", || log_in(&service, ALAN.0, ALAN.1).is_err());
    service.wait_for_log(&["login refused", "person=\"ajones\"", reason]);
}

#[test]
fn a_disabled_person_is_cut_at_once_on_openldap() {
    a_disabled_person_is_cut(&with_overlays(&[Overlay::Sync, Overlay::PasswordPolicy]), "reason=\"account locked");
}

#[test]
fn a_disabled_person_is_cut_at_once_on_389_directory_server() {
    a_disabled_person_is_cut(&Ds389::start(LDIF), "reason=\"account disabled");
}

/// Searches and binds go on, but changes are not heard any more: then a look-up is believed for its lifetime.
fn a_disabled_person_is_cut_by_lifetime(directory: &impl RealDirectory) {
    let (relay, site) = (LdapRelay::to(&directory.url()), Site::new());
    let cache = format!("cache: {{ found: {}s, missed: 1h, password: 1h, refused: 1h }}", FOUND.as_secs());
    let service = serve_over(&relay, &site, &format!("refusal_step: 0s\n{cache}"));
    relay.set(Conduct::TurnsFollowersAway);
    relay.end_connections();
    service.wait_for_log(&["WARN", "the directory is not followed", "cached data lasts for its lifetime"]);
    let began = Instant::now();
    log_in(&service, ALAN.0, ALAN.1).unwrap();
    directory.disable(ALAN.0);
    // It is tried again and again to follow the directory, which must not cost what is held.
    let mut held_for = Duration::ZERO;
    crate::support::wait_until("the disabled person is refused", || {
        let is_let_in = log_in(&service, ALAN.0, ALAN.1).is_ok();
        if is_let_in {
            held_for = began.elapsed();
        }
        !is_let_in
    });
    let cut_after = began.elapsed();
    assert!(held_for > FOUND / 4 * 3 && cut_after < FOUND + SOON, "held for {held_for:?}, cut after {cut_after:?}");
    assert_eq!(service.log().iter().filter(|line| line.contains("the directory is not followed")).count(), 1);
}

#[test]
fn a_disabled_person_is_cut_by_lifetime_where_openldap_is_not_heard() {
    a_disabled_person_is_cut_by_lifetime(&with_overlays(&[Overlay::Sync, Overlay::PasswordPolicy]));
}

#[test]
fn a_disabled_person_is_cut_by_lifetime_where_389_directory_server_is_not_heard() {
    a_disabled_person_is_cut_by_lifetime(&Ds389::start(LDIF));
}

/// Its plug-in gives every entry an entryUUID (RFC 4530) besides its nsUniqueId; content synchronisation may name entries
/// by either.
#[test]
fn an_entry_with_two_ids_is_followed_on_389_directory_server() {
    let directory = Ds389::start_with_entry_uuids(LDIF);
    for id in ["entryUUID", "nsUniqueId"] {
        assert!(directory.has_attribute(ALAN.0, id), "no {id}:\n{}", directory.log());
    }
    a_disabled_person_is_cut(&directory, "reason=\"account disabled");
}

/// Reported, and then the directory falls silent before it is asked again: the outage grace bridges that for nobody who was
/// changed, and goes on for all others.
#[test]
fn who_was_disabled_before_an_outage_is_not_let_in_by_the_grace() {
    let (mut slapd, site) = (with_overlays(&[Overlay::Sync, Overlay::PasswordPolicy]), Site::new());
    let ca = slapd.authority();
    let mut plan = Plan::at(&slapd.tls_url()).and("refusal_step: 0s\ncache: { found: 0s, password: 0s }");
    let plan = {
        writeln!(plan.directory, "    follow: true\n    ca: {}", ca.display()).unwrap();
        plan.and("log: { level: debug }")
    };
    for name in [ALAN.0, "alamb"] {
        give_mail(&site, name);
    }
    let service = site.serve(&plan);
    follows(&service);
    let lamb = ("alamb", "seven green lamps");
    for (name, password) in [ALAN, lamb] {
        log_in(&service, name, password).unwrap();
    }
    slapd.disable(ALAN.0);
    service.wait_for_log(&["an entry has changed"]);
    slapd.kill();
    service.wait_for_log(&["WARN", "the directory is not followed"]);
    log_in(&service, ALAN.0, ALAN.1).unwrap_err();
    log_in(&service, lamb.0, lamb.1).unwrap();
    service.wait_for_log(&["event=login person=\"alamb\"", "proof=\"outage grace\""]);
}

#[test]
fn who_leaves_and_who_comes_counts_at_once() {
    let (slapd, site) = (slapd(), Site::new());
    let service = serve(&site, &slapd);
    follows(&service);
    log_in(&service, ALAN.0, ALAN.1).unwrap();
    log_in(&service, "newcomer", "welcome-1").unwrap_err();
    slapd.modify(&format!(
        "dn: uid=newcomer,ou=Sales,{BASE}\nchangetype: add\nobjectClass: inetOrgPerson\nuid: newcomer\ncn: New Comer\nsn: Comer\nuserPassword: welcome-1\n"
    ));
    soon("the newcomer is let in", || log_in(&service, "newcomer", "welcome-1").is_ok());
    slapd.modify(&format!("dn: uid=ajones,ou=Sales,{BASE}\nchangetype: delete\n"));
    soon("who left is refused", || log_in(&service, ALAN.0, ALAN.1).is_err());
}

#[test]
fn a_name_taken_away_counts_at_once() {
    let (slapd, site) = (slapd(), Site::new());
    let service = serve(&site, &slapd);
    follows(&service);
    log_in(&service, "Al Jones", ALAN.1).unwrap();
    slapd.modify(&format!("dn: uid=ajones,ou=Sales,{BASE}\nchangetype: modify\ndelete: cn\ncn: Al Jones\n"));
    soon("the old name is refused", || log_in(&service, "Al Jones", ALAN.1).is_err());
    log_in(&service, "Alan Jones", ALAN.1).unwrap();
}

#[test]
fn after_a_reconnect_everything_held_is_asked_anew() {
    let (mut slapd, site) = (slapd(), Site::new());
    let service = serve(&site, &slapd);
    follows(&service);
    log_in(&service, "Al Jones", ALAN.1).unwrap();
    slapd.kill();
    service.wait_for_log(&["WARN", "the directory is not followed"]);
    slapd.restart();
    service.wait_for_logs(&["the directory is followed"], 2);
    log_in(&service, "Al Jones", ALAN.1).unwrap();
    service.wait_for_logs(&[" event=login person=\"ajones\""], 2);
    slapd.modify(&format!("dn: uid=ajones,ou=Sales,{BASE}\nchangetype: modify\ndelete: cn\ncn: Al Jones\n"));
    soon("changes are heard again", || log_in(&service, "Al Jones", ALAN.1).is_err());
}

/// With lifetimes of an hour: nothing but the reconnect can tell.
#[test]
fn what_changed_unheard_counts_once_changes_are_heard_again() {
    let (slapd, site) = (with_overlays(&[Overlay::Sync, Overlay::PasswordPolicy]), Site::new());
    let relay = LdapRelay::to(&slapd.url());
    let service = serve_over(&relay, &site, HELD_FOR_LONG);
    relay.set(Conduct::TurnsFollowersAway);
    relay.end_connections();
    service.wait_for_log(&["WARN", "the directory is not followed"]);
    log_in(&service, ALAN.0, ALAN.1).unwrap();
    slapd.disable(ALAN.0);
    log_in(&service, ALAN.0, ALAN.1).unwrap();
    relay.set(Conduct::Faithful);
    service.wait_for_logs(&["the directory is followed"], 2);
    log_in(&service, ALAN.0, ALAN.1).unwrap_err();
}

/// A server that cannot tell what changed since says that all is to be told anew (e-syncRefreshRequired, RFC 4533 §2.5):
/// changes may have gone unheard.
#[test]
fn a_server_that_wants_to_begin_anew_is_followed_anew() {
    let (slapd, site) = (with_overlays(&[Overlay::Sync, Overlay::PasswordPolicy]), Site::new());
    let relay = LdapRelay::to(&slapd.url());
    let service = serve_over(&relay, &site, HELD_FOR_LONG);
    log_in(&service, ALAN.0, ALAN.1).unwrap();
    relay.set(Conduct::WantsFollowersAnew);
    slapd.disable(ALAN.0);
    service.wait_for_log(&["WARN", "the directory is not followed", "result 4096"]);
    log_in(&service, ALAN.0, ALAN.1).unwrap_err();
    relay.set(Conduct::Faithful);
    service.wait_for_logs(&["the directory is followed"], 2);
}

/// A change in one tells nothing of the other.
#[test]
fn each_of_two_directories_is_followed() {
    let (first, site) = (slapd(), Site::new());
    let second = factory::slapd_with(Options { overlays: &[Overlay::Sync], ..Options::default() });
    let mut plan = Plan::at(&first.tls_url()).and(HELD_FOR_LONG);
    writeln!(plan.directory, "    follow: true\n    ca: {}", first.authority().display()).unwrap();
    factory::join(&mut plan, &second.url(), "    follow: true\n");
    let people =
        [(ALAN.0, ALAN.1, &first, format!("ou=Sales,{BASE}")), ("bwright", "anvil", &second, factory::BASE.to_owned())];
    for (name, ..) in &people {
        give_mail(&site, name);
    }
    let service = site.serve(&plan);
    service.wait_for_logs(&["the directory is followed"], 2);
    for (name, password, ..) in &people {
        log_in(&service, name, password).unwrap();
    }
    for (name, password, directory, place) in people {
        log_in(&service, name, password).unwrap();
        directory.modify(&format!("dn: uid={name},{place}\nchangetype: delete\n"));
        soon("who left is refused", || log_in(&service, name, password).is_err());
    }
}

#[test]
fn a_directory_that_cannot_be_followed_is_told_and_served() {
    let (plain, site) = (Slapd::start(LDIF), Site::new());
    let service = serve(&site, &plain);
    service.wait_for_log(&["WARN", "the directory is not followed", "does not know content synchronisation"]);
    log_in(&service, ALAN.0, ALAN.1).unwrap();
}

#[test]
fn active_directory_cannot_be_followed() {
    let (samba, site) = (Samba::start(LDIF), Site::new());
    let service = serve(&site, &samba);
    service.wait_for_log(&["WARN", "the directory is not followed", "does not know content synchronisation"]);
}

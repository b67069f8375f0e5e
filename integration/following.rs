//! A followed directory: what is held of a person falls within a second of a change (RFC 4533).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a fault here is a failed test")]

mod support;

#[path = "following/groups.rs"]
mod groups;
#[path = "following/one_part.rs"]
mod one_part;

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use restante::demo::people::{BASE, LDIF};
use support::directory::RealDirectory;
use support::ds389::Ds389;
use support::login::{give_mail, log_in};
use support::overlays::Overlay;
use support::samba::Samba;
use support::service::{Plan, Service, Site};
use support::slapd::{Options, Slapd};

const ALAN: (&str, &str) = ("ajones", "violet-harbour-17");

/// Lifetimes so long that nothing but a change lets anything fall.
const HELD_FOR_LONG: &str = "refusal_step: 0s\ncache: { found: 1h, missed: 1h, password: 1h, refused: 1h }";

/// How soon a change must count.
const SOON: Duration = Duration::from_secs(1);

fn slapd() -> Slapd {
    Slapd::start_with(LDIF, &Options { overlays: &[Overlay::Sync], ..Options::default() })
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

fn an_old_password_stops(directory: &impl RealDirectory) {
    let site = Site::new();
    let service = serve(&site, directory);
    follows(&service);
    log_in(&service, ALAN.0, ALAN.1).unwrap();
    log_in(&service, ALAN.0, ALAN.1).unwrap();
    service.wait_for_log(&["login person=\"ajones\"", "proof=held"]);
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
    let before = service.log().len();
    log_in(&service, "Al Jones", ALAN.1).unwrap();
    assert!(service.log().len() > before);
    slapd.modify(&format!("dn: uid=ajones,ou=Sales,{BASE}\nchangetype: modify\ndelete: cn\ncn: Al Jones\n"));
    soon("changes are heard again", || log_in(&service, "Al Jones", ALAN.1).is_err());
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

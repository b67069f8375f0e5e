//! Each way to fail, played with each of the real directories.

use std::time::{Duration, Instant};

use restante::demo::people::LDIF;

use super::{ALAN, HOLD_NOTHING, LAMB, alarms, puts_off, serves, serves_soon, site};
use crate::support::directory::RealDirectory;
use crate::support::ds389::Ds389;
use crate::support::ldap_relay::{Conduct, LdapRelay};
use crate::support::login::refuses;
use crate::support::samba::Samba;
use crate::support::service::{Plan, Service};
use crate::support::slapd::Slapd;

/// A way to fail: of the server itself, or of what lies between.
#[derive(Clone, Copy, Debug)]
enum Failure {
    /// The port is closed.
    Refuses,
    /// Connections are accepted, and nothing is answered.
    Hangs,
    /// Something between behaves so.
    Between(Conduct),
}

const FAILURES: [Failure; 5] = [
    Failure::Refuses,
    Failure::Hangs,
    Failure::Between(Conduct::CutsInSearches(usize::MAX)),
    Failure::Between(Conduct::CutsInBinds(usize::MAX)),
    Failure::Between(Conduct::Slow(Duration::from_millis(1_500))),
];

/// Somebody who has not logged in yet.
const TOM: (&str, &str) = ("tclerk", "brass-button-3");

/// Two of the longest waits one login can have here (a connection and a search), each twice, and a busy machine.
const LIMIT: Duration = Duration::from_secs(9);

fn plan(url: &str, schema: &str) -> Plan {
    let mut plan = super::plan(&[url]);
    plan.directory.push_str(schema);
    plan
}

fn proofs(service: &Service, person: &str, proof: &str) -> usize {
    let words = [format!(" event=login person=\"{person}\" "), format!(" proof=\"{proof}\" ")];
    service.log().iter().filter(|line| words.iter().all(|word| line.contains(word))).count()
}

/// Logs in, proven by a bind and not by anything held.
fn is_bound(service: &Service, person: (&str, &str)) {
    let before = proofs(service, person.0, "bind");
    serves(service, person);
    super::wait_until("the login is logged", || proofs(service, person.0, "bind") > before);
}

/// Those proven of late are served, everybody else is told to come back later, in time.
fn is_bridged(service: &Service, knows_nobody: bool) {
    let in_time = |login: &dyn Fn()| {
        let began = Instant::now();
        login();
        assert!(began.elapsed() < LIMIT, "{:?}", began.elapsed());
    };
    let before = proofs(service, ALAN.0, "outage grace");
    std::thread::scope(|scope| {
        scope.spawn(|| in_time(&|| serves(service, ALAN)));
        scope.spawn(|| in_time(&|| puts_off(service, TOM)));
        scope.spawn(|| in_time(&|| puts_off(service, (ALAN.0, "wrong"))));
        if knows_nobody {
            // The searches that say so are answered.
            scope.spawn(|| in_time(&|| refuses(service, "nobody", "x", "AUTH")));
        } else {
            scope.spawn(|| in_time(&|| puts_off(service, ("nobody", "x"))));
        }
    });
    super::wait_until("the login is logged", || proofs(service, ALAN.0, "outage grace") > before);
}

/// Each failure in turn, and all is well after each.
fn outlives_failures<D: RealDirectory>(mut directory: D, schema: &str) {
    let (relay, site) = (LdapRelay::to(&directory.url()), site());
    let direct = site.serve(&plan(&directory.url(), schema).and(HOLD_NOTHING));
    let relayed = site.serve(&plan(&relay.url(), schema).and(HOLD_NOTHING));
    for failure in FAILURES {
        let service = if matches!(failure, Failure::Between(_)) { &relayed } else { &direct };
        serves_soon(service, ALAN);
        is_bound(service, ALAN);
        match failure {
            Failure::Refuses => directory.kill(),
            Failure::Hangs => directory.freeze(),
            Failure::Between(conduct) => relay.set(conduct),
        }
        is_bridged(service, matches!(failure, Failure::Between(Conduct::CutsInBinds(_))));
        match failure {
            Failure::Refuses => directory.restart(),
            Failure::Hangs => directory.thaw(),
            Failure::Between(_) => relay.set(Conduct::Faithful),
        }
        serves_soon(service, LAMB);
        is_bound(service, LAMB);
    }
}

/// A restart between two logins, an answer that breaks off once, and answers that take their time are nobody's concern.
fn hides_what_passes<D: RealDirectory>(mut directory: D, schema: &str) {
    let (relay, site) = (LdapRelay::to(&directory.url()), site());
    let service = site.serve(&plan(&relay.url(), schema).and(HOLD_NOTHING));
    is_bound(&service, ALAN);
    for end in [D::stop, D::kill] {
        end(&mut directory);
        directory.restart();
        is_bound(&service, ALAN);
    }
    for conduct in [Conduct::CutsInSearches(1), Conduct::CutsInBinds(1), Conduct::Slow(Duration::from_millis(150))] {
        relay.set(conduct);
        is_bound(&service, ALAN);
        is_bound(&service, LAMB);
    }
    assert_eq!(alarms(&service), [""; 0]);
}

/// A password whose answer was lost is sent once more, and never again: the directory may count each try.
fn binds_no_more_than_twice(directory: &impl RealDirectory, schema: &str) {
    // A change stamp that is not older than its second settles nothing yet.
    let loaded = Instant::now();
    super::wait_until("change stamps are settled", || loaded.elapsed() > Duration::from_secs(4));
    let (relay, site) = (LdapRelay::to(&directory.url()), site());
    let service = site.serve(&plan(&relay.url(), schema).and("cache: { password: 0s }"));
    is_bound(&service, ALAN);
    let costs = |binds: usize, login: &dyn Fn()| {
        let before = relay.binds();
        login();
        assert_eq!(relay.binds() - before, binds);
    };
    let wrong = |password: &str| refuses(&service, ALAN.0, password, "AUTH");
    costs(1, &|| wrong("one"));
    costs(0, &|| wrong("one"));
    relay.set(Conduct::CutsInBinds(1));
    costs(2, &|| wrong("two"));
    costs(0, &|| wrong("two"));
    relay.set(Conduct::CutsInBinds(usize::MAX));
    costs(2, &|| puts_off(&service, (ALAN.0, "three")));
    costs(2, &|| puts_off(&service, LAMB));
    relay.set(Conduct::Slow(Duration::from_millis(1_500)));
    // Known from memory, so it is the bind that is waited for: in vain, and not once more.
    costs(1, &|| puts_off(&service, LAMB));
}

#[test]
fn failures_of_slapd() {
    outlives_failures(Slapd::start(LDIF), "");
}

#[test]
fn failures_of_389_directory_server() {
    outlives_failures(Ds389::start(LDIF), "    schema: 389ds\n");
}

#[test]
fn failures_of_samba() {
    outlives_failures(Samba::start(LDIF), "    schema: active_directory\n");
}

#[test]
fn what_passes_at_slapd() {
    hides_what_passes(Slapd::start(LDIF), "");
}

#[test]
fn what_passes_at_389_directory_server() {
    hides_what_passes(Ds389::start(LDIF), "    schema: 389ds\n");
}

#[test]
fn what_passes_at_samba() {
    hides_what_passes(Samba::start(LDIF), "    schema: active_directory\n");
}

#[test]
fn binds_at_slapd() {
    binds_no_more_than_twice(&Slapd::start(LDIF), "");
}

#[test]
fn binds_at_389_directory_server() {
    binds_no_more_than_twice(&Ds389::start(LDIF), "    schema: 389ds\n");
}

#[test]
fn binds_at_samba() {
    binds_no_more_than_twice(&Samba::start(LDIF), "    schema: active_directory\n");
}

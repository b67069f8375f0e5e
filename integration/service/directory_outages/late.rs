//! One search or bind that is late, on a server that answers all others: it alone is given up.

use std::time::{Duration, Instant};

use restante::demo::people::LDIF;

use super::{ALAN, LAMB, MARY, NO_GRACE, alarms, plan, puts_off, serves, site};
use crate::support::conversation::Conversation;
use crate::support::directory::RealDirectory;
use crate::support::ldap_relay::{Conduct, LdapRelay};
use crate::support::login::log_in;
use crate::support::service::{Plan, Service};
use crate::support::slapd::Slapd;
use crate::support::wait_until;

/// Part of a name whose search is late.
const LATE: &str = "dawdler";

/// Logs in again and again while something else is waited for.
fn neighbours_are_served<T: Send>(service: &Service, meanwhile: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let waiting = scope.spawn(meanwhile);
        while !waiting.is_finished() {
            serves(service, ALAN);
            serves(service, LAMB);
        }
        waiting.join().unwrap()
    })
}

/// A client that sent a password for a name, and waits.
fn begun(service: &Service, name: &str) -> Conversation {
    let mut client = Conversation::plain(service.pop3());
    client.expect("+OK");
    client.ask(&format!("USER {name}"), "+OK");
    client.send("PASS x");
    client
}

fn withholding(plan: Plan) -> (Slapd, LdapRelay, Service, crate::support::service::Site) {
    let (slapd, site) = (Slapd::start(LDIF), site());
    let relay = LdapRelay::to(&slapd.url());
    let mut plan = plan.and(NO_GRACE);
    plan.directory = plan.directory.replace("URL", &relay.url());
    let service = site.serve(&plan);
    serves(&service, ALAN);
    relay.set(Conduct::WithholdsAnswersTo(LATE));
    (slapd, relay, service, site)
}

/// "The Abandon operation allows a client to request that the server abandon an uncompleted operation"
/// (RFC 4511 §4.11).
#[test]
fn one_late_search_is_abandoned_and_its_neighbours_keep_the_connection() {
    let (_slapd, relay, service, _site) = withholding(plan(&["URL"]));
    for round in 1..=2 {
        neighbours_are_served(&service, || puts_off(&service, (&format!("{LATE}{round}"), "x")));
        wait_until("the late search is abandoned", || relay.abandoned() == round);
    }
    assert_eq!(relay.search_connections(), 1, "the connection that all searches share");
    assert_eq!(relay.withheld().len(), 2);
    assert!(!alarms(&service).iter().any(|line| line.contains("directory server failed")), "{:?}", alarms(&service));
    service.wait_for_log(&["WARN", "directory unavailable", "search: no answer in time"]);
}

/// The late search alone goes on to the next server; everybody else stays.
#[test]
fn one_late_search_is_asked_of_the_next_server_alone() {
    let (second, site) = (Slapd::start(LDIF), site());
    let (first, other) = (Slapd::start(LDIF), LdapRelay::to(&second.url()));
    let relay = LdapRelay::to(&first.url());
    let service = site.serve(&plan(&[&relay.url(), &other.url()]).and(NO_GRACE));
    serves(&service, ALAN);
    for conduct in [Conduct::WithholdsAnswersTo("mbrown"), Conduct::EndsSearchesFor("mbrown", 3)] {
        relay.set(conduct);
        let before = other.search_connections();
        neighbours_are_served(&service, || serves(&service, MARY));
        assert_eq!(other.search_connections(), before + 1, "{conduct:?}: a connection of its own");
        assert_eq!(relay.search_connections(), 1, "{conduct:?}");
    }
    relay.set(Conduct::Faithful);
    serves(&service, MARY);
    assert_eq!(other.search_connections(), 2, "the first server was never passed over");
}

/// Look-ups that wait for others are answered in time, and never asked all at once.
#[test]
fn look_ups_at_once_are_bounded() {
    let mut bounded = plan(&["URL"]);
    bounded.directory.push_str("    concurrent_lookups: 2\n");
    let (_slapd, relay, service, _site) = withholding(bounded);
    let began = Instant::now();
    let mut clients: Vec<Conversation> = (0..12).map(|number| begun(&service, &format!("{LATE}{number}"))).collect();
    for client in &mut clients {
        client.expect("-ERR [SYS/TEMP] ");
    }
    assert!(began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
    let asked = relay.withheld();
    assert!(asked.len() < 12, "those that waited too long are not asked at all: {}", asked.len());
    for third in asked.windows(3) {
        assert!(third[2] - third[0] > Duration::from_millis(500), "more than two at once: {asked:?}");
    }
    service.wait_for_log(&["WARN", "directory unavailable", "concurrent_lookups"]);
    relay.set(Conduct::Faithful);
    wait_until("all is well again", || log_in(&service, ALAN.0, ALAN.1).is_ok());
}

/// Who was asked on a connection that was found dead meanwhile is asked once more, on the fresh one.
#[test]
fn neighbours_on_a_dead_connection_are_asked_on_the_fresh_one() {
    let mut patient = plan(&["URL"]);
    patient.directory = patient.directory.replace("operation: 1s, search: 2s", "operation: 4s, search: 4s");
    let (_slapd, relay, service, _site) = withholding(patient);
    relay.set(Conduct::WithholdsAnswersTo("inetOrgPerson"));
    let first = begun(&service, ALAN.0);
    wait_until("the first is asked", || relay.withheld().len() == 1);
    // Late by so much that a fresh connection can be made before the second one is late.
    std::thread::sleep(Duration::from_secs(2));
    std::thread::scope(|scope| {
        let second = scope.spawn(|| log_in(&service, MARY.0, MARY.1));
        wait_until("the second is asked on the same connection", || relay.withheld().len() == 2);
        relay.set(Conduct::Faithful);
        { first }.expect("-ERR [SYS/TEMP] ");
        serves(&service, LAMB);
        assert_eq!(second.join().unwrap().as_deref(), Ok(MARY.0));
    });
    assert_eq!(relay.search_connections(), 2);
}

/// Two servers, of which the first is asked over a relay, and waits a little longer than usual for a bind.
fn two_servers() -> (Slapd, Slapd, LdapRelay, LdapRelay, Service, crate::support::service::Site) {
    let (first, second, site) = (Slapd::start(LDIF), Slapd::start(LDIF), site());
    let (relay, other) = (LdapRelay::to(&first.url()), LdapRelay::to(&second.url()));
    let mut plan = plan(&[&relay.url(), &other.url()]).and(NO_GRACE);
    plan.directory = plan.directory.replace("operation: 1s", "operation: 3s");
    let service = site.serve(&plan);
    serves(&service, ALAN);
    (first, second, relay, other, service, site)
}

/// As where an overlay asks elsewhere about one person: everybody else stays with the first server.
#[test]
fn one_late_bind_is_asked_of_the_next_server_alone() {
    let (_first, _second, relay, other, service, _site) = two_servers();
    relay.set(Conduct::WithholdsBindsOf(&["uid=mbrown,"]));
    for round in 1..=2 {
        neighbours_are_served(&service, || serves(&service, MARY));
        assert_eq!((other.binds(), other.search_connections()), (round, 0), "the late bind alone");
    }
    // With nobody else about, the server is asked whether it lives.
    serves(&service, MARY);
    serves(&service, ALAN);
    assert_eq!((other.binds(), other.search_connections()), (3, 0));
    service.wait_for_logs(&["WARN", "bind as the person: no answer in time", "for this bind alone"], 3);
    assert_eq!(relay.search_connections(), 4, "one that all searches share, three to see whether the server lives");
}

/// The same with one server: the one login is put off, and the connections of the others go on.
#[test]
fn one_late_bind_puts_off_one_login() {
    let (_slapd, relay, service, _site) = withholding(plan(&["URL"]));
    relay.set(Conduct::WithholdsBindsOf(&["uid=mbrown,"]));
    neighbours_are_served(&service, || puts_off(&service, MARY));
    assert_eq!(relay.search_connections(), 2, "one that all searches share, one to see whether the server lives");
    service.wait_for_log(&["WARN", "directory unavailable", "bind as the person: no answer in time"]);
}

/// A server that answers searches, and nobody's bind: it is passed over once a second person's bind is late as well.
#[test]
fn a_server_that_answers_no_bind_is_passed_over() {
    let (_first, _second, relay, other, service, _site) = two_servers();
    relay.set(Conduct::WithholdsBindsOf(&["uid="]));
    for person in [MARY, LAMB] {
        serves(&service, person);
    }
    service.wait_for_log(&["WARN", "event=trying_next_server directory=", "bind as the person: no answer in time"]);
    // It was down: searches tell that it is up again.
    service.wait_for_log(&["INFO", "directory server answers again", &relay.url()]);
    assert_eq!(other.binds(), 2);
}

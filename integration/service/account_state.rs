//! Who may log in: the state of an account, told by a bind or by the entry; groups; networks. Against the real slapd with
//! its password policy, and against the embedded directory with Active Directory's attributes.

mod active_directory;
mod every;
mod groups;
mod password_policy;

use crate::support::login::{give_mail, log_in, opens, refuses};
use crate::support::service::{Plan, Service, Site};
use crate::support::wait_until;

/// Somebody with their password.
type Person = (&'static str, &'static str);

const ALAN: Person = ("ajones", "violet-harbour-17");
const LAMB: Person = ("alamb", "seven green lamps");
const MARY: Person = ("mbrown", "paper-boat-42");
const OTHER_MARY: Person = ("mbrown2", "quiet-orchard-8");
const TOM: Person = ("tclerk", "brass-button-3");
const ALANS_DN: &str = "uid=ajones,ou=Sales,ou=people,dc=renovations,dc=example";
const MARYS_DN: &str = "uid=mbrown,ou=Sales,ou=people,dc=renovations,dc=example";

/// Restante in front of a directory, with lines for it; a look-up is believed for a second, a password for long.
fn served(url: &str, lines: &str) -> (Site, Service) {
    let site = Site::new();
    let mut plan = Plan::at(url).and("refusal_step: 0s").and("cache: { found: 1s, missed: 1s, password: 1h }");
    plan.directory.push_str(lines);
    let service = site.serve(&plan);
    for (person, _) in [ALAN, LAMB, MARY, OTHER_MARY, TOM] {
        give_mail(&site, person);
    }
    (site, service)
}

fn lets_in(service: &Service, (name, password): Person, proof: &str) {
    let before = logged(service, name, proof);
    opens(service, name, password, name);
    wait_until(&format!("{name} is logged with proof={proof}"), || logged(service, name, proof) > before);
}

fn logged(service: &Service, name: &str, proof: &str) -> usize {
    let (person, proof) = (format!(" event=login person=\"{name}\""), format!("proof=\"{proof}\" "));
    service.log().iter().filter(|line| line.contains(&person) && line.contains(&proof)).count()
}

/// Refused like everybody, and the true reason logged.
fn keeps_out(service: &Service, (name, password): Person, reason: &str) {
    refuses(service, name, password, "AUTH");
    service.wait_for_log(&["login refused", &format!("person=\"{name}\""), &format!("reason=\"{reason}")]);
}

/// Somebody who could log in a moment ago no longer can, though their password is held.
fn is_cut(service: &Service, person: Person, reason: &str) {
    wait_until("they are cut", || log_in(service, person.0, person.1).is_err());
    keeps_out(service, person, reason);
}

fn is_let_in_again(service: &Service, person: Person) {
    wait_until("they are let in again", || log_in(service, person.0, person.1).is_ok());
}

#[test]
fn a_listener_takes_logins_from_its_networks_only() {
    let directory = active_directory::start();
    let site = Site::new();
    let mut plan = Plan::at(&directory.url()).and("refusal_step: 0s");
    plan.directory.push_str("    schema: active_directory\n");
    plan.listeners = "  - { address: \"127.0.0.1:0\", tls: starttls, accept_from: [192.0.2.0/24, \"::1\"] }\n  \
                      - { address: \"127.0.0.1:0\", tls: none, accept_from: [127.0.0.0/8] }\n"
        .to_owned();
    let service = site.serve(&plan);
    service.wait_for_log(&["the directory answers"]);
    let asked = directory.controls().asked().searches;
    refuses(&service, ALAN.0, ALAN.1, "AUTH");
    service.wait_for_log(&["login refused", "reason=\"the listener takes no logins from that address"]);
    assert_eq!(directory.controls().asked().searches, asked, "nobody was asked");
    let mut client = crate::support::conversation::Conversation::plain(service.port("none"));
    client.expect("+OK");
    client.ask(&format!("USER {}", ALAN.0), "+OK");
    client.ask(&format!("PASS {}", ALAN.1), "+OK");
}

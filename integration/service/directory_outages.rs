//! What people see of a directory that fails: as little as can be, and never "wrong password".

mod codes;
mod every;
mod fault_injection;
mod idling;
mod late;
mod outage;
mod servers;
mod several;
mod transport;

use std::cell::Cell;
use std::net::Ipv4Addr;

use restante::demo::directory::{Controls, EmbeddedDirectory};
use restante::demo::people::{self, SERVICE};
use restante::names::Dn;

use crate::support::login::{give_mail, log_in_from, opens};
use crate::support::service::{Plan, Service, Site};
use crate::support::wait_until;

/// Names and passwords of the sample people.
const ALAN: (&str, &str) = ("ajones", "violet-harbour-17");
const LAMB: (&str, &str) = ("alamb", "seven green lamps");
const MARY: (&str, &str) = ("mbrown", "paper-boat-42");

/// What is held is of no use, so that every login needs the directory or the grace.
const HOLD_NOTHING: &str = "cache: { found: 0s, missed: 0s, password: 0s, refused: 0s }";

/// The same without any grace.
const NO_GRACE: &str = "cache: { found: 0s, missed: 0s, password: 0s, refused: 0s, outage_grace: 0s }";

/// Servers at some URLs, asked with little patience; refusals are told at once.
fn plan(urls: &[&str]) -> Plan {
    let mut plan = Plan::at(&urls.join("\", \"")).and("refusal_step: 0s");
    plan.directory.push_str("    timeouts: { connect: 1s, operation: 1s, search: 2s }\n");
    plan
}

/// A folder with mail for three people.
fn site() -> Site {
    let site = Site::new();
    for (person, _) in [ALAN, LAMB, MARY] {
        give_mail(&site, person);
    }
    site
}

/// The sample directory inside this process.
fn embedded() -> (EmbeddedDirectory, Controls) {
    let directory = EmbeddedDirectory::start(people::tree().unwrap(), Dn::parse(SERVICE)).unwrap();
    let controls = directory.controls();
    (directory, controls)
}

/// Logs in and gets the own mail.
fn serves(service: &Service, (person, password): (&str, &str)) {
    opens(service, person, password, person);
}

/// Logs in and is told to come back later.
fn puts_off(service: &Service, (person, password): (&str, &str)) {
    crate::support::login::refuses(service, person, password, "SYS/TEMP");
}

/// Logs in again and again until it succeeds; nobody is told anything but to come back later.
fn serves_soon(service: &Service, (person, password): (&str, &str)) {
    // Of many refusals of one network, not each has a line in the log.
    let tries = Cell::new(0_u16);
    let log_in = || {
        tries.set(tries.get() + 1);
        let [high, low] = tries.get().to_be_bytes();
        log_in_from(Ipv4Addr::new(127, 1, high, low), service, person, password)
    };
    wait_until("the directory is asked again", || match log_in() {
        Ok(owner) => owner == person,
        Err(refusal) => {
            assert!(refusal.starts_with("-ERR [SYS/TEMP] "), "{refusal}");
            false
        }
    });
}

/// The lines of the log that an administrator would be woken by.
fn alarms(service: &Service) -> Vec<String> {
    let root = |line: &String| line.contains("running as root");
    let alarm = |line: &String| line.contains(" WARN ") || line.contains(" ERROR ");
    service.log().into_iter().filter(|line| alarm(line) && !root(line)).collect()
}

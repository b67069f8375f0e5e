//! A slapd that dies, hangs, and comes back.

use std::time::{Duration, Instant};

use restante::demo::people::LDIF;

use super::{ALAN, HOLD_NOTHING, LAMB, MARY, NO_GRACE, plan, puts_off, serves, serves_soon, site};
use crate::support::directory::RealDirectory;
use crate::support::service::Service;
use crate::support::slapd::Slapd;

fn proofs(service: &Service, proof: &str, count: usize) {
    service.wait_for_logs(&[" event=login person=\"ajones\" ", &format!("proof=\"{proof}\" ")], count);
}

#[test]
fn those_proven_of_late_go_on_working_while_slapd_is_dead() {
    let (mut slapd, site) = (Slapd::start(LDIF), site());
    let service = site.serve(&plan(&[&slapd.url()]).and(HOLD_NOTHING));
    for round in 1..=2 {
        serves_soon(&service, ALAN);
        proofs(&service, "bind", round);
        slapd.kill();
        serves(&service, ALAN);
        proofs(&service, "outage grace", 2 * round - 1);
        // Neither a person never seen, nor a name never proven, nor another password.
        puts_off(&service, LAMB);
        puts_off(&service, ("nobody", "x"));
        puts_off(&service, ("ajones", "violet-harbour-18"));
        puts_off(&service, ("alamb", ALAN.1));
        serves(&service, ALAN);
        proofs(&service, "outage grace", 2 * round);
        slapd.restart();
        serves_soon(&service, MARY);
        service.wait_for_log(&[" event=login person=\"mbrown\" ", "proof=\"bind\" "]);
    }
    service.wait_for_log(&["WARN", "login not possible: directory unavailable", "login=\"alamb\"", "refused"]);
    serves_soon(&service, LAMB);
    proofs(&service, "outage grace", 4);
}

#[test]
fn held_answers_need_no_directory() {
    let (mut slapd, site) = (Slapd::start(LDIF), site());
    let service = site.serve(&plan(&[&slapd.url()]).and("cache: { outage_grace: 0s }"));
    serves(&service, ALAN);
    slapd.kill();
    serves(&service, ALAN);
    proofs(&service, "cache", 1);
    puts_off(&service, ("ajones", "wrong"));
}

#[test]
fn without_grace_everybody_waits() {
    let (mut slapd, site) = (Slapd::start(LDIF), site());
    let service = site.serve(&plan(&[&slapd.url()]).and(NO_GRACE));
    serves(&service, ALAN);
    slapd.kill();
    puts_off(&service, ALAN);
    slapd.restart();
    serves_soon(&service, ALAN);
}

#[test]
fn five_distinct_wrong_passwords_end_the_grace() {
    let (mut slapd, site) = (Slapd::start(LDIF), site());
    let service = site.serve(&plan(&[&slapd.url()]).and(HOLD_NOTHING));
    for _ in 0..2 {
        serves_soon(&service, ALAN);
        serves_soon(&service, LAMB);
        slapd.kill();
        // The same one over and over, as from a device that was never told, counts once.
        for _ in 0..6 {
            puts_off(&service, ("ajones", "wrong 1"));
        }
        for guess in 2..=4 {
            puts_off(&service, ("ajones", &format!("wrong {guess}")));
        }
        serves(&service, ALAN);
        puts_off(&service, ("ajones", "wrong 5"));
        puts_off(&service, ALAN);
        // That person's grace only.
        serves(&service, LAMB);
        slapd.restart();
    }
}

#[test]
fn a_frozen_slapd_keeps_nobody_waiting_for_long() {
    let (slapd, site) = (Slapd::start(LDIF), site());
    let service = site.serve(&plan(&[&slapd.url()]).and(HOLD_NOTHING));
    serves(&service, ALAN);
    slapd.freeze();
    // A second for the search on the old connection, one for each step of a new one, and room for a busy machine.
    let limit = Duration::from_secs(7);
    for (person, is_known) in [(LAMB, false), (ALAN, true), (MARY, false), (ALAN, true)] {
        let began = Instant::now();
        if is_known {
            serves(&service, person);
        } else {
            puts_off(&service, person);
        }
        assert!(began.elapsed() < limit, "{:?}", began.elapsed());
    }
    proofs(&service, "outage grace", 2);
    slapd.thaw();
    serves_soon(&service, LAMB);
    serves(&service, ALAN);
    proofs(&service, "bind", 2);
}

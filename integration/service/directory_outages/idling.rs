//! Connections that are cut while nobody uses them cost nobody a login.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use restante::demo::fault_injection::InjectedFault;
use restante::demo::people::LDIF;

use super::{ALAN, LAMB, NO_GRACE, alarms, embedded, plan, serves, site};
use crate::support::directory::RealDirectory;
use crate::support::login::refuses;
use crate::support::relay::Relay;
use crate::support::slapd::{Options, Slapd};
use crate::support::{PATIENCE, wait_until};

/// Open connections to a port of 127.0.0.1, as `proc_net_tcp(5)` tells (established is state 01), each by the address at its
/// other end.
fn connections(url: &str) -> BTreeSet<String> {
    let port: u16 = url.rsplit(':').next().unwrap().parse().unwrap();
    let (to, established) = (format!("0100007F:{port:04X}"), "01");
    let table = fs::read_to_string("/proc/net/tcp").unwrap();
    let fields = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let ours = fields.filter(|fields| fields.get(2) == Some(&to.as_str()) && fields.get(3) == Some(&established));
    ours.map(|fields| fields[1].to_owned()).collect()
}

#[test]
fn slapd_closes_idle_connections() {
    let slapd = Slapd::start_with(LDIF, &Options { idle_timeout: 2, ..Options::default() });
    let site = site();
    let service = site.serve(&plan(&[&slapd.url()]).and(NO_GRACE));
    for _ in 0..2 {
        serves(&service, ALAN);
        assert!(!connections(&slapd.url()).is_empty(), "neither search nor bind has a connection");
        wait_until("slapd closes what idles", || connections(&slapd.url()).is_empty());
        serves(&service, LAMB);
    }
    assert_eq!(alarms(&service), [""; 0]);
}

#[test]
fn connections_are_used_before_slapd_closes_them() {
    let slapd = Slapd::start_with(LDIF, &Options { idle_timeout: 2, ..Options::default() });
    let (site, mut plan) = (site(), plan(&[&slapd.url()]).and(NO_GRACE));
    plan.directory.push_str("    keep_alive: 1s\n");
    let service = site.serve(&plan);
    serves(&service, ALAN);
    let before = connections(&slapd.url());
    assert_eq!(before.len(), 2, "one for searches, one for binds");
    for _ in 0..3 {
        let mut idle = TcpStream::connect(slapd.url().trim_start_matches("ldap://")).unwrap();
        idle.set_read_timeout(Some(PATIENCE)).unwrap();
        // A notice of disconnection may come first.
        idle.read_to_end(&mut Vec::new()).unwrap();
    }
    assert_eq!(connections(&slapd.url()), before);
    serves(&service, ALAN);
    assert_eq!(connections(&slapd.url()), before);
    assert_eq!(alarms(&service), [""; 0]);
}

/// While connections are used for a sign of life, others are made for the binds that come meanwhile: they do not add up.
#[test]
fn no_more_connections_are_kept_than_configured() {
    let ((directory, controls), site) = (embedded(), site());
    let mut plan = plan(&[&directory.url()]).and("cache: { password: 0s }");
    plan.directory.push_str("    keep_alive: 1s\n    bind_connections: 2\n");
    let service = site.serve(&plan);
    controls.inject(InjectedFault::Slow(Duration::from_millis(20)));
    let began = Instant::now();
    std::thread::scope(|scope| {
        for person in [ALAN, LAMB] {
            let service = &service;
            scope.spawn(move || {
                while began.elapsed() < Duration::from_secs(10) {
                    serves(service, person);
                }
            });
        }
    });
    controls.inject(InjectedFault::None);
    let kept = connections(&directory.url());
    assert!(kept.len() <= 1 + 2, "more than one for searches and two for binds: {kept:?}");
}

#[test]
fn the_directory_closes_all_connections() {
    let ((directory, controls), site) = (embedded(), site());
    let service = site.serve(&plan(&[&directory.url()]).and(NO_GRACE));
    serves(&service, ALAN);
    for round in 1..=5 {
        let before = controls.asked().connections;
        controls.close_connections();
        serves(&service, if round % 2 == 0 { ALAN } else { LAMB });
        assert_eq!(controls.asked().connections, before + 2, "one for the search, one for the bind");
    }
    assert_eq!(alarms(&service), [""; 0]);
}

/// A firewall between the two forgets what idles and tells nobody. Then every connection is lost, not only the first that
/// is tried.
#[test]
fn a_firewall_forgets_connections() {
    let ((directory, controls), site) = (embedded(), site());
    let relay = Relay::to(directory.address());
    let service = site.serve(&plan(&[&relay.url()]).and(NO_GRACE));
    controls.inject(InjectedFault::Slow(Duration::from_millis(200)));
    std::thread::scope(|scope| {
        scope.spawn(|| serves(&service, ALAN));
        scope.spawn(|| refuses(&service, ALAN.0, "wrong", "AUTH"));
    });
    controls.inject(InjectedFault::None);
    assert!(controls.asked().connections >= 3, "no binds at the same time: {:?}", controls.asked());
    for _ in 0..2 {
        relay.forget();
        serves(&service, ALAN);
    }
    assert_eq!(alarms(&service), [""; 0]);
}

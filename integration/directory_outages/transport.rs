//! The ways to a slapd: in clear, TLS, `StartTLS`, a local socket; as the service's entry or as nobody.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use restante::demo::authority::Authority;
use restante::demo::people::LDIF;

use super::support::login::refuses;
use super::support::service::Plan;
use super::support::slapd::{Options, Slapd};
use super::{ALAN, HOLD_NOTHING, LAMB, plan, puts_off, serves, site};

/// Refuses what is not well enciphered.
fn strict() -> Slapd {
    Slapd::start_with(LDIF, &Options { further: "security ssf=112".to_owned(), ..Options::default() })
}

fn trusting(authority: &Path, url: &str, starttls: bool) -> Plan {
    let mut plan = plan(&[url]).and(HOLD_NOTHING);
    writeln!(plan.directory, "    ca: {}\n    starttls: {starttls}", authority.display()).unwrap();
    plan
}

#[test]
fn tls_and_starttls_with_an_authority_of_ones_own() {
    let slapd = strict();
    for (url, starttls) in [(slapd.tls_url(), false), (slapd.url(), true)] {
        let site = site();
        let service = site.serve(&trusting(&slapd.authority(), &url, starttls));
        serves(&service, ALAN);
        serves(&service, LAMB);
        refuses(&service, "ajones", "wrong", "AUTH");
    }
    // It is the cipher that lets in.
    let site = site();
    let service = site.serve(&plan(&[&slapd.url()]).and(HOLD_NOTHING));
    refuses(&service, ALAN.0, ALAN.1, "SYS/PERM");
    service.wait_for_log(&["ERROR", "confidentialityRequired"]);
}

/// Somebody between us and the directory is an outage; nothing is sent to them.
#[test]
fn a_server_of_another_authority_is_not_trusted() {
    let slapd = strict();
    for (url, starttls) in [(slapd.tls_url(), false), (slapd.url(), true)] {
        let site = site();
        fs::write(site.folder().join("other-ca.pem"), Authority::new().unwrap().pem()).unwrap();
        let service = site.serve(&trusting(Path::new("other-ca.pem"), &url, starttls));
        puts_off(&service, ALAN);
        service.wait_for_log(&["WARN", "login not possible: directory unavailable", &url, "invalid peer certificate"]);
    }
}

#[test]
fn a_local_socket() {
    let (slapd, site) = (Slapd::start(LDIF), site());
    let service = site.serve(&plan(&[&slapd.socket_url()]).and(HOLD_NOTHING));
    serves(&service, ALAN);
    refuses(&service, "alamb", "wrong", "AUTH");
    drop(slapd);
    serves(&service, ALAN);
    puts_off(&service, LAMB);
}

#[test]
fn anonymous_look_ups_where_anybody_may_read() {
    let slapd = Slapd::start_with(LDIF, &Options { anybody_reads: true, ..Options::default() });
    let site = site();
    let mut plan = plan(&[&slapd.url()]).and(HOLD_NOTHING);
    let lines = plan.directory.split_inclusive('\n');
    plan.directory = lines.filter(|line| !line.contains(" bind:")).collect();
    let service = site.serve(&plan);
    serves(&service, ALAN);
    refuses(&service, "ajones", "wrong", "AUTH");
    refuses(&service, "nobody", "wrong", "AUTH");
}

//! The ways to a slapd: in clear, TLS, `StartTLS`, a local socket; as the service's entry or as nobody.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use restante::demo::authority::Authority;
use restante::demo::people::LDIF;

use super::{ALAN, HOLD_NOTHING, LAMB, plan, puts_off, serves, site};
use crate::support::certificates::{ClientAuthority, Request};
use crate::support::directory::RealDirectory;
use crate::support::login::refuses;
use crate::support::process::output;
use crate::support::service::{Plan, Site, restante};
use crate::support::slapd::{Options, Slapd};

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
        // An authority of the same name, as its successor with another key is.
        service.wait_for_log(&["WARN", "directory server failed", "directories[].ca must name the PEM file"]);
    }
}

/// What the log and `check` say of a server whose chain is not valid at this time, with what would be right.
#[test]
fn a_certificate_out_of_its_time_is_explained() {
    let (now, hour) = (SystemTime::now(), Duration::from_secs(3600));
    let root = ClientAuthority::new("Renovations root");
    let expired_authority = root.below_until("Renovations CA", 2, now - hour);
    for (certificate, words) in [
        (root.sign(Request::of_server().until(now - hour)), "has expired"),
        (expired_authority.sign(Request::of_server()), "has expired"),
        (root.sign(Request::of_server().from(now + hour)), "is not valid yet"),
    ] {
        let (mut slapd, site) = (Slapd::start(LDIF), site());
        slapd.show(&certificate.chain(), &certificate.key.serialize_pem());
        fs::write(site.folder().join("directory-ca.pem"), root.pem()).unwrap();
        let service = site.serve(&trusting(Path::new("directory-ca.pem"), &slapd.tls_url(), false));
        puts_off(&service, ALAN);
        service.wait_for_log(&["WARN", "login not possible: directory unavailable", words, "directories[].ca"]);
        let complained = complaints(&site);
        for word in [words, "directories[].ca"] {
            assert!(complained.contains(word), "no {word:?} in {complained}");
        }
    }
}

/// RFC 5280 §6.1.1 (d): the end of an authority's own certificate is no matter of the path below it, so logins go on; but
/// other clients of the directory judge otherwise.
#[test]
fn an_authority_that_has_expired_is_trusted_and_reported() {
    let (now, root) = (SystemTime::now(), ClientAuthority::new("Renovations root"));
    let authority = root.below_until("Renovations CA", 2, now - Duration::from_secs(3600));
    let certificate = authority.sign(Request::of_server());
    let (mut slapd, site) = (Slapd::start(LDIF), site());
    slapd.show(&certificate.chain(), &certificate.key.serialize_pem());
    fs::write(site.folder().join("directory-ca.pem"), authority.pem()).unwrap();
    let service = site.serve(&trusting(Path::new("directory-ca.pem"), &slapd.tls_url(), false));
    serves(&service, ALAN);
    let complained = complaints(&site);
    for word in ["directory test: ca: ", "directory-ca.pem", "Renovations CA", "expired at"] {
        assert!(complained.contains(word), "no {word:?} in {complained}");
    }
}

/// What `check` finds wrong.
fn complaints(site: &Site) -> String {
    let mut check = restante();
    let ended = output(check.args(["check", "--config"]).arg(site.folder().join("restante.yaml")), "");
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    String::from_utf8(ended.stderr).unwrap()
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

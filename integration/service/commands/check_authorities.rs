//! `restante check` looks at the files that say whose certificates count: clients' authorities and their revocation lists,
//! and the authorities of directories.

use std::fs;
use std::time::{Duration, SystemTime};

use super::{Ended, command};
use crate::support::certificates::{ClientAuthority, Request, pem};
use crate::support::directory::RealDirectory;
use crate::support::service::{Plan, Site};
use crate::support::slapd::Slapd;
use crate::support::stage;

const DAY: Duration = Duration::from_secs(86_400);

fn check(site: &Site, plan: &Plan) -> Ended {
    fs::write(site.folder().join("restante.yaml"), plan.yaml()).unwrap();
    command(site, &["check"], "")
}

fn faulty(ended: &Ended, words: &[&str]) {
    assert_eq!((ended.status, ended.complained.lines().count()), (1, 1), "{}", ended.complained);
    for word in words.iter().chain(&["; expected "]) {
        assert!(ended.complained.contains(word), "{word}: {}", ended.complained);
    }
}

#[test]
fn authorities_and_lists_that_make_no_certificate_valid_are_found() {
    let (directory, site) = (stage::directory(), Site::new());
    let (people, others) = (ClientAuthority::new("People"), ClientAuthority::new("Others"));
    let mut plan = Plan::at(&directory.url());
    plan.tls.push_str("  client_ca: people-ca.pem\n");
    let write = |file: &str, content: &str| fs::write(site.folder().join(file), content).unwrap();
    let (now, soon) = (SystemTime::now(), SystemTime::now() + DAY);

    write("people-ca.pem", &people.pem());
    assert_eq!(check(&site, &plan).status, 0);
    let alan = people.sign(Request::named("Alan Jones"));
    write("people-ca.pem", &(people.pem() + &pem(&alan.own)));
    let words = [
        "tls.client_ca: ",
        "\"CN=Alan Jones\" is not an authority's certificate",
        "that of \"CN=People\", which issued it",
    ];
    faulty(&check(&site, &plan), &words);

    let old = others.below_until("Old", 3, now - DAY);
    write("people-ca.pem", &old.pem());
    faulty(&check(&site, &plan), &["tls.client_ca: ", "\"CN=Old\" expired at 20"]);
    // Beside another one that is valid it does no harm.
    write("people-ca.pem", &(old.pem() + &people.pem()));
    let beside = check(&site, &plan);
    assert_eq!(beside.status, 0, "{}", beside.complained);
    assert!(beside.told.contains("note: tls.client_ca: ") && beside.told.contains("\"CN=Old\" expired at 20"));

    plan.tls.push_str("  crls: [people.crl]\n");
    write("people-ca.pem", &people.pem());
    write("people.crl", &people.revocations(&[], soon));
    assert_eq!(check(&site, &plan).status, 0);
    write("people.crl", &people.revocations(&[], now - DAY));
    let words =
        ["tls.crls: ", "the list of \"CN=People\" is out of date since 20", "no certificate of that issuer counts"];
    faulty(&check(&site, &plan), &words);
    write("people-ca.pem", &(people.pem() + &others.pem()));
    write("people.crl", &people.revocations(&[], soon));
    faulty(&check(&site, &plan), &["tls.client_ca: ", "\"CN=Others\" has no revocation list among tls.crls"]);
}

#[test]
fn the_authorities_of_a_directory_are_looked_at_and_may_be_the_servers_too() {
    let (slapd, site) = (Slapd::start(restante::demo::people::LDIF), Site::new());
    let mut plan = Plan::at(&slapd.tls_url());
    plan.directory.push_str("    ca: directory-ca.pem\n");
    let own = fs::read_to_string(slapd.authority()).unwrap();
    let company = ClientAuthority::new("Company");
    fs::write(site.folder().join("directory-ca.pem"), format!("{own}{}", company.pem())).unwrap();
    let mut request =
        Request::named("server").and(rcgen::SanType::DnsName("mail.renovations.example".try_into().unwrap()));
    request.params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    company.sign(request).write(&site.folder().join("tls"), "server");
    let ended = check(&site, &plan);
    assert_eq!((ended.status, ended.complained.as_str()), (0, ""));
    assert!(!ended.told.contains("note: tls.certificates"), "{}", ended.told);

    let server = company.sign(Request::named("ldap.example"));
    fs::write(site.folder().join("directory-ca.pem"), format!("{own}{}{}", company.pem(), pem(&server.own))).unwrap();
    faulty(&check(&site, &plan), &["directory test: ca: ", "\"CN=ldap.example\" is not an authority's certificate"]);
}

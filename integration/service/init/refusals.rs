//! Every reason not to write a configuration has a sentence, and says what to do next.

use std::fs;

use restante::demo::authority::Authority;
use restante::demo::directory::EmbeddedDirectory;
use restante::demo::people::{BASE, LDIF, SERVICE};
use restante::names::Dn;

use super::servers::fingerprint;
use super::{Initialised, file, init, init_as_usual, written};
use crate::support::directory::{RealDirectory, unchanged_for_long};
use crate::support::login::give_mail;
use crate::support::maildir;
use crate::support::ports::Port;
use crate::support::service::Site;
use crate::support::slapd::{Options, Slapd};
use crate::support::stage::directory;

/// Nothing was written, and the words were said.
fn refused(site: &Site, ended: &Initialised, status: i32, words: &[&str]) {
    assert_eq!(ended.status, status, "{}\n{}", ended.said, ended.complained);
    for words in words {
        assert!(ended.complained.contains(words), "no {words:?} in {}", ended.complained);
    }
    for name in ["restante.yaml", "ldap-ca.pem"] {
        assert!(!site.folder().join(name).exists(), "{name} was written");
    }
}

#[test]
fn an_existing_file_is_kept() {
    let (directory, site) = (directory(), Site::new());
    fs::write(site.folder().join("restante.yaml"), "mine").unwrap();
    let ended = init_as_usual(&site, &directory.url(), &[]);
    assert_eq!(ended.status, 1);
    assert!(ended.complained.contains("restante.yaml exists and is not overwritten"), "{}", ended.complained);
    assert_eq!(written(&site), "mine");
}

#[test]
fn a_missing_answer_names_its_option() {
    let slapd = Slapd::start(LDIF);
    let site = Site::new();
    let password = init(&site, &slapd.url(), &["--bind", SERVICE]);
    refused(&site, &password, 2, &["the password of", "give --password-file"]);
    let fingerprint = init_as_usual(&site, &slapd.tls_url(), &[]);
    refused(
        &site,
        &fingerprint,
        2,
        &["the fingerprint of the one that it presents", "has not been confirmed", "--accept-fingerprint"],
    );
    assert!(fingerprint.said.contains(&super::servers::fingerprint(&slapd)), "{}", fingerprint.said);
    let yes = init_as_usual(&site, &slapd.tls_url(), &["--yes"]);
    refused(&site, &yes, 2, &["--accept-fingerprint"]);
}

#[test]
fn a_server_that_does_not_answer() {
    let (port, site) = (Port::take(), Site::new());
    let url = format!("ldap://{}", port.address());
    refused(&site, &init_as_usual(&site, &url, &[]), 1, &["Connection refused", "Is the server running"]);
    let url = format!("ldaps://localhost:{}", port.number());
    refused(&site, &init_as_usual(&site, &url, &[]), 1, &["Connection refused", "Is the server running"]);
}

#[test]
fn a_wrong_password() {
    let (slapd, site) = (Slapd::start(LDIF), Site::new());
    fs::write(site.folder().join("ldap.password"), "wrong").unwrap();
    let ended = init_as_usual(&site, &slapd.url(), &[]);
    refused(&site, &ended, 1, &["invalidCredentials", "its password right (--password-file)?"]);
}

#[test]
fn another_authority_another_fingerprint_and_another_name() {
    let (mut slapd, site) = (Slapd::start(LDIF), Site::new());
    let other = Site::new();
    let ca = file(&other, "ca.pem");
    let ended = init_as_usual(&site, &slapd.tls_url(), &["--ca", &ca]);
    refused(&site, &ended, 1, &["is signed by \"CN=Restante demonstration CA\", which is not in", &ca]);
    let ended = init_as_usual(&site, &slapd.tls_url(), &["--accept-fingerprint", &"0".repeat(64)]);
    refused(&site, &ended, 1, &["has the fingerprint ", &fingerprint(&slapd)]);

    let authority = Authority::new().unwrap();
    let elsewhere = authority.certify(&["ldap.renovations.example"]).unwrap();
    slapd.show(&elsewhere.chain, &elsewhere.key);
    fs::write(slapd.authority(), authority.pem()).unwrap();
    let said = ["the server's certificate is for ldap.renovations.example, not for localhost"];
    let ended = init_as_usual(&site, &slapd.tls_url(), &["--accept-fingerprint", &fingerprint(&slapd)]);
    refused(&site, &ended, 1, &said);
    let ended = init_as_usual(&site, &slapd.tls_url(), &["--ca", slapd.authority().to_str().unwrap()]);
    refused(&site, &ended, 1, &said);
}

#[test]
fn clear_text_to_another_machine_only_by_its_option() {
    let (directory, site) = (directory(), Site::new());
    give_mail(&site, "ajones");
    // An address of this machine that does not look like one.
    let url = directory.url().replace("127.0.0.1", "127.1");
    let ended = init_as_usual(&site, &url, &[]);
    refused(&site, &ended, 1, &["begins no TLS", "--clear-text"]);
    let ended = init_as_usual(&site, &url, &["--clear-text"]);
    assert_eq!((ended.status, ended.complained.as_str()), (0, ""), "{}", ended.said);
    let text = written(&site);
    assert!(text.contains("# WARNING: without TLS") && text.contains("allow_clear_text: true\n"), "{text}");
}

#[test]
fn nobody_is_found() {
    let (slapd, site) = (Slapd::start(LDIF), Site::new());
    let ended = init_as_usual(&site, &slapd.url(), &["--base", "ou=services,dc=renovations,dc=example"]);
    refused(&site, &ended, 1, &["no people found below ou=services,dc=renovations,dc=example", "--base", "--schema"]);
    let ended = init(&site, &slapd.url(), &[]);
    refused(&site, &ended, 1, &["an anonymous client", "--bind"]);
}

#[test]
fn a_server_that_names_no_naming_context_needs_the_base() {
    let hidden = "access to dn.base=\"\" attrs=namingContexts by * none\naccess to * by * read\n".to_owned();
    let (slapd, site) = (Slapd::start_with(LDIF, &Options { global: hidden, ..Options::default() }), Site::new());
    give_mail(&site, "ajones");
    let ended = init_as_usual(&site, &slapd.url(), &[]);
    refused(&site, &ended, 1, &["the server names no naming context to", "--base"]);
    let ended = init_as_usual(&site, &slapd.url(), &["--base", BASE]);
    assert_eq!((ended.status, ended.complained.as_str()), (0, ""), "{}", ended.said);
    assert!(written(&site).contains(&format!("base: \"{BASE}\"\n")), "{}", written(&site));
}

#[test]
fn several_paths_lead_to_the_same_mail() {
    let (directory, site) = (directory(), Site::new());
    give_mail(&site, "ajones");
    maildir::make(&site.root().join("marybrown@renovations.example/Maildir"), &[]);
    maildir::make(&site.root().join("mary.brown@renovations.example/Maildir"), &[]);
    let ended = init_as_usual(&site, &directory.url(), &[]);
    refused(
        &site,
        &ended,
        2,
        &[
            "several paths lead to",
            "{short_name}/Maildir: 1 of 7",
            "{mail}/Maildir: 1 of 7 people have a Maildir there; left over: 6 people",
            "--mail-path",
        ],
    );
    let ended = init_as_usual(&site, &directory.url(), &["--mail-path", "{short_name}/Maildir"]);
    assert_eq!((ended.status, ended.complained.as_str()), (0, ""), "{}", ended.said);
}

#[test]
fn a_mail_root_with_maildirs_of_nobody() {
    let (directory, site) = (directory(), Site::new());
    maildir::make(&site.root().join("somebody/else"), &[]);
    let ended = init_as_usual(&site, &directory.url(), &[]);
    refused(
        &site,
        &ended,
        2,
        &["no known path leads from people to the 1 Maildir below", "somebody/else", "--mail-path"],
    );
    let ended = init(
        &site,
        &directory.url(),
        &["--bind", SERVICE, "--password-file", &file(&site, "ldap.password"), "--mail-root", "/nowhere"],
    );
    refused(&site, &ended, 1, &["--mail-root"]);
}

#[test]
fn attributes_that_the_service_may_not_read_are_said() {
    let hidden = "modifyTimestamp,entryUUID".to_owned();
    let (slapd, site) = (Slapd::start_with(LDIF, &Options { hidden, ..Options::default() }), Site::new());
    let ended = init_as_usual(&site, &slapd.url(), &[]);
    assert_eq!(ended.status, 0, "{}", ended.complained);
    assert!(ended.said.contains("TO DO: the service's entry may not read"), "{}", ended.said);
    assert!(written(&site).contains("# TO DO: the service's entry may not read"), "{}", written(&site));
}

/// The sample directory, and further entries.
fn with(entries: &str) -> EmbeddedDirectory {
    let ldif = format!("{}\n\n{entries}", LDIF.trim_end());
    EmbeddedDirectory::start(unchanged_for_long(&ldif), Dn::parse(SERVICE)).unwrap()
}

#[test]
fn people_below_several_naming_contexts() {
    let suffix = "dn: o=Works\nobjectClass: organization\no: Works\n\n";
    let person = "dn: uid=jo,o=Works\nobjectClass: inetOrgPerson\nuid: jo\ncn: Jo\nsn: Jo\n";
    let (without, site) = (with(suffix), Site::new());
    let ended = init_as_usual(&site, &without.url(), &[]);
    assert_eq!((ended.status, ended.complained.as_str()), (0, ""), "{}", ended.said);
    assert!(ended.said.contains("base ou=people,dc=renovations,dc=example,"), "{}", ended.said);

    let (both, site) = (with(&format!("{suffix}{person}")), Site::new());
    let ended = init_as_usual(&site, &both.url(), &[]);
    refused(&site, &ended, 2, &["dc=renovations,dc=example: 7; o=Works: 1", "give --base"]);
    let ended = init_as_usual(&site, &both.url(), &["--base", "o=Works"]);
    assert_eq!((ended.status, ended.complained.as_str()), (0, ""), "{}", ended.said);
    assert!(ended.said.contains("base o=Works, schema inet_org_person: 1 person"), "{}", ended.said);
}

#[test]
fn people_who_are_posix_accounts_only() {
    let person = |name: &str| {
        format!("dn: uid={name},o=Works\nobjectClass: account\nobjectClass: posixAccount\nuid: {name}\ncn: {name}\n\n")
    };
    let suffix = "dn: o=Works\nobjectClass: organization\no: Works\n\n";
    let (directory, site) = (with(&format!("{suffix}{}{}", person("jo"), person("al"))), Site::new());
    let ended = init_as_usual(&site, &directory.url(), &["--base", "o=Works"]);
    assert_eq!((ended.status, ended.complained.as_str()), (0, ""), "{}", ended.said);
    assert!(written(&site).contains("schema: posix\n"), "{}", written(&site));
}

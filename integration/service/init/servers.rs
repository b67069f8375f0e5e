//! From each kind of directory to the first mail: `init`, `check`, a login, a message.

use std::fs;
use std::os::unix::fs::symlink;

use restante::certificate::Sha256Fingerprint;
use restante::demo::people::{LDIF, SERVICE};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::{check_and_fetch, init_as_usual, written};
use crate::support::directory::RealDirectory;
use crate::support::ds389::Ds389;
use crate::support::login::give_mail;
use crate::support::maildir;
use crate::support::overlays::Overlay;
use crate::support::samba::Samba;
use crate::support::service::Site;
use crate::support::slapd::{Options, Slapd};
use crate::support::stage::directory;

/// A site in which two people have mail where `{short_name}/Maildir` leads.
fn site_with_mail() -> Site {
    let site = Site::new();
    give_mail(&site, "ajones");
    give_mail(&site, "alamb");
    site
}

/// The fingerprint of the authority of a directory.
pub(super) fn fingerprint(directory: &impl RealDirectory) -> String {
    Sha256Fingerprint::of(&CertificateDer::from_pem_file(directory.authority()).unwrap()).to_string()
}

#[test]
fn openldap_over_ldaps_with_an_accepted_fingerprint() {
    let slapd = Slapd::start_with(LDIF, &Options { overlays: &[Overlay::Sync], ..Options::default() });
    let site = site_with_mail();
    let accepted = fingerprint(&slapd).replace(':', "").to_lowercase();
    let ended = init_as_usual(&site, &slapd.tls_url(), &["--accept-fingerprint", &accepted]);
    assert_eq!((ended.status, ended.complained.as_str()), (0, ""), "{}", ended.said);
    for words in [
        " is OpenLDAP; it holds dc=renovations,dc=example\n",
        "base ou=people,dc=renovations,dc=example, schema inet_org_person: 7 people\n",
        "7 of 7 people have uid, all distinct\n",
        "7 of 7 people have cn; 2 share one with somebody else\n",
        "ids, change stamps and account states can be read\n",
        "changes can be followed (RFC 4533)\n",
        "mail: {short_name}/Maildir: 2 of 7 people have a Maildir there; left over: 5 people, 0 Maildirs\n",
    ] {
        assert!(ended.said.contains(words), "no {words:?} in {}", ended.said);
    }
    let text = written(&site);
    for words in ["ca: ldap-ca.pem\n", &fingerprint(&slapd), "follow: true\n", "path: \"{short_name}/Maildir\"\n"] {
        assert!(text.contains(words), "no {words:?} in {text}");
    }
    check_and_fetch(&site);
}

#[test]
fn openldap_with_starttls_by_a_given_authority() {
    let slapd = Slapd::start(LDIF);
    let site = site_with_mail();
    let (url, ca) = (slapd.url().replace("127.0.0.1", "localhost"), slapd.authority());
    let ended = init_as_usual(&site, &url, &["--starttls", "--ca", ca.to_str().unwrap()]);
    assert_eq!((ended.status, ended.complained.as_str()), (0, ""), "{}", ended.said);
    assert!(written(&site).contains("starttls: true\n"), "{}", written(&site));
    check_and_fetch(&site);
}

#[test]
fn openldap_over_its_local_socket() {
    let slapd = Slapd::start(LDIF);
    let site = site_with_mail();
    let ended = init_as_usual(&site, &slapd.socket_url(), &[]);
    assert_eq!((ended.status, ended.complained.as_str()), (0, ""), "{}", ended.said);
    check_and_fetch(&site);
}

#[test]
fn directory_server_389() {
    let server = Ds389::start(LDIF);
    let site = site_with_mail();
    let ended = init_as_usual(&site, &server.tls_url(), &["--accept-fingerprint", &fingerprint(&server)]);
    assert_eq!((ended.status, ended.complained.as_str()), (0, ""), "{}", ended.said);
    for words in
        [" is 389 Directory Server; it holds dc=renovations,dc=example\n", "schema inet_org_person: 7 people\n"]
    {
        assert!(ended.said.contains(words), "no {words:?} in {}", ended.said);
    }
    check_and_fetch(&site);
}

#[test]
fn active_directory() {
    let samba = Samba::start(LDIF);
    let site = site_with_mail();
    let ended = init_as_usual(&site, &samba.tls_url(), &["--accept-fingerprint", &fingerprint(&samba)]);
    assert_eq!((ended.status, ended.complained.as_str()), (0, ""), "{}", ended.said);
    for words in
        [" is Active Directory; it holds DC=renovations,DC=example\n", "people have sAMAccountName, all distinct\n"]
    {
        assert!(ended.said.contains(words), "no {words:?} in {}", ended.said);
    }
    assert!(written(&site).contains("schema: active_directory\n"), "{}", written(&site));
    check_and_fetch(&site);
}

#[test]
fn the_demonstrations_directory() {
    let (directory, site) = (directory(), site_with_mail());
    let ended = init_as_usual(&site, &directory.url(), &[]);
    assert_eq!((ended.status, ended.complained.as_str()), (0, ""), "{}", ended.said);
    assert!(written(&site).contains("# Without TLS, since nothing leaves this machine."), "{}", written(&site));
    check_and_fetch(&site);
}

#[test]
fn an_unusual_layout_and_lists_of_unique_ids_are_found() {
    let (directory, site) = (directory(), Site::new());
    let home = site.root().join("spool/renovations.example/alan.jones/mail");
    maildir::make(&home, &[("new/1.only", b"Subject: mail of ajones\n\nText\n")]);
    fs::write(home.join("dovecot-uidlist"), "3 V1 N2 G1\n1 :1.only\n").unwrap();
    let ended = init_as_usual(&site, &directory.url(), &[]);
    assert_eq!((ended.status, ended.complained.as_str()), (0, ""), "{}", ended.said);
    let text = written(&site);
    assert!(text.contains("path: \"spool/{mail.domain}/{mail.local}/mail\"\n"), "{text}");
    assert!(text.contains("Dovecot's in 1 Maildir.") && text.contains("\n  import: read\n"), "{text}");
    check_and_fetch(&site);
}

#[test]
fn people_who_may_be_searched_anonymously_need_no_entry_of_the_service() {
    let slapd = Slapd::start_with(LDIF, &Options { anybody_reads: true, ..Options::default() });
    let site = site_with_mail();
    let (root, chain, key) = (site.root(), site.folder().join("tls/server.pem"), site.folder().join("tls/server.key"));
    let [root, chain, key] = [&root, &chain, &key].map(|path| path.to_str().unwrap());
    let options = ["--mail-root", root, "--tls-chain", chain, "--tls-key", key];
    let ended = super::init(&site, &slapd.url(), &options);
    assert_eq!((ended.status, ended.complained.as_str()), (0, ""), "{}", ended.said);
    assert!(!written(&site).contains(SERVICE), "{}", written(&site));
    check_and_fetch(&site);
}

#[test]
fn a_link_in_place_of_the_file_is_not_followed() {
    let (directory, site) = (directory(), site_with_mail());
    let elsewhere = site.folder().join("elsewhere");
    symlink(&elsewhere, site.folder().join("restante.yaml")).unwrap();
    let ended = init_as_usual(&site, &directory.url(), &[]);
    assert_eq!(ended.status, 1, "{}", ended.said);
    assert!(!elsewhere.exists());
}

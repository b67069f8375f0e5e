//! The questions, on a terminal.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use restante::demo::people::{LDIF, SERVICE, service_password};

use super::servers::fingerprint;
use super::{check_and_fetch, command, file, written};
use crate::support::directory::RealDirectory;
use crate::support::login::give_mail;
use crate::support::service::Site;
use crate::support::slapd::Slapd;
use crate::support::terminal::Terminal;

#[test]
fn everything_that_cannot_be_found_out_is_asked() {
    let (slapd, site) = (Slapd::start(LDIF), Site::new());
    give_mail(&site, "ajones");
    fs::remove_file(site.folder().join("ldap.password")).unwrap();
    let password = service_password().unwrap();
    let [chain, key] = ["tls/server.pem", "tls/server.key"].map(|name| file(&site, name));
    let mut terminal = Terminal::run(&command(&site, &slapd.tls_url(), &["--tls-chain", &chain, "--tls-key", &key]));
    terminal.answer(&format!("Is {} the fingerprint of", fingerprint(&slapd)), "perhaps");
    terminal.answer("[yes/no]: ", "yes");
    terminal.answer("DN of the entry that searches for people", SERVICE);
    terminal.answer("Password of ", &password);
    terminal.answer("Write this password to ldap.password", "yes");
    terminal.answer("Directory below which the Maildirs are", &file(&site, "mail"));
    let (status, shown) = terminal.end();
    assert_eq!(status, 0, "{shown}");
    assert!(!shown.contains(&password), "the password was shown: {shown}");
    let saved = site.folder().join("ldap.password");
    assert_eq!(fs::read_to_string(&saved).unwrap(), password);
    assert_eq!(fs::metadata(&saved).unwrap().permissions().mode() & 0o7777, 0o600);
    check_and_fetch(&site);
}

#[test]
fn no_to_the_fingerprint_writes_nothing() {
    let (slapd, site) = (Slapd::start(LDIF), Site::new());
    let mut terminal = Terminal::run(&command(&site, &slapd.tls_url(), &["--yes"]));
    terminal.answer("[yes/no]: ", "no");
    let (status, shown) = terminal.end();
    assert_eq!(status, 1, "{shown}");
    assert!(shown.contains("is not trusted: nothing was written"), "{shown}");
    assert!(!site.folder().join("restante.yaml").exists());
    assert!(!site.folder().join("ldap-ca.pem").exists());
}

#[test]
fn one_of_several_paths_is_chosen() {
    let (directory, site) = (crate::support::stage::directory(), Site::new());
    give_mail(&site, "ajones");
    crate::support::maildir::make(&site.root().join("alan.jones@renovations.example/Maildir"), &[]);
    let (password, root) = (file(&site, "ldap.password"), file(&site, "mail"));
    let options = ["--bind", SERVICE, "--password-file", &password, "--mail-root", &root];
    let mut terminal = Terminal::run(&command(&site, &directory.url(), &options));
    terminal.answer("several paths lead to the same number of Maildirs:", "9");
    terminal.answer("Which one? [1-2]: ", "1");
    let (status, shown) = terminal.end();
    assert_eq!(status, 0, "{shown}");
    assert!(written(&site).contains("path: \"{short_name}/Maildir\"\n"), "{shown}");
}

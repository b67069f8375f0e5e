//! `restante check` looks at mail: may the service read and write it?

use std::os::unix::fs::symlink;

use restante::demo::people::LDIF;

use super::support::login::give_mail;
use super::support::maildir;
use super::support::service::Plan;
use super::support::slapd::Slapd;
use super::{command, configured};

#[test]
fn whose_mail_cannot_be_served_is_named() {
    let slapd = Slapd::start(LDIF);
    let site = configured(&Plan::at(&slapd.url()));
    give_mail(&site, "ajones");
    let ended = command(&site, &["check"], "");
    assert_eq!(ended.status, 0, "who has no Maildir yet is nothing wrong: {}", ended.complained);

    maildir::make(&site.folder().join("elsewhere"), &[]);
    let cur = site.maildir("ajones").join("cur");
    std::fs::remove_dir_all(&cur).unwrap();
    symlink(site.folder().join("elsewhere/cur"), cur).unwrap();
    let ended = command(&site, &["check"], "");
    assert_eq!(ended.status, 1);
    let told = "restante: mailboxes: the mail of 1 of the ";
    assert!(ended.complained.starts_with(told) && ended.complained.contains("(ajones: "), "{}", ended.complained);
    assert!(ended.complained.contains("a link leads out of the mail root"), "{}", ended.complained);
}

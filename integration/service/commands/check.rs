//! `restante check` looks at directories and mail: is anybody found, do their paths lead to mail, and may the service read
//! and write it?

use std::fmt::Write as _;
use std::os::unix::fs::symlink;

use restante::demo::people::LDIF;
use serde_json::Value;

use super::{command, configured};
use crate::support::directory::RealDirectory;
use crate::support::login::give_mail;
use crate::support::maildir;
use crate::support::service::{Plan, Site};
use crate::support::slapd::{Options, Slapd};

#[test]
fn mail_that_cannot_be_served_is_reported() {
    let slapd = Slapd::start(LDIF);
    let site = configured(&Plan::at(&slapd.url()));
    give_mail(&site, "ajones");
    let ended = command(&site, &["check"], "");
    assert_eq!(ended.status, 0, "a person without a Maildir is not an error: {}", ended.complained);

    maildir::make(&site.folder().join("elsewhere"), &[]);
    let cur = site.maildir("ajones").join("cur");
    std::fs::remove_dir_all(&cur).unwrap();
    symlink(site.folder().join("elsewhere/cur"), cur).unwrap();
    let ended = command(&site, &["check"], "");
    assert_eq!(ended.status, 1);
    let told = "restante: mailboxes: the mail of 1 of ";
    assert!(ended.complained.starts_with(told) && ended.complained.contains("(ajones: "), "{}", ended.complained);
    assert!(ended.complained.contains("a link leads out of the mail root"), "{}", ended.complained);
}

/// People of an own little company, so many.
pub(super) fn company(count: usize) -> String {
    let mut entries = String::from(
        "dn: dc=renovations,dc=example\nobjectClass: dcObject\nobjectClass: organization\ndc: renovations\no: Renovations\n\n\
         dn: ou=services,dc=renovations,dc=example\nobjectClass: organizationalUnit\nou: services\n\n\
         dn: cn=restante,ou=services,dc=renovations,dc=example\nobjectClass: applicationProcess\n\
         objectClass: simpleSecurityObject\ncn: restante\nuserPassword: copper kettle on the shelf\n\n\
         dn: ou=people,dc=renovations,dc=example\nobjectClass: organizationalUnit\nou: people\n",
    );
    for number in 1..=count {
        write!(
            entries,
            "\ndn: uid=person{number},ou=people,dc=renovations,dc=example\nobjectClass: inetOrgPerson\nuid: person{number}\n\
             cn: Person Number {number}\nsn: Number{number}\ngivenName: First{number}\n\
             mail: first{number}@renovations.example\nuserPassword: secret {number}\n"
        )
        .unwrap();
    }
    entries
}

/// Where the mail of a company of 41 really lies, for 37 of them.
pub(super) fn deliver_to_37(site: &Site) {
    (1..=37).for_each(|number| maildir::make(&site.maildir(&format!("person{number}")), &[]));
}

#[test]
fn a_path_that_leads_to_no_mail_is_doubted() {
    let slapd = Slapd::start(&company(41));
    let mut plan = Plan::at(&slapd.url());
    let site = configured(&plan);
    deliver_to_37(&site);
    let right = command(&site, &["check"], "");
    assert_eq!((right.status, right.complained.as_str()), (0, ""), "{}", right.told);
    for words in [
        "directory test: 41 people below ou=people,",
        "mailboxes: 37 of 41 people have a Maildir",
        "note: mailboxes: 4 of 41 people have no Maildir yet",
    ] {
        assert!(right.told.contains(words), "no {words:?} in {}", right.told);
    }
    let doubt = "none of 41 people has a Maildir, 37 Maildirs belong to nobody: is mailboxes.path right?";
    for wrong in ["{mail.local}/Maildir", "{short_name}", "{mail.domain}/{short_name}/Maildir"] {
        plan.mailboxes = format!("  path: \"{wrong}\"\n");
        let site_file = site.folder().join("restante.yaml");
        std::fs::write(&site_file, plan.yaml()).unwrap();
        let ended = command(&site, &["check"], "");
        assert_eq!(ended.status, 1, "{wrong}: {}", ended.told);
        assert!(ended.complained.contains(doubt), "{wrong}: {}", ended.complained);
        assert!(ended.complained.contains("there is person1/Maildir"), "{wrong}: {}", ended.complained);
        assert!(!ended.told.contains("are in order"), "{}", ended.told);
        let json = command(&site, &["check", "--json"], "");
        let told: Value = serde_json::from_str(&json.told).unwrap();
        assert_eq!((json.status, &told["clean"]), (1, &false.into()), "{told:#}");
        assert_eq!(told["mailboxes"]["other_maildirs"], 37, "{told:#}");
        let service = site.serve(&plan);
        service.wait_for_log(&["WARN", doubt]);
    }
}

#[test]
fn a_mail_root_without_mail_is_doubted() {
    let slapd = Slapd::start(&company(41));
    let plan = Plan::at(&slapd.url());
    let site = configured(&plan);
    let ended = command(&site, &["check"], "");
    assert_eq!(ended.status, 0, "a new server is like that: {}", ended.complained);
    let note = "none of 41 people has a Maildir, and there is none below";
    assert!(ended.told.contains(&format!("note: mailboxes: {note}")), "{}", ended.told);
    site.serve(&plan).wait_for_log(&["WARN", note]);

    deliver_to_37(&site);
    let service = site.serve(&plan);
    service.wait_for_log(&["people=41", "with_maildir=37"]);
    assert!(!service.log().iter().any(|line| line.contains("WARN") && line.contains("Maildir")), "{:?}", service.log());

    // The root one level too high.
    let yaml = plan.yaml().replace("root: mail", "root: .");
    std::fs::write(site.folder().join("restante.yaml"), yaml).unwrap();
    let ended = command(&site, &["check"], "");
    assert_eq!(ended.status, 1);
    assert!(ended.complained.contains("there is mail/person1/Maildir"), "{}", ended.complained);
}

/// With what is hidden, and what is said of it.
const HIDDEN: &[(&str, &str)] = &[
    ("modifyTimestamp", "may not read modifyTimestamp, which show that a password may have changed"),
    ("entryUUID", "may not read entryUUID, which tell entries apart"),
    ("uid", "may not read uid, by which people are found (short_name in internet_authentication.names)"),
    ("mail", "may not read mail, by which people are found (mail in internet_authentication.names)"),
    ("cn", "may not read cn, by which people are found (common_name in internet_authentication.names)"),
    ("employeeType", "may not read employeeType, which mailboxes.path needs"),
    ("shadowExpire", "may not read shadowExpire, which show the state of an account"),
];

#[test]
fn every_attribute_that_is_hidden_is_named() {
    let site = Site::new();
    let check = |slapd: &Slapd, path: &str| {
        let mut plan = Plan::at(&slapd.url());
        plan.mailboxes = format!("  path: \"{path}/Maildir\"\n");
        std::fs::write(site.folder().join("restante.yaml"), plan.yaml()).unwrap();
        command(&site, &["check"], "")
    };
    for (attribute, told) in HIDDEN {
        let path = if *attribute == "employeeType" { "{attr:employeeType}" } else { "{short_name}" };
        let slapd = Slapd::start_with(&company(3), &Options { hidden: (*attribute).to_owned(), ..Options::default() });
        let ended = check(&slapd, path);
        assert_eq!(ended.status, 1, "{attribute}: {}", ended.told);
        assert!(ended.complained.contains(told), "{attribute}: {}", ended.complained);
    }
    // May be searched for, and is not given.
    let further = String::new();
    let hidden = String::from("mail by dn.exact=\"cn=restante,ou=services,dc=renovations,dc=example\" search");
    let slapd = Slapd::start_with(&company(3), &Options { hidden, further, ..Options::default() });
    let ended = check(&slapd, "{mail.local}");
    assert_eq!(ended.status, 1);
    assert!(ended.complained.contains("may not read mail, by which people are found"), "{}", ended.complained);
    let slapd = Slapd::start(&company(3));
    let ended = check(&slapd, "{attr:mailHome}");
    assert_eq!(ended.status, 1);
    let told = "may not read mailHome, which mailboxes.path needs: the directory's schema has no such attribute";
    assert!(ended.complained.contains(told), "{}", ended.complained);
    assert_eq!(check(&slapd, "{short_name}").complained, "");
}

#[test]
fn a_directory_without_people_is_an_error() {
    let slapd = Slapd::start(&company(3));
    for (change, words) in [
        (&[("", "    schema: posix\n")][..], "no people found: no entry below ou=people,"),
        (&[("", "    filter: \"(objectClass=device)\"\n")], "the entries there have the object classes inetOrgPerson"),
        (&[("base: \"ou=people,", "base: \"ou=services,")], "matches (objectClass=inetOrgPerson)"),
        (&[("", "    mail_domains: [elsewhere.example]\n")], "all 3 people are outside names_below and mail_domains"),
        (
            &[("", "    attributes: { short_name: title, mail: title, common_name: title }\n")],
            "nobody has a name of a kind",
        ),
    ] {
        let mut plan = Plan::at(&slapd.url());
        plan.mailboxes = "  path: \"{attr:uid}/Maildir\"\n".to_owned();
        for (from, to) in change {
            plan.directory = if from.is_empty() { plan.directory + to } else { plan.directory.replace(from, to) };
        }
        let site = configured(&plan);
        let ended = command(&site, &["check"], "");
        assert_eq!(ended.status, 1, "{change:?}: {}", ended.told);
        assert!(ended.complained.contains(words), "{change:?}: {}", ended.complained);
    }
    let mut plan = Plan::at(&slapd.url());
    plan.directory.push_str("    attributes: { mail: title }\n");
    let ended = command(&configured(&plan), &["check"], "");
    assert_eq!(ended.status, 0, "{}", ended.complained);
    assert!(ended.told.contains("none of 3 people has title, so nobody can log in by mail"), "{}", ended.told);
    let blind = Slapd::start_with(&company(3), &Options { hidden: "objectClass".to_owned(), ..Options::default() });
    let plan = Plan::at(&blind.url());
    let ended = command(&configured(&plan), &["check"], "");
    assert_eq!(ended.status, 1);
    assert!(ended.complained.contains("sees no entry there: is `base` right, and may it read"), "{}", ended.complained);
    Site::new().serve(&plan).wait_for_log(&["WARN", "no people found, so nobody can log in"]);
}

#[test]
fn a_directory_that_cannot_be_asked_is_explained() {
    let slapd = Slapd::start(&company(3));
    let port = |url: &str| url.rsplit_once(':').unwrap().1.to_owned();
    let (in_clear, tls) = (port(&slapd.url()), port(&slapd.tls_url()));
    let ca = format!("    ca: {}\n", slapd.authority().display());
    for (url, lines, words) in [
        (slapd.tls_url(), "", &["directories[].ca must name the PEM file of that authority", "UnknownIssuer"][..]),
        (format!("ldaps://localhost:{in_clear}"), &ca, &["is this an LDAPS port?"]),
        (format!("ldaps://127.0.0.2:{tls}"), &ca, &["127.0.0.2"]),
    ] {
        let mut plan = Plan::at(&url);
        plan.directory.push_str(lines);
        let ended = command(&configured(&plan), &["check"], "");
        assert_eq!(ended.status, 1, "{}", ended.told);
        for word in words {
            assert!(ended.complained.contains(word), "no {word:?} in {}", ended.complained);
        }
    }
    let mut plan = Plan::at(&slapd.url());
    plan.directory = plan.directory.replace("base: \"ou=people,", "base: \"ou=staff,");
    let ended = command(&configured(&plan), &["check"], "");
    let words = "the search base ou=staff,dc=renovations,dc=example is not there, only dc=renovations,dc=example is";
    assert!(ended.status == 1 && ended.complained.contains(words), "{}", ended.complained);
    let blind = Slapd::start_with(&company(3), &Options { hidden: "entry".to_owned(), ..Options::default() });
    let ended = command(&configured(&Plan::at(&blind.url())), &["check"], "");
    let words = "is not there, or the service's entry may not see it: is `base` right?";
    assert!(ended.status == 1 && ended.complained.contains(words), "{}", ended.complained);
    let small = Slapd::start_with(&company(9), &Options { size_limit: 5, ..Options::default() });
    let ended = command(&configured(&Plan::at(&small.url())), &["check"], "");
    assert_eq!(ended.status, 0, "logins need no more than two entries: {}", ended.complained);
    let words = "the directory does not list all people, as `audit` and --all require: result 4 (sizeLimitExceeded): the server gives";
    assert!(ended.told.contains(words), "{}", ended.told);
}

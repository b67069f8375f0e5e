//! A person whose login name was changed in the directory: their mail lies under the old one.

use serde_json::Value;

use super::audit::fits_a_terminal;
use super::check::{company, deliver_to_37};
use super::{command, configured};
use crate::support::conversation::Conversation;
use crate::support::directory::RealDirectory;
use crate::support::service::{Plan, Service};
use crate::support::slapd::Slapd;

fn enters(service: &Service, name: &str, number: u32) {
    let mut client = Conversation::plain(service.pop3());
    client.expect("+OK");
    client.login(name, &format!("secret {number}"));
    client.ask("QUIT", "+OK");
}

fn rename(slapd: &Slapd, number: u32) {
    slapd.modify(&format!(
        "dn: uid=person{number},ou=people,dc=renovations,dc=example\nchangetype: modrdn\nnewrdn: uid=renamed{number}\n\
         deleteoldrdn: 1\n"
    ));
}

#[test]
fn the_log_warns_of_another_maildrop_of_the_same_entry() {
    let slapd = Slapd::start(&company(41));
    let plan = Plan::at(&slapd.url()).and("cache: { found: 0s }");
    let site = configured(&plan);
    deliver_to_37(&site);
    let service = site.serve(&plan);
    enters(&service, "person1", 1);
    service.wait_for_log(&["people=41", "with_maildir=37"]);
    for number in [1, 2] {
        rename(&slapd, number);
        let name = format!("renamed{number}");
        for _ in 0..2 {
            enters(&service, &name, number);
        }
        let person = format!("person=\"{name}\"");
        let (now, before) = (format!("maildrop=\"{name}/Maildir\""), format!("before=\"person{number}/Maildir\""));
        service.wait_for_log(&["WARN", "this entry had another maildrop before", &person, &now, &before]);
    }
    enters(&service, "person3", 3);
    let log = service.log();
    assert_eq!(log.iter().filter(|line| line.contains("another maildrop")).count(), 2, "once each: {log:#?}");
}

#[test]
fn audit_pairs_a_person_and_a_mailbox_whose_names_are_alike() {
    let slapd = Slapd::start(&company(41));
    let site = configured(&Plan::at(&slapd.url()));
    deliver_to_37(&site);
    assert_eq!(command(&site, &["audit"], "").status, 0, "some have no mail yet");
    rename(&slapd, 7);
    let ended = command(&site, &["audit"], "");
    assert_eq!(ended.status, 1);
    assert!(ended.told.contains("ERROR: mailbox under another name of its person (1)\n"), "{}", ended.told);
    assert!(ended.told.contains("renamed7/Maildir does not exist, person7/Maildir has no owner"), "{}", ended.told);
    assert!(ended.told.ends_with("\n1 error, 0 warnings, 4 notes\n"), "{}", ended.told);
    fits_a_terminal(&ended.told);
    let report: Value = serde_json::from_str(&command(&site, &["audit", "--json"], "").told).unwrap();
    let first = &report["findings"][0];
    assert_eq!((&first["kind"], &first["severity"]), (&"misplaced_mailbox".into(), &"error".into()));
    assert_eq!((&first["expected"], &first["found"]), (&"renamed7/Maildir".into(), &"person7/Maildir".into()));
    assert_eq!(first["people"][0]["canonical_name"], "renamed7");
}

#[test]
fn audit_draws_the_conclusion_that_the_path_is_wrong() {
    let slapd = Slapd::start(&company(41));
    let mut plan = Plan::at(&slapd.url());
    plan.mailboxes = "  path: \"boxes/{mail.local}\"\n".to_owned();
    let site = configured(&plan);
    deliver_to_37(&site);
    let ended = command(&site, &["audit"], "");
    assert_eq!(ended.status, 1);
    let words = ended.told.split_whitespace().collect::<Vec<_>>().join(" ");
    let doubt =
        "none of 41 people has a Maildir, 37 Maildirs belong to nobody: is mailboxes.path right? It gives boxes/first1";
    assert!(words.contains(doubt), "{}", ended.told);
    fits_a_terminal(&ended.told);
    assert!(ended.told.lines().count() < 120, "{}", ended.told);
}

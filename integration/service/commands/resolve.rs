//! `restante resolve`, for each way in which a login name can end.

use restante::demo::people;
use serde_json::Value;

use super::{command, configured};
use crate::support::directory::RealDirectory;
use crate::support::maildir;
use crate::support::service::{Plan, Site};
use crate::support::slapd::Slapd;

/// A path that leads out, and a group that no person is called like.
const FURTHER: &str = "
dn: uid=climber,ou=Sales,ou=people,dc=renovations,dc=example
objectClass: inetOrgPerson
uid: climber
cn: Carl Climber
sn: Climber
mail: ../climber@renovations.example
userPassword: over the wall

dn: cn=Pop Users,ou=groups,ou=people,dc=renovations,dc=example
objectClass: groupOfNames
cn: Pop Users
member: uid=ajones,ou=Sales,ou=people,dc=renovations,dc=example
";

const ALAN: &str = "uid=ajones,ou=Sales,ou=people,dc=renovations,dc=example";
const PASSWORD: &str = "violet-harbour-17";

/// slapd, and mail for Alan Jones.
fn world() -> (Slapd, Site) {
    let slapd = Slapd::start(&format!("{}\n{FURTHER}", people::LDIF));
    let mut plan = Plan::at(&slapd.url());
    plan.mailboxes = String::from("  path: \"{mail.local}/Maildir\"\n");
    let site = configured(&plan);
    maildir::make(&site.maildir("alan.jones"), &[("new/1.only", b"Subject: x\n\ny\n")]);
    (slapd, site)
}

#[test]
fn each_outcome_is_shown_with_its_rule_and_its_exit_status() {
    let (_slapd, site) = world();
    for (login, status, outcome, words) in [
        ("ajones", 0, "person", &["short_name \"ajones\"", "one entry", "alan.jones/Maildir", "exists, and"][..]),
        ("Alan Jones", 0, "person", &["common_name \"Alan Jones\"", "by common_name", ALAN][..]),
        (
            "Alan Jones/Sales/people",
            0,
            "person",
            &["hierarchical_name", "of these only the entries below the parents", ALAN],
        ),
        (ALAN, 0, "person", &["distinguished_name", "-s base", ALAN]),
        (
            "alamb",
            0,
            "person",
            &["does not exist yet", "one person; no Maildir at", "yet (clients see an empty mailbox)"],
        ),
        ("nobody at all", 1, "no_such_name", &["no entry", "no such login name"]),
        ("Pop Users", 1, "no_such_name", &["no entry", "matches the directory's filter"]),
        ("Mary Brown", 1, "ambiguous", &["2 entries", "uid=mbrown,", "uid=mbrown2,", "an ambiguous name is rejected"]),
        ("uid=x,dc=elsewhere,dc=example", 1, "outside_policy", &["not asked", "internet_authentication.names"]),
        ("tclerk", 1, "no_path", &["the entry has no value for {mail.local}", "mailboxes.path"]),
        ("climber", 1, "forbidden_path", &["may not be opened", "nothing outside the mail root"]),
        (" ", 1, "no_name", &["empty login name"]),
    ] {
        let ended = command(&site, &["resolve", login], "");
        assert_eq!(ended.status, status, "{login}: {}{}", ended.told, ended.complained);
        for word in words {
            assert!(ended.told.contains(word), "{login}: no {word:?} in\n{}", ended.told);
        }
        let json = command(&site, &["resolve", "--json", login], "");
        let told: Value = serde_json::from_str(&json.told).unwrap();
        assert_eq!((json.status, told["outcome"].as_str()), (status, Some(outcome)), "{login}: {told:#}");
        assert_eq!(told["usable"], status == 0, "{login}");
        assert_eq!(told["login"], login);
    }
}

#[test]
fn a_password_is_tried_by_a_bind_and_printed_nowhere() {
    let (_slapd, site) = world();
    for (password, status, word) in
        [(PASSWORD, 0, "proven by bind"), ("not his", 1, "wrong password"), ("", 1, "password:")]
    {
        let ended = command(&site, &["resolve", "--password", "ajones"], &format!("{password}\n"));
        let all = format!("{}{}", ended.told, ended.complained);
        assert_eq!(ended.status, status, "{all}");
        assert!(all.contains(word), "{all}");
        assert!(password.is_empty() || !all.contains(password), "{all}");
    }
    let json = command(&site, &["resolve", "--password", "--json", "ajones"], PASSWORD);
    let told: Value = serde_json::from_str(&json.told).unwrap();
    let bind = told["steps"].as_array().unwrap().iter().find(|step| step["step"] == "bind").unwrap();
    assert_eq!((&bind["dn"], &bind["proven"]), (&ALAN.into(), &true.into()));
    assert!(!json.told.contains(PASSWORD));
}

#[test]
fn the_search_shown_finds_the_person() {
    let (_slapd, site) = world();
    let json = command(&site, &["resolve", "--json", "a*(b)"], "");
    let told: Value = serde_json::from_str(&json.told).unwrap();
    let search = told["steps"][1]["searches"][0].as_str().unwrap();
    assert!(search.contains(r"(cn=a\2a\28b\29)"), "{search}");
    assert!(search.contains("(objectClass=inetOrgPerson)"), "{search}");
}

#[test]
fn no_answer_is_not_nobody() {
    let (mut slapd, site) = world();
    slapd.stop();
    let ended = command(&site, &["resolve", "ajones"], "");
    assert_eq!(ended.status, 1);
    assert!(ended.told.contains("directory unavailable"), "{}", ended.told);
    assert!(ended.told.contains("the directory is unavailable; clients get"), "{}", ended.told);
    let json = command(&site, &["resolve", "--json", "ajones"], "");
    assert_eq!(serde_json::from_str::<Value>(&json.told).unwrap()["outcome"], "unavailable");
}

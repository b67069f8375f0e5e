//! The commands where there are several directories.

use std::fs;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

use restante::demo::people::LDIF;
use restante::server::is_root;
use serde_json::Value;

use super::{Ended, command, configured};
use crate::support::directory::RealDirectory;
use crate::support::factory;
use crate::support::login::{give_mail, opens};
use crate::support::service::{Plan, Site};
use crate::support::slapd::Slapd;

const ALAN: &str = "uid=ajones,ou=Sales,ou=people,dc=renovations,dc=example";
const BEA: &str = "uid=bwright,ou=people,o=factory";
const LAMBS: [&str; 2] =
    ["uid=alamb,ou=Production,ou=people,dc=renovations,dc=example", "uid=alamb2,ou=Night,ou=people,o=factory"];

/// Two slapds, the second limited by further lines.
struct World {
    _first: Slapd,
    second: Slapd,
    site: Site,
}

impl World {
    fn with(lines: &str, further: &str) -> Self {
        let (first, second) = (Slapd::start(LDIF), factory::slapd());
        let mut plan = Plan::at(&first.url()).and(further);
        factory::join(&mut plan, &second.url(), lines);
        Self { _first: first, second, site: configured(&plan) }
    }

    fn resolve(&self, login: &str) -> (Ended, Value) {
        let json = command(&self.site, &["resolve", "--json", login], "");
        (command(&self.site, &["resolve", login], ""), serde_json::from_str(&json.told).unwrap())
    }

    fn explains(&self, login: &str, outcome: &str, words: &[&str]) {
        let (ended, json) = self.resolve(login);
        assert_eq!(json["outcome"], outcome, "{login}: {json:#}");
        for word in words {
            assert!(ended.told.contains(word), "{login}: no {word:?} in\n{}", ended.told);
        }
    }
}

#[test]
fn resolve_shows_the_answer_of_each_directory() {
    let mut world = World::with("", "");
    let found = |entry| format!("found       factory: one entry\n            {entry}");
    world.explains(
        "ajones",
        "person",
        &["found       test: one entry", "found       factory: no entry", "ajones in test"],
    );
    world.explains("bwright", "person", &["found       test: no entry", &found(BEA), "bwright in factory, entry"]);
    let both = format!("refused: ambiguous: {} in test and {} in factory", LAMBS[0], LAMBS[1]);
    world.explains("Alan Lamb", "ambiguous", &[&both]);
    world.explains(ALAN, "person", &["directory   factory: not asked"]);
    world.second.stop();
    world.explains(
        "ajones",
        "unavailable",
        &["found       test: one entry", "no answer   factory: ", "undecided: directory factory"],
    );
    world.explains(ALAN, "person", &["ajones in test"]);
}

#[test]
fn resolve_shows_entries_out_of_scope() {
    let world =
        World::with("    names_below: [\"ou=*,ou=people,o=factory\"]\n    mail_domains: [factory.example]\n", "");
    world.explains(
        "ajones@renovations.example",
        "no_such_name",
        &["factory: not asked, since names_below and mail_domains exclude"],
    );
    let misfit = "by short_name, but the entry lies below none of names_below";
    world.explains("bwright", "outside_limits", &[misfit, "names_below and .mail_domains limit"]);
    let misfit = "but no mail address of the entry is of one of mail_domains";
    world.explains("Jo Mueller", "outside_limits", &[misfit]);
}

#[test]
fn resolve_shows_for_whom_a_password_is_tried() {
    let world = World::with("", "internet_authentication: { ambiguous: try_each }");
    world.explains("Alan Lamb", "ambiguous", &["undecided: only with a password", "at most four people"]);
    for (password, status, words) in [
        (
            "bellows",
            0,
            [
                "tried on    uid=alamb,",
                "no, wrong password",
                "bind        as uid=alamb2,ou=Night,ou=people,o=factory: yes",
            ],
        ),
        ("neither", 1, ["tried on    uid=alamb2,", "and the password is wrong for all: uid=alamb,", "exactly one of"]),
    ] {
        let ended = command(&world.site, &["resolve", "--password", "Alan Lamb"], password);
        assert_eq!(ended.status, status, "{}", ended.told);
        for word in words {
            assert!(ended.told.contains(word), "no {word:?} in\n{}", ended.told);
        }
    }
}

/// What is ambiguous, as the audit tells it.
fn ambiguous(world: &World) -> (u64, Vec<String>) {
    let report: Value = serde_json::from_str(&command(&world.site, &["audit", "--json"], "").told).unwrap();
    let findings = report["findings"].as_array().unwrap().iter().filter(|one| one["kind"] == "ambiguous_name");
    let names = findings.map(|one| one["about"].as_str().unwrap().to_owned()).collect();
    (report["people"].as_u64().unwrap(), names)
}

#[test]
fn audit_counts_names_over_all_directories() {
    let (people, names) = ambiguous(&World::with("", ""));
    assert_eq!((people, names), (10, ["alan lamb", "jmueller", "mary brown"].map(str::to_owned).to_vec()));
    // Whom a directory is not for is nobody.
    let (people, names) = ambiguous(&World::with("    mail_domains: [works.example]\n", ""));
    assert_eq!((people, names), (7, ["mary brown"].map(str::to_owned).to_vec()));

    let mut world = World::with("", "");
    world.second.stop();
    let ended = command(&world.site, &["audit"], "");
    assert!(ended.status == 1 && ended.complained.contains("directory factory: "), "{}", ended.complained);
}

#[test]
fn check_tries_every_directory() {
    let mut world = World::with("", "");
    let ended = command(&world.site, &["check"], "");
    assert_eq!(ended.status, 0, "{}", ended.complained);
    world.second.stop();
    let ended = command(&world.site, &["check"], "");
    assert!(ended.status == 1 && ended.complained.contains("directory factory: "), "{}", ended.complained);
    assert!(!ended.complained.contains("directory test: "), "{}", ended.complained);
}

/// Started as root, it looks as `serve` would: as the user of the configuration, who must exist and may read the mail.
#[test]
fn check_tries_the_user_of_the_service() {
    if !is_root() {
        return;
    }
    let slapd = Slapd::start(LDIF);
    let ended = command(&configured(&Plan::at(&slapd.url()).and("user: nobodyhere")), &["check"], "");
    let told = "restante: user: /etc/passwd has no user \"nobodyhere\"\n";
    assert_eq!((ended.status, ended.complained.as_str()), (1, told));

    let site = configured(&Plan::at(&slapd.url()).and("user: nobody"));
    fs::set_permissions(site.folder(), Permissions::from_mode(0o700)).unwrap();
    let ended = command(&site, &["check"], "");
    assert!(ended.status == 1 && ended.complained.contains("mailboxes.root: "), "{}", ended.complained);
}

/// People of both are forgotten one by one; a name of two is nobody's.
#[test]
fn flush_finds_people_of_every_directory() {
    let (first, second, site) = (Slapd::start(LDIF), factory::slapd(), Site::new());
    let mut plan = Plan::at(&first.url()).and("admin: { socket: admin.sock }");
    factory::join(&mut plan, &second.url(), "");
    let service = site.serve(&plan);
    for (name, password) in [("ajones", "violet-harbour-17"), ("bwright", "anvil")] {
        give_mail(&site, name);
        opens(&service, name, password, name);
        let ended = command(&site, &["flush", name], "");
        assert_eq!(
            ended.told.trim_end(),
            "dropped 1 login name, 1 verified password, 0 refused passwords",
            "{}",
            ended.complained
        );
    }
    let ended = command(&site, &["flush", "Alan Lamb"], "");
    assert!(ended.status == 1 && ended.complained.contains("Alan Lamb is ambiguous: "), "{}", ended.complained);
}

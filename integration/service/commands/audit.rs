//! `restante audit`: a tree in which everything that can be wrong is wrong once, and more people than one answer holds.

use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use restante::server::is_root;
use serde_json::Value;

use super::{command, configured};
use crate::support::directory::RealDirectory;
use crate::support::maildir;
use crate::support::service::{Plan, Site};
use crate::support::slapd::{Options, Slapd};

/// Each person: short name, common name, first name, and the values that the path is made of.
const PEOPLE: [(&str, &str, &str, &[&str]); 11] = [
    ("fine", "Fine One", "Fine", &["fine"]),
    ("twin1", "Same Name", "Kim", &["twin1"]),
    ("twin2", "Same  name", "Kim", &["twin2"]),
    ("bare", "No Mailbox", "Bare", &["bare"]),
    ("pathless", "No Path", "Pathless", &[]),
    ("forked", "Two Paths", "Forked", &["forked", "forked2"]),
    ("climber", "Out Of Root", "Climber", &["../climber"]),
    ("linked", "Linked Out", "Linked", &["linked"]),
    ("sharer1", "Sharer One", "Sharer", &["shared"]),
    ("sharer2", "Sharer Two", "Sharing", &["./shared"]),
    ("closed", "Closed Box", "Closed", &["closed"]),
];

const SUFFIX: &str = "
dn: dc=renovations,dc=example
objectClass: dcObject
objectClass: organization
dc: renovations
o: Renovations

dn: ou=services,dc=renovations,dc=example
objectClass: organizationalUnit
ou: services

dn: cn=restante,ou=services,dc=renovations,dc=example
objectClass: applicationProcess
objectClass: simpleSecurityObject
cn: restante
userPassword: copper kettle on the shelf

dn: ou=people,dc=renovations,dc=example
objectClass: organizationalUnit
ou: people
";

fn person(text: &mut String, uid: &str, cn: &str, first: &str, boxes: &[&str]) {
    write!(
        text,
        "\ndn: uid={uid},ou=people,dc=renovations,dc=example\nobjectClass: inetOrgPerson\nuid: {uid}\ncn: {cn}\nsn: of {uid}\n\
         givenName: {first}\nmail: {uid}@renovations.example\n"
    )
    .unwrap();
    for name in boxes {
        writeln!(text, "employeeType: {name}").unwrap();
    }
}

fn plan(slapd: &Slapd) -> Plan {
    let mut plan = Plan::at(&slapd.url());
    plan.mailboxes = String::from("  path: \"{attr:employeeType}/Maildir\"\n");
    // Nothing is closed to root.
    if is_root() { plan.and("user: nobody") } else { plan }
}

/// Makes a Maildir that everybody may read and write.
fn open_to_all(site: &Site, name: &str) {
    let path = site.maildir(name);
    maildir::make(&path, &[]);
    for part in ["new", "cur", "tmp"] {
        fs::set_permissions(path.join(part), Permissions::from_mode(0o777)).unwrap();
    }
}

fn close(path: &Path) {
    fs::set_permissions(path, Permissions::from_mode(0o000)).unwrap();
}

fn site(slapd: &Slapd) -> Site {
    let site = configured(&plan(slapd));
    fs::set_permissions(site.folder(), Permissions::from_mode(0o755)).unwrap();
    site
}

fn world() -> (Slapd, Site) {
    let mut entries = SUFFIX.to_owned();
    for (uid, cn, first, boxes) in PEOPLE {
        person(&mut entries, uid, cn, first, boxes);
    }
    let slapd = Slapd::start(&entries);
    let site = site(&slapd);
    for name in ["fine", "twin1", "twin2", "shared", "closed", "orphan"] {
        open_to_all(&site, name);
    }
    symlink("/tmp", site.root().join("linked")).unwrap();
    fs::create_dir(site.root().join("hidden")).unwrap();
    (slapd, site)
}

/// Leaves the folder so that its owner can remove it.
struct Closed(Vec<std::path::PathBuf>);

impl Closed {
    fn of(site: &Site) -> Self {
        let paths = vec![site.maildir("closed").join("new"), site.root().join("hidden")];
        for path in &paths {
            close(path);
        }
        Self(paths)
    }
}

impl Drop for Closed {
    fn drop(&mut self) {
        self.0.iter().for_each(|path| fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap());
    }
}

#[test]
fn everything_that_is_wrong_is_found_once() {
    let (_slapd, site) = world();
    let _closed = Closed::of(&site);
    let ended = command(&site, &["audit", "--json"], "");
    assert_eq!(ended.status, 1, "{}", ended.complained);
    let report: Value = serde_json::from_str(&ended.told).unwrap();
    let finding = |finding: &Value| {
        let name = |person: &Value| person["canonical_name"].as_str().unwrap().to_owned();
        let people: Vec<String> = finding["people"].as_array().unwrap().iter().map(name).collect();
        (finding["kind"].as_str().unwrap().to_owned(), people.join(" "), finding["about"].as_str().unwrap().to_owned())
    };
    let mut found: Vec<_> = report["findings"].as_array().unwrap().iter().map(finding).collect();
    found.sort();
    let wanted = [
        ("ambiguous_name", "twin1 twin2", "same name"),
        ("ambiguous_name", "twin1 twin2", "same name/people"),
        ("no_mailbox", "bare", "bare/Maildir"),
        ("no_path", "pathless", "no value for {attr:employeeType}"),
        ("outside_mail_root", "climber", ".."),
        ("outside_mail_root", "linked", "a link leads out of the mail root"),
        ("several_values", "forked", "several values for {attr:employeeType}"),
        ("shared_mailbox", "sharer1 sharer2", "shared/Maildir"),
        ("unowned_mailbox", "", "orphan/Maildir"),
        ("unreadable_directory", "", "hidden"),
        ("unusable_mailbox", "closed", "closed/Maildir/new"),
    ];
    assert_eq!(found.len(), wanted.len(), "{found:#?}");
    for ((kind, people, about), wanted) in found.iter().zip(wanted) {
        assert_eq!((kind.as_str(), people.as_str()), (wanted.0, wanted.1), "{about}");
        assert!(about.contains(wanted.2), "{about}");
    }
    let would_be = report["would_be_ambiguous"].as_array().unwrap();
    assert_eq!(would_be.iter().map(|name| name["about"].as_str().unwrap()).collect::<Vec<_>>(), ["kim"]);
    assert_eq!((&would_be[0]["fewer"], &would_be[0]["more"]), (&false.into(), &true.into()));
    assert_eq!((&report["people"], &report["complete"]), (&11.into(), &true.into()));
}

#[test]
fn the_table_shows_the_same_and_no_bar_is_drawn_outside_a_terminal() {
    let (_slapd, site) = world();
    let ended = command(&site, &["audit"], "");
    assert_eq!((ended.status, ended.complained.as_str()), (1, ""));
    for words in
        ["11 people", "ambiguous login name", "same name", "mailbox shared by several people", "orphan/Maildir"]
    {
        assert!(ended.told.contains(words), "no {words:?} in\n{}", ended.told);
    }
    assert!(ended.told.contains("With `names: more`, 1 more would be ambiguous: kim (2 people)"), "{}", ended.told);
    fits_a_terminal(&ended.told);
    let order =
        ["\nERROR: ambiguous login name (2)\n", "\nWARNING: mailbox without a person (", "\nNOTE: person without a"];
    let places: Vec<usize> =
        order.iter().map(|words| ended.told.find(words).unwrap_or_else(|| panic!("{words}"))).collect();
    assert!(places.is_sorted(), "{}", ended.told);
    let result = ended.told.lines().last().unwrap();
    assert!(result.contains(" errors, ") && result.ends_with("1 note"), "{result}");
}

/// With every line: 80 columns are what a terminal has.
pub(super) fn fits_a_terminal(told: &str) {
    let long: Vec<&str> = told.lines().filter(|line| line.chars().count() > 80).collect();
    assert!(long.is_empty(), "{long:#?}");
}

#[test]
fn people_without_mail_yet_are_nothing_wrong() {
    let slapd = Slapd::start(&many(3));
    let site = site(&slapd);
    open_to_all(&site, "person1");
    let ended = command(&site, &["audit"], "");
    assert_eq!(ended.status, 0, "{}", ended.told);
    assert!(ended.told.contains("NOTE: person without a mailbox yet (2)\n  person0/Maildir\n"), "{}", ended.told);
    assert!(ended.told.ends_with("\n\nnothing is wrong (2 notes)\n"), "{}", ended.told);
    let report: Value = serde_json::from_str(&command(&site, &["audit", "--json"], "").told).unwrap();
    assert_eq!((&report["clean"], &report["notes"]), (&true.into(), &2.into()));
    assert_eq!(report["findings"][0]["severity"], "note");
}

#[test]
fn the_configured_policy_decides_what_is_wrong() {
    let (_slapd, site) = world();
    let file = site.folder().join("restante.yaml");
    let yaml = fs::read_to_string(&file).unwrap();
    let ambiguous = |names: &str| {
        fs::write(&file, format!("{yaml}internet_authentication: {{ names: {names} }}\n")).unwrap();
        let ended = command(&site, &["audit", "--json"], "");
        let report: Value = serde_json::from_str(&ended.told).unwrap();
        let found = report["findings"].as_array().unwrap().iter().filter(|one| one["kind"] == "ambiguous_name");
        found.map(|one| one["about"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(ambiguous("more"), ["kim", "same name", "same name/people"]);
    assert_eq!(ambiguous("[mail, short_name]"), Vec::<String>::new());
    assert_eq!(ambiguous("[hierarchical_name]"), ["same name/people"]);
}

/// A tree with nothing wrong in it, of more people than two pages hold.
fn many(count: usize) -> String {
    let mut entries = SUFFIX.to_owned();
    for number in 0..count {
        let uid = format!("person{number}");
        person(&mut entries, &uid, &format!("Person Number {number}"), &format!("First{number}"), &[&uid]);
    }
    entries
}

#[test]
fn a_clean_tree_of_many_pages_is_fine() {
    let slapd = Slapd::start(&many(1_203));
    let site = site(&slapd);
    (0..1_203).for_each(|number| open_to_all(&site, &format!("person{number}")));
    let ended = command(&site, &["audit"], "");
    assert_eq!((ended.status, ended.complained.as_str()), (0, ""), "{}", ended.told);
    assert!(ended.told.starts_with("1203 people with "), "{}", ended.told);
    assert!(ended.told.ends_with("1203 mailboxes\nnothing is wrong\n"), "{}", ended.told);
}

#[test]
fn a_size_limit_is_told_and_nobody_is_said_to_be_missing() {
    let slapd = Slapd::start_with(&many(40), &Options { size_limit: 15, ..Options::default() });
    let site = site(&slapd);
    (0..40).for_each(|number| open_to_all(&site, &format!("person{number}")));
    let ended = command(&site, &["audit"], "");
    assert_eq!(ended.status, 1, "{}", ended.told);
    assert!(ended.told.contains("INCOMPLETE: directory test returned only 15 people: result 4"), "{}", ended.told);
    let report: Value = serde_json::from_str(&command(&site, &["audit", "--json"], "").told).unwrap();
    assert_eq!((&report["complete"], report["findings"].as_array().unwrap().len()), (&false.into(), 0), "{report:#}");
}

#[test]
fn no_answer_is_an_error_and_no_report() {
    let mut slapd = Slapd::start(SUFFIX);
    let site = site(&slapd);
    slapd.stop();
    let ended = command(&site, &["audit"], "");
    assert_eq!((ended.status, ended.told.as_str()), (1, ""));
    assert!(ended.complained.contains("directory unavailable"), "{}", ended.complained);
}

#[test]
fn mail_that_cannot_be_read_is_counted() {
    let (_slapd, site) = world();
    let mail: [(&str, &[u8]); 5] = [
        ("new/1.a", b"Subject: a\n\na\n"),
        ("new/2.b,S=900", b"BZh91AY&SY and so on"),
        ("cur/3.c:2,Z", b"\x28\xb5\x2f\xfd no stream"),
        ("cur/4.d:2,", b"CRYPTED\x03\x07\x02"),
        ("cur/5.e,S=6:2,", b"x\n\ny\n"),
    ];
    for (name, content) in mail {
        maildir::deliver(&site.maildir("fine"), name, content);
    }
    let report: Value = serde_json::from_str(&command(&site, &["audit", "--json"], "").told).unwrap();
    let found = report["findings"].as_array().unwrap().iter().find(|one| one["kind"] == "unreadable_mail").unwrap();
    assert_eq!(found["people"][0]["canonical_name"], "fine");
    assert_eq!(found["severity"], "error");
    assert_eq!(
        found["about"],
        "3 of 5 files: new/2.b,S=900: it is compressed with bzip2; only gzip and zstd are read, …"
    );
    let checked: Value = serde_json::from_str(&command(&site, &["check", "--json"], "").told).unwrap();
    assert_eq!(checked["mailboxes"]["unreadable_messages"], 3, "{checked}");
    let notes = checked["notes"].to_string();
    assert!(notes.contains("3 of 5 messages inspected cannot be read as mail"), "{notes}");
}

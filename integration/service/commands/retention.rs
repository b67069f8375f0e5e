//! Ageing that differs by person, as the entries of a real slapd say it: announced, at the end of sessions, by the
//! commands.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest::{SHA256, digest};
use restante::demo::people;
use serde_json::Value;

use super::expire::{deliver_old, expire_line, sorted};
use super::{command, configured};
use crate::support::conversation::{Conversation, trusting};
use crate::support::directory::RealDirectory;
use crate::support::service::{Plan, Service, Site};
use crate::support::slapd::{Options, Slapd};
use crate::support::stage::{NAME, PASSWORD};
use crate::support::{maildir, wait_until};

const ALAN: &str = "uid=ajones,ou=Sales,ou=people,dc=renovations,dc=example";
const LAMB: &str = "uid=alamb,ou=Production,ou=people,dc=renovations,dc=example";
const TOM: &str = "uid=tclerk,ou=Production,ou=people,dc=renovations,dc=example";

/// Nothing is held of people, so that each login sees the entry as it is.
const ANEW: &str = "cache: { found: 0s }";

struct World {
    service: Service,
    site: Site,
    slapd: Slapd,
}

impl World {
    /// Serves with these keys of `expire:`, and further sections.
    fn new(expire: &str, further: &str) -> Self {
        let (slapd, site) = (Slapd::start(people::LDIF), Site::new());
        let service = site.serve(&plan(&slapd, expire).and(further));
        Self { service, site, slapd }
    }

    fn says(&self, person: &str, values: &[&str]) {
        let mut change = format!("dn: {person}\nchangetype: modify\nreplace: departmentNumber\n");
        for value in values {
            writeln!(change, "departmentNumber: {value}").unwrap();
        }
        self.slapd.modify(&change);
    }

    fn client(&self) -> Conversation {
        self.service.client()
    }

    fn session(&self) -> Conversation {
        self.service.session("ajones", PASSWORD)
    }

    fn names(&self, person: &str) -> Vec<String> {
        maildir::names(&self.site.maildir(person))
    }
}

fn plan(slapd: &Slapd, expire: &str) -> Plan {
    Plan::at(&slapd.url()).and("refusal_step: 0s").and(&format!("expire: {{ attribute: departmentNumber, {expire} }}"))
}

/// "If the expiration policy differs per user (that is, the EXPIRE argument might change after authentication), the server
/// MUST announce in AUTHORIZATION state the smallest value which could be set for any user. … The server SHOULD append the
/// token "USER" to the EXPIRE parameter in AUTHORIZATION state" (RFC 2449 §6.7)
#[test]
fn the_shortest_time_is_shown_before_login_and_the_persons_own_after() {
    for (expire, before, unsaid) in [
        ("after: 30d", "EXPIRE 7 USER", "EXPIRE 30"),
        ("after: 30d, at_least: 10d, also_unretrieved: true", "EXPIRE 10 USER", "EXPIRE 30"),
        ("", "EXPIRE 7 USER", "EXPIRE NEVER"),
    ] {
        let world = World::new(expire, ANEW);
        let least = before.trim_end_matches(" USER");
        for (values, after) in [
            (&[][..], unsaid),
            (&["90"], "EXPIRE 90"),
            (&["10"], "EXPIRE 10"),
            (&["2"], least),
            (&["never"], "EXPIRE NEVER"),
            (&["90", "0090"], "EXPIRE 90"),
            (&["10", "90"], "EXPIRE NEVER"),
            (&["-1"], "EXPIRE NEVER"),
            (&["0"], "EXPIRE NEVER"),
            (&["a week"], "EXPIRE NEVER"),
        ] {
            world.says(ALAN, values);
            let mut client = world.client();
            assert_eq!(expire_line(&mut client), before, "{expire}");
            client.ask("USER ajones", "+OK");
            client.ask("PASS not his", "-ERR [AUTH] ");
            assert_eq!(expire_line(&mut client), before, "{expire}");
            client.login("ajones", PASSWORD);
            assert_eq!(expire_line(&mut client), after, "{expire}: {values:?}");
        }
        let tls = trusting(&world.site.authority());
        let mut client = world.client();
        client.stls(NAME, &tls);
        assert_eq!(expire_line(&mut client), before, "{expire}");
        let mut client = Conversation::tls(world.service.pop3s(), NAME, &tls);
        client.expect("+OK");
        assert_eq!(expire_line(&mut client), before, "{expire}");
        client.login("ajones", PASSWORD);
        assert_eq!(expire_line(&mut client), "EXPIRE NEVER", "{expire}");
    }
}

/// By a login that asked the directory, and by one that did not.
#[test]
fn the_end_of_a_session_removes_what_is_old_for_this_person() {
    let world = World::new("after: 10d, also_unretrieved: true", "");
    world.says(ALAN, &["90"]);
    let mut left = Vec::new();
    for (proof, old, young) in [("bind", 91, 89), ("cache", 95, 85)] {
        deliver_old(&world.site, "ajones", old);
        left.push(deliver_old(&world.site, "ajones", young));
        world.session().ask("QUIT", "+OK bye");
        assert_eq!(world.names("ajones"), left, "{proof}");
        world.service.wait_for_log(&["login", "person=\"ajones\"", &format!("proof=\"{proof}\"")]);
    }
    left.insert(0, deliver_old(&world.site, "ajones", 99));
    drop(world.session());
    world.service.wait_for_log(&["connection ended", "closed by the client without QUIT"]);
    assert_eq!(world.names("ajones"), left);
}

#[test]
fn what_is_not_understood_removes_nothing_and_is_told() {
    let world = World::new("after: 10d, also_unretrieved: true", ANEW);
    let old = deliver_old(&world.site, "ajones", 2000);
    for (values, why) in [
        (&["soon"][..], "departmentNumber is \\\"soon\\\", neither a number of days nor `never`"),
        (&["10", "20"], "departmentNumber has several values, which differ"),
    ] {
        world.says(ALAN, values);
        world.session().ask("QUIT", "+OK bye");
        assert_eq!(world.names("ajones"), std::slice::from_ref(&old), "{values:?}");
        world.service.wait_for_log(&["WARN", "mail left on the server does not expire", "person=\"ajones\"", why]);
    }
    // Nothing that a session leaves is touched, whatever it retrieved.
    world.says(ALAN, &["never"]);
    let mut client = world.session();
    client.ask("RETR 1", "+OK");
    client.message();
    client.ask("QUIT", "+OK bye");
    assert_eq!(world.names("ajones"), [old]);
}

#[test]
fn a_change_counts_once_the_person_is_not_held_any_more() {
    let world = World::new("after: 30d", "cache: { found: 1s }");
    let told = || expire_line(&mut world.session());
    assert_eq!(told(), "EXPIRE 30");
    world.says(ALAN, &["60"]);
    wait_until("the change counts", || told() == "EXPIRE 60");
    let held = World::new("after: 30d", "admin: { socket: admin.sock }");
    let told = || expire_line(&mut held.session());
    assert_eq!(told(), "EXPIRE 30");
    held.says(ALAN, &["never"]);
    assert_eq!(told(), "EXPIRE 30", "held");
    assert_eq!(command(&held.site, &["flush", "ajones"], "").status, 0);
    assert_eq!(told(), "EXPIRE NEVER");
}

#[test]
fn the_command_ages_each_persons_mail_by_their_own_entry() {
    let world = World::new("after: 30d, at_least: 8d, also_unretrieved: true", "");
    for (person, values) in [(ALAN, &["90"][..]), (LAMB, &["Never"]), (TOM, &["soon"])] {
        world.says(person, values);
    }
    let mut due = String::new();
    for (person, time) in [("ajones", 90), ("mbrown", 30), ("alamb", 9999), ("tclerk", 9999), ("jmueller", 30)] {
        for days in [9, 31, 89, 91, 2000] {
            let name = deliver_old(&world.site, person, days);
            if days >= time {
                writeln!(due, "{person}: {person}/Maildir/{name}").unwrap();
            }
        }
    }
    for (words, done) in [(&["expire", "--all", "--dry-run"][..], "would remove"), (&["expire", "--all"], "removed")] {
        let told = command(&world.site, words, "");
        let lines = format!("{due}{done}: expired 10, previously deleted 0, failed 1\n");
        assert_eq!(sorted(&told.told), sorted(&lines));
        let fault = "restante: tclerk: mail does not expire, since departmentNumber is \"soon\", neither a number of days nor `never`";
        assert_eq!((told.status, told.complained.trim()), (1, fault));
    }
    world.says(TOM, &["1"]);
    let told = command(&world.site, &["expire", "tclerk", "alamb", "Alan Jones"], "");
    assert_eq!((told.status, told.told.lines().count()), (0, 6), "{}{}", told.told, told.complained);
    assert_eq!((world.names("ajones").len(), world.names("alamb").len(), world.names("tclerk").len()), (3, 5, 0));
}

#[test]
fn resolve_shows_how_long_a_persons_mail_stays() {
    let world = World::new("after: 30d, at_least: 36h", "");
    for (values, words, days) in [
        (&[][..], "expires     30d after it was retrieved, by expire.after", Some(30)),
        (&["90"], "expires     90d after it was retrieved, by the entry", Some(90)),
        (&["1"], "expires     36h after it was retrieved, by expire.at_least, since the entry says less", Some(1)),
        (&["never"], "expires     never, by the entry", None),
        (&["soon"], "expires     never, since departmentNumber is \"soon\", neither a number", None),
    ] {
        world.says(ALAN, values);
        let told = command(&world.site, &["resolve", "ajones"], "");
        assert!(told.status == 0 && told.told.contains(words), "{}", told.told);
        let json = command(&world.site, &["resolve", "--json", "ajones"], "");
        let json: Value = serde_json::from_str(&json.told).unwrap();
        let step = json["steps"].as_array().unwrap().iter().find(|step| step["step"] == "retention").unwrap();
        assert_eq!(step["days"], days.map_or(Value::Null, Value::from));
    }
    let site = configured(&Plan::at(&world.slapd.url()));
    let told = command(&site, &["resolve", "ajones"], "");
    assert!(told.status == 0 && !told.told.contains("expires"), "{}", told.told);
}

#[test]
fn audit_reports_entries_that_are_not_understood() {
    let world = World::new("", "internet_authentication: { names: [short_name] }");
    for person in ["ajones", "alamb", "asmith", "jmueller", "mbrown", "mbrown2", "tclerk"] {
        maildir::make(&world.site.maildir(person), &[]);
    }
    assert_eq!(command(&world.site, &["audit"], "").status, 0);
    for (person, values) in [(ALAN, &["90"][..]), (LAMB, &["9", "90"]), (TOM, &["-1"])] {
        world.says(person, values);
    }
    let told = command(&world.site, &["audit", "--json"], "");
    let json: Value = serde_json::from_str(&told.told).unwrap();
    let of = |finding: &Value| {
        let words = ["kind", "about"].map(|key| finding[key].as_str().unwrap().to_owned()).join(" ");
        format!("{} {words}", finding["people"][0]["canonical_name"].as_str().unwrap())
    };
    let mut found: Vec<String> = json["findings"].as_array().unwrap().iter().map(of).collect();
    found.sort();
    let wanted = [
        "alamb unclear_retention departmentNumber has several values, which differ",
        "tclerk unclear_retention departmentNumber is \"-1\", neither a number of days nor `never`",
    ];
    assert_eq!((told.status, found), (1, wanted.map(str::to_owned).to_vec()));
}

/// Else everybody's mail would seem to be without a time of its own.
#[test]
fn check_reports_an_attribute_that_cannot_be_read() {
    let seen = Slapd::start(people::LDIF);
    let hides = Options { hidden: "departmentNumber".to_owned(), ..Options::default() };
    let hidden = Slapd::start_with(people::LDIF, &hides);
    for (slapd, attribute, is_fine) in
        [(&seen, "departmentNumber", true), (&seen, "departmentNumbr", false), (&hidden, "departmentNumber", false)]
    {
        let mut plan = plan(slapd, "after: 30d");
        plan.further = plan.further.replace("departmentNumber", attribute);
        let told = command(&configured(&plan), &["check"], "");
        assert_eq!(told.status == 0, is_fine, "{}", told.complained);
        let fault = format!("may not read {attribute}, where expire.attribute says how long mail stays");
        assert_eq!(told.complained.contains(&fault), !is_fine, "{}", told.complained);
    }
}

/// Notes that he retrieved a message so many days ago, as a session long ago did.
fn note_retrieved(site: &Site, name: &str, days: u64) {
    let then = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() - days * 24 * 60 * 60;
    let text = format!("retrieved {then} ajones {}", name.trim_start_matches("new/"));
    let sum = digest(&SHA256, text.as_bytes()).as_ref()[..4]
        .iter()
        .fold(String::new(), |sum, octet| format!("{sum}{octet:02x}"));
    let mut pins =
        File::options().append(true).create(true).open(site.maildir("shared").join("restante-pins")).unwrap();
    writeln!(pins, "{sum} {text}").unwrap();
}

/// Two people fetch from one Maildir, and their entries say different times: the longest holds, also for mail that only one
/// of them has fetched.
#[test]
fn what_people_share_stays_for_the_longest_of_their_times() {
    let (slapd, site) = (Slapd::start(people::LDIF), Site::new());
    let mut plan = plan(&slapd, "after: 10d").and(ANEW);
    plan.mailboxes = "  path: \"{attr:roomNumber}/Maildir\"\n".to_owned();
    for (person, days) in [(ALAN, "20"), (LAMB, "90")] {
        slapd.modify(&format!("dn: {person}\nchangetype: modify\nreplace: roomNumber\nroomNumber: shared\n"));
        slapd.modify(&format!(
            "dn: {person}\nchangetype: modify\nreplace: departmentNumber\ndepartmentNumber: {days}\n"
        ));
    }
    let service = site.serve(&plan);
    let visit = |name: &str, password: &str| {
        let mut client = Conversation::plain(service.pop3());
        client.expect("+OK");
        client.login(name, password);
        client.ask("QUIT", "+OK bye");
    };
    let names = || maildir::names(&site.maildir("shared"));
    let old = deliver_old(&site, "shared", 30);
    // She has been here, and fetched nothing; he fetched it long ago.
    visit("alamb", "seven green lamps");
    note_retrieved(&site, &old, 25);
    visit("ajones", PASSWORD);
    assert_eq!(names(), std::slice::from_ref(&old), "hers is the longer time");
    let ended = command(&site, &["expire", "ajones"], "");
    assert_eq!(names(), std::slice::from_ref(&old), "{}", ended.told);
    // A walk through the directory knows everybody's time, also of those who were never here.
    fs::remove_file(site.maildir("shared").join("restante-pins")).unwrap();
    note_retrieved(&site, &old, 25);
    let ended = command(&site, &["expire", "--all"], "");
    assert_eq!(names(), std::slice::from_ref(&old), "{}{}", ended.told, ended.complained);
    let older = deliver_old(&site, "shared", 100);
    note_retrieved(&site, &older, 95);
    let ended = command(&site, &["expire", "--all"], "");
    assert_eq!(names(), [old], "{}{}", ended.told, ended.complained);
}

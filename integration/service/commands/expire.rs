//! The ageing of mail left on the server: by the end of a session, by `restante expire`, and as CAPA announces it.

use std::fmt::Write as _;
use std::fs::File;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use super::command;
use crate::support::conversation::Conversation;
use crate::support::maildir;
use crate::support::service::Site;
use crate::support::stage::{PASSWORD, Stage};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn stage(further: &str, mailboxes: &str) -> Stage {
    Stage::set_by(&[], |plan, _| {
        plan.further.push_str(further);
        write!(plan.mailboxes, "{mailboxes}").unwrap();
    })
}

/// Delivers a message so many days ago; gives its name.
pub(super) fn deliver_old(site: &Site, person: &str, days: u32) -> String {
    let moment = SystemTime::now() - days * DAY;
    let seconds = moment.duration_since(UNIX_EPOCH).unwrap().as_secs();
    let (maildrop, name) = (site.maildir(person), format!("new/{seconds}.{days}"));
    maildir::make(&maildrop, &[(&name, b"x\n")]);
    File::options().write(true).open(maildrop.join(&name)).unwrap().set_modified(moment).unwrap();
    name
}

fn names(stage: &Stage, person: &str) -> Vec<String> {
    maildir::names(&stage.site.maildir(person))
}

pub(super) fn expire_line(client: &mut Conversation) -> String {
    client.ask("CAPA", "+OK");
    let lines = String::from_utf8(client.multiline()).unwrap();
    lines.lines().find(|line| line.starts_with("EXPIRE ")).unwrap().to_owned()
}

/// "The argument to the EXPIRE capability indicates the minimum server retention period, in days, for messages on the
/// server. … EXPIRE NEVER asserts that the server will not delete messages." (RFC 2449 §6.7)
#[test]
fn capa_shows_how_long_mail_is_left() {
    for (further, mailboxes, told) in [
        ("", "", "EXPIRE NEVER"),
        ("", "  deletion: { keep_for: 7d }\n", "EXPIRE NEVER"),
        ("", "  deletion: { move_to: Trash, keep_for: 7d }\n", "EXPIRE NEVER"),
        ("expire: { after: 30d }\n", "", "EXPIRE 30"),
        ("expire: { after: 30d, also_unretrieved: true }\n", "  deletion: { keep_for: 7d }\n", "EXPIRE 30"),
        ("expire: { after: 36h }\n", "  mark_seen: retrieved\n", "EXPIRE 1"),
    ] {
        let stage = stage(further, mailboxes);
        for mut client in [stage.client(), stage.tls_client()] {
            assert_eq!(expire_line(&mut client), told, "{further}{mailboxes}");
            client.login("ajones", PASSWORD);
            assert_eq!(expire_line(&mut client), told, "{further}{mailboxes}");
        }
        let mut client = stage.client();
        client.stls(crate::support::stage::NAME, &stage.tls);
        assert_eq!(expire_line(&mut client), told, "{further}{mailboxes}");
    }
}

#[test]
fn the_end_of_a_session_removes_what_it_listed_and_is_old() {
    let stage = stage("expire: { after: 30d, also_unretrieved: true }\n", "");
    let (old, young) = (deliver_old(&stage.site, "ajones", 31), deliver_old(&stage.site, "ajones", 29));
    let mut client = stage.session();
    client.ask("STAT", "+OK 2 ");
    drop(client);
    stage.service.wait_for_log(&["connection ended", "closed by the client without QUIT"]);
    assert_eq!(names(&stage, "ajones"), [old, young.clone()]);
    stage.session().ask("QUIT", "+OK bye");
    assert_eq!(names(&stage, "ajones"), [young]);
    stage.service.wait_for_log(&["INFO", "expired mail removed", "person=\"ajones\"", "messages=1"]);
}

#[test]
fn what_was_not_retrieved_is_not_removed() {
    let stage = stage("expire: { after: 1d }\n", "");
    let old = deliver_old(&stage.site, "ajones", 1000);
    let mut client = stage.session();
    client.ask("TOP 1 9", "+OK");
    client.message();
    client.ask("QUIT", "+OK bye");
    for number in 0..2 {
        let mut client = stage.session();
        client.ask("RETR 1", "+OK");
        client.message();
        client.ask("QUIT", "+OK bye");
        assert_eq!(names(&stage, "ajones"), std::slice::from_ref(&old), "retrieved just now, {number}");
    }
    let told = command(&stage.site, &["expire", "ajones"], "");
    assert_eq!((told.status, told.told.trim()), (0, "removed: expired 0, previously deleted 0"));
}

#[test]
fn the_command_does_it_for_those_who_seldom_come() {
    let stage = stage(
        "expire: { after: 30d, also_unretrieved: true }\n",
        "  sessions_per_maildrop: one\n  deletion: { keep_for: 30d }\n",
    );
    let old = deliver_old(&stage.site, "ajones", 31);
    let another = deliver_old(&stage.site, "mbrown", 40);
    let told = command(&stage.site, &["expire", "--all", "--dry-run"], "");
    let lines = format!(
        "ajones: ajones/Maildir/{old}\nmbrown: mbrown/Maildir/{another}\n\
         would remove: expired 2, previously deleted 0\n"
    );
    assert_eq!((told.status, sorted(&told.told)), (0, sorted(&lines)), "{}", told.complained);
    let json = command(&stage.site, &["expire", "--all", "--dry-run", "--json"], "");
    let json: Value = serde_json::from_str(&json.told).unwrap();
    assert_eq!(
        (&json["clean"], &json["dry_run"], &json["previously_deleted"]),
        (&true.into(), &true.into(), &0.into())
    );
    let listed: Vec<_> = json["expired"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(sorted(&listed.join("\n")), sorted(&format!("{old}\n{another}")));
    let mut client = stage.session();
    let told = command(&stage.site, &["expire", "Alan Jones", "mbrown", "nobody"], "");
    assert_eq!(told.status, 1);
    assert!(told.told.ends_with("removed: expired 1, previously deleted 0, failed 2\n"), "{}", told.told);
    assert!(told.complained.contains("ajones: maildrop in use, skipped"), "{}", told.complained);
    assert!(told.complained.contains("nobody: no such login name"), "{}", told.complained);
    assert_eq!((names(&stage, "ajones"), names(&stage, "mbrown")), (vec![old], vec![]));
    client.ask("QUIT", "+OK bye");
    assert_eq!(names(&stage, "ajones"), [] as [&str; 0]);
    let batch = stage.site.maildir("ajones").join("restante-deleted");
    let batch: Vec<PathBuf> = std::fs::read_dir(batch).unwrap().map(|batch| batch.unwrap().path()).collect();
    std::fs::rename(&batch[0], batch[0].with_file_name("1700000000.0")).unwrap();
    let told = command(&stage.site, &["expire", "--all"], "");
    assert!(told.told.ends_with("removed: expired 0, previously deleted 1\n"), "{}", told.told);
}

/// Whose names the directory is not for cannot log in: another server has their mail, and ages it.
#[test]
fn the_mail_of_those_whom_the_directory_is_not_for_is_left_alone() {
    let stage = Stage::set_by(&[], |plan, _| {
        plan.directory.push_str("    names_below: [\"ou=Sales,ou=people,dc=renovations,dc=example\"]\n");
        plan.further.push_str("expire: { after: 30d, also_unretrieved: true }\n");
    });
    deliver_old(&stage.site, "ajones", 31);
    let anothers = deliver_old(&stage.site, "alamb", 31);
    let told = command(&stage.site, &["expire", "--all"], "");
    assert_eq!((names(&stage, "ajones"), names(&stage, "alamb")), (vec![], vec![anothers]), "{}", told.told);
}

pub(super) fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines
}

#[test]
fn without_a_setting_nothing_is_removed() {
    let stage = stage("", "");
    let old = deliver_old(&stage.site, "ajones", 5000);
    let mut client = stage.session();
    client.ask("RETR 1", "+OK");
    client.message();
    client.ask("QUIT", "+OK bye");
    let told = command(&stage.site, &["expire", "--all"], "");
    assert_eq!((told.status, told.told.trim()), (0, "removed: expired 0, previously deleted 0"));
    assert!(told.complained.contains("note: neither `expire` nor `mailboxes.deletion`"), "{}", told.complained);
    assert_eq!(names(&stage, "ajones"), [old]);
    for words in [&["expire"][..], &["expire", "--all", "ajones"]] {
        assert_eq!(command(&stage.site, words, "").status, 2, "{words:?}");
    }
}

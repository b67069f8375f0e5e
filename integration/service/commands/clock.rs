//! A clock that jumps removes nothing for its age. `faketime` stands for the clock: the program sees another time, the disk
//! and the directory do not.

use std::process::Command;

use super::expire::deliver_old;
use super::{Ended, command};
use crate::support::conversation::Conversation;
use crate::support::maildir;
use crate::support::process::output;
use crate::support::service::{Service, Site, restante};
use crate::support::stage::{PASSWORD, Stage};

/// Runs a command while the clock is so far ahead, such as `+400 days`.
fn command_at(time: &str, site: &Site, words: &[&str]) -> Ended {
    let (first, rest) = words.split_first().unwrap();
    let mut faketime = Command::new("faketime");
    faketime.arg("-f").arg(time).arg(restante().get_program()).arg(first);
    faketime.arg("--config").arg(site.folder().join("restante.yaml")).args(rest);
    let output = output(&mut faketime, "");
    let text = |octets: Vec<u8>| String::from_utf8(octets).unwrap();
    Ended { status: output.status.code().unwrap(), told: text(output.stdout), complained: text(output.stderr) }
}

fn stage(further: &str, mailboxes: &str) -> Stage {
    Stage::set_by(&[], |plan, _| {
        plan.further.push_str(further);
        plan.mailboxes.push_str(mailboxes);
    })
}

#[test]
fn mail_does_not_age_by_a_clock_that_jumped_until_somebody_confirms_it() {
    let stage = stage("expire: { after: 30d, also_unretrieved: true }\n", "");
    let young = deliver_old(&stage.site, "ajones", 3);
    for time in ["+40d", "+10y"] {
        let ended = command_at(time, &stage.site, &["expire", "--all"]);
        assert_eq!(maildir::names(&stage.maildir()), std::slice::from_ref(&young), "{time}: {}", ended.told);
        assert_eq!(ended.status, 1, "{time}: {}{}", ended.told, ended.complained);
        assert!(ended.complained.contains("restante expire --confirm-clock"), "{}", ended.complained);
    }
    assert_eq!(command(&stage.site, &["expire", "--all"], "").status, 0, "the right clock goes on");
    let ended = command_at("+40d", &stage.site, &["expire", "--confirm-clock"]);
    assert!(
        ended.status == 0 && ended.told.contains("the latest recorded before was"),
        "{}{}",
        ended.told,
        ended.complained
    );
    assert_eq!(command_at("+40d", &stage.site, &["expire", "--all"]).status, 0);
    assert_eq!(maildir::names(&stage.maildir()), [] as [&str; 0]);
}

#[test]
fn what_was_deleted_is_not_cleaned_up_by_a_clock_that_jumped() {
    for deletion in ["{ keep_for: 14d }", "{ move_to: Trash, keep_for: 14d }"] {
        let stage = stage("", &format!("  deletion: {deletion}\n"));
        maildir::deliver(&stage.maildir(), "new/1.a", b"Subject: kept\n\nx\n");
        let mut client = stage.session();
        client.ask("DELE 1", "+OK");
        client.ask("QUIT", "+OK bye");
        let ended = command_at("+40d", &stage.site, &["expire", "--all"]);
        assert_eq!(ended.status, 1, "{}{}", ended.told, ended.complained);
        let back = command(&stage.site, &["undelete", "ajones"], "");
        assert!(back.told.contains("restored 1 of 1"), "{deletion}: {}{}", back.told, back.complained);
    }
}

/// A service that is started after a jump of this machine's clock: the latest time that was recorded is long ago. Two sessions
/// have ended.
fn two_sessions_after_a_jump(stage: &Stage) -> Service {
    std::fs::write(stage.site.root().join("restante-clock"), "1600000000\n").unwrap();
    let again = stage.site.serve(&stage.plan);
    for _ in 0..2 {
        let mut client = Conversation::plain(again.pop3());
        client.expect("+OK");
        client.login("ajones", PASSWORD);
        client.ask("QUIT", "+OK bye");
    }
    again
}

/// The service, too: at the end of a session nothing is removed, and the log says why, once.
#[test]
fn nor_does_the_end_of_a_session_remove_anything() {
    let stage = stage("expire: { after: 30d, also_unretrieved: true }\n", "");
    let old = deliver_old(&stage.site, "ajones", 31);
    let again = two_sessions_after_a_jump(&stage);
    again.wait_for_log(&["ERROR", "no mail is removed by age", "--confirm-clock"]);
    assert_eq!(maildir::names(&stage.maildir()), [old]);
}

/// The log says it once, and not at the end of each session.
#[test]
fn nor_is_kept_mail_cleaned_up_at_the_end_of_a_session() {
    let stage = stage("", "  deletion: { keep_for: 14d }\n");
    maildir::deliver(&stage.maildir(), "new/1.a", b"Subject: kept\n\nx\n");
    let mut client = stage.session();
    client.ask("DELE 1", "+OK");
    client.ask("QUIT", "+OK bye");
    let again = two_sessions_after_a_jump(&stage);
    again.wait_for_logs(&["connection ended", "reason=\"quit\""], 2);
    let log = again.log().join("\n");
    assert_eq!(log.matches("no mail is removed by age").count(), 2, "at the start, and once after it: {log}");
    assert!(!log.contains("cleaned up"), "{log}");
    let back = command(&stage.site, &["undelete", "ajones"], "");
    assert!(back.told.contains("restored 1 of 1"), "{}{}", back.told, back.complained);
}

/// A deletion is noted by the latest time seen, so that a clock that is behind shortens no term.
#[test]
fn a_clock_that_is_behind_shortens_nothing() {
    let stage = stage("", "  deletion: { keep_for: 1h }\n");
    maildir::deliver(&stage.maildir(), "new/1.a", b"Subject: kept\n\nx\n");
    let ahead = 3 * 24 * 60 * 60;
    let later = command_at(&format!("+{ahead}s"), &stage.site, &["expire", "--confirm-clock"]);
    assert_eq!(later.status, 0, "{}", later.complained);
    let mut client = stage.session();
    client.ask("DELE 1", "+OK");
    client.ask("QUIT", "+OK bye");
    assert_eq!(command_at(&format!("+{ahead}s"), &stage.site, &["expire", "--all"]).status, 0);
    let back = command(&stage.site, &["undelete", "ajones"], "");
    assert!(back.told.contains("restored 1 of 1"), "{}{}", back.told, back.complained);
}

//! The index beside the mail under the running service: what becomes of it costs nobody their mail.

use std::fs;
use std::io::Write as _;

use crate::support::maildir;
use crate::support::mount::Mount;
use crate::support::stage::Stage;

/// So many messages that an index is worth its writing.
const MESSAGES: usize = 100;

fn fill(stage: &Stage) {
    for number in 0..MESSAGES {
        maildir::deliver(&stage.maildir(), &format!("cur/{number}.a:2,S"), b"Subject: a\n\na\n");
    }
}

#[test]
fn a_damaged_index_is_told_and_built_anew() {
    let stage = Stage::set("", &[]);
    fill(&stage);
    fs::write(stage.maildir().join("restante-index"), "not ours").unwrap();
    stage.session().ask("STAT", "+OK 100 1700");
    stage.service.wait_for_log(&["WARN", "the index cannot be used and is rebuilt", "restante-index.damaged"]);
    assert_eq!(fs::read(stage.maildir().join("restante-index.damaged")).unwrap(), b"not ours");
    assert!(fs::read(stage.maildir().join("restante-index")).unwrap().starts_with(b"restante-index"));
}

#[test]
fn a_full_disk_is_served_all_the_same_and_told_once() {
    let stage = Stage::set("", &[]);
    let _disk = Mount::memory(&stage.site.root().join("ajones"), 1 << 20);
    maildir::make(&stage.maildir(), &[]);
    fill(&stage);
    let filler = stage.site.root().join("ajones/filler");
    let mut file = fs::File::create(&filler).unwrap();
    while file.write_all(&[0; 4096]).is_ok() {}
    for number in 0..3 {
        let mut client = stage.session();
        client.ask("STAT", &format!("+OK {} ", MESSAGES - number));
        client.ask("RETR 1", "+OK 17 octets");
        client.message();
        client.ask("DELE 1", "+OK");
        client.ask("QUIT", "+OK");
        client.ended();
    }
    let told = stage.service.wait_for_logs(&["WARN", "the index cannot be written", "No space left"], 1);
    assert_eq!(told.len(), 1);
    assert_eq!(fs::read_dir(stage.maildir().join("tmp")).unwrap().count(), 0, "nothing is left behind");
    fs::remove_file(filler).unwrap();
    maildir::deliver(&stage.maildir(), "new/9999.b", b"Subject: b\n\nb\n");
    stage.session().ask("STAT", "+OK 98 1666");
    assert!(stage.maildir().join("restante-index").is_file());
}

/// Nothing can be written, so nothing is deleted, and everything is served.
#[test]
fn a_read_only_disk_is_served_all_the_same_and_told_once() {
    let stage = Stage::set_by(&[], |plan, _| plan.mailboxes.push_str("  sessions_per_maildrop: one\n"));
    let disk = Mount::memory(&stage.site.root().join("ajones"), 1 << 20);
    maildir::make(&stage.maildir(), &[]);
    fill(&stage);
    disk.read_only();
    let mut sessions = [stage.session(), stage.session()];
    for client in &mut sessions {
        client.ask("STAT", "+OK 100 1700");
        client.ask("UIDL 1", "+OK 1 0.a");
        client.ask("RETR 1", "+OK 17 octets");
        assert_eq!(client.message(), b"Subject: a\r\n\r\na\r\n");
        client.ask("DELE 1", "+OK");
        client.ask("QUIT", "-ERR some deleted messages not removed");
    }
    assert_eq!(maildir::names(&stage.maildir()).len(), MESSAGES);
    stage.service.wait_for_logs(&["WARN", "cannot be locked", "Read-only file system"], 2);
    stage.service.wait_for_logs(&["ERROR", "message not deleted", "Read-only file system"], 2);
    let told = stage.service.wait_for_logs(&["WARN", "the index cannot be written", "Read-only file system"], 1);
    assert_eq!(told.len(), 1);
}

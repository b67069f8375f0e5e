//! A delivery agent, mbsync and mutt in the middle of a session.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::support::conversation::Conversation;
use crate::support::maildir;
use crate::support::mbsync::Mbsync;
use crate::support::process::{program, succeed};
use crate::support::stage::Stage;

const THREE: &[(&str, &[u8])] = &[
    ("new/1700000001.M1P1.mx", b"Subject: one\n\n1\n"),
    ("cur/1700000002.M1P1.mx:2,F", b"Subject: two\n\n2\n"),
    ("new/1700000003.M1P1.mx", b"Subject: three\n\n3\n"),
];

fn retrieve_all(client: &mut Conversation, contents: &[&str]) {
    for (number, content) in (1..).zip(contents) {
        client.ask(&format!("RETR {number}"), "+OK");
        assert!(client.message().ends_with(format!("{content}\r\n").as_bytes()), "message {number}");
    }
}

/// Delivers by maildrop(1), which writes `,S=` into names.
fn deliver(stage: &Stage, text: &str) {
    let filter = stage.site.folder().join("mailfilter");
    fs::write(&filter, format!("to \"{}\"\n", stage.maildir().display())).unwrap();
    fs::set_permissions(&filter, Permissions::from_mode(0o600)).unwrap();
    succeed(program("maildrop").arg(&filter), &format!("From: a@example.org\nSubject: delivered\n\n{text}\n"));
}

/// Opens the Maildir in mutt(1), on a terminal of its own, and types keys as the names of their functions.
fn mutt(stage: &Stage, functions: &str) {
    let (folder, maildir) = (stage.site.folder(), stage.maildir());
    let settings = "set mbox_type=Maildir confirmappend=no delete=yes quit=yes mark_old=no sleep_time=0";
    fs::write(folder.join("muttrc"), format!("{settings} folder=\"{}\"\n", folder.display())).unwrap();
    let quoted = |path: &Path| format!("'{}'", path.display());
    let command = format!(
        "mutt -n -F {} -f {} -e 'push \"{functions}<sync-mailbox><exit>\"'",
        quoted(&folder.join("muttrc")),
        quoted(&maildir)
    );
    // It would wait for ever for the answer to a question that nobody reads.
    let mut script = program("timeout");
    succeed(script.args(["60", "script", "-qec", &command, "/dev/null"]).env("HOME", folder).env("TERM", "xterm"), "");
}

#[test]
fn what_is_delivered_meanwhile_is_for_the_next_session() {
    let stage = Stage::set("", THREE);
    let mut client = stage.session();
    deliver(&stage, "by an agent");
    client.ask("STAT", "+OK 3 ");
    client.ask("DELE 1", "+OK");
    deliver(&stage, "once more");
    client.ask("QUIT", "+OK bye");
    let mut client = stage.session();
    client.ask("STAT", "+OK 4 ");
    retrieve_all(&mut client, &["2", "3", "by an agent", "once more"]);
}

#[test]
fn what_mbsync_renames_meanwhile_is_followed() {
    let stage = Stage::set("", THREE);
    let mbsync = Mbsync::between(&stage.maildir(), stage.site.folder());
    let mut client = stage.session();
    client.ask("RETR 1", "+OK");
    client.message();
    mbsync.run();
    assert!(maildir::names(&stage.maildir()).iter().all(|name| name.contains(",U=")));
    retrieve_all(&mut client, &["1", "2", "3"]);
    client.ask("DELE 2", "+OK");
    client.ask("QUIT", "+OK bye");
    let mut client = stage.session();
    client.ask("UIDL", "+OK");
    let ids = String::from_utf8(client.multiline()).unwrap();
    assert_eq!(ids, "1 1700000001.M1P1.mx\r\n2 1700000003.M1P1.mx\r\n.\r\n");
    // What was deleted here is deleted there, and the other way round.
    mbsync.run();
    let names = maildir::names(&mbsync.far);
    assert_eq!(names.len(), 2, "{names:?}");
    fs::remove_file(mbsync.far.join(&names[0])).unwrap();
    mbsync.run();
    let left = maildir::names(&stage.maildir());
    assert_eq!(left.len(), 1, "{left:?}");
    let gone = if left[0].contains("1700000001") { 2 } else { 1 };
    client.ask(&format!("RETR {gone}"), "-ERR ");
    client.ask(&format!("RETR {}", 3 - gone), "+OK");
    client.message();
    client.ask("QUIT", "+OK bye");
}

#[test]
fn what_mutt_flags_and_deletes_meanwhile_is_followed() {
    let stage = Stage::set("", THREE);
    let mut client = stage.session();
    retrieve_all(&mut client, &["1"]);
    mutt(&stage, "<tag-pattern>~s one<enter><tag-prefix><set-flag>r<delete-pattern>~s three<enter>");
    let names = maildir::names(&stage.maildir());
    assert!(names[0].starts_with("cur/1700000001.M1P1.mx:2,") && names[0].contains('R'), "{names:?}");
    assert_eq!(names.len(), 2, "{names:?}");
    retrieve_all(&mut client, &["1", "2"]);
    client.ask("RETR 3", "-ERR ");
    client.ask("DELE 2", "+OK");
    client.ask("DELE 3", "+OK");
    client.ask("QUIT", "+OK bye");
    assert_eq!(maildir::names(&stage.maildir()), names[..1], "the flags that mutt set stay");
}

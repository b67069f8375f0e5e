//! What QUIT deletes, and what nothing else does.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};

use rustix::process::{Signal, geteuid};

use crate::support::conversation::Conversation;
use crate::support::maildir;
use crate::support::stage::{PASSWORD, Stage};

const FOUR: &[(&str, &[u8])] =
    &[("cur/1.a:2,S", b"a\n"), ("new/2.b", b"b\n"), ("cur/3.c:2,", b"c\n"), ("new/4.d", b"d\n")];
const ALL: [&str; 4] = ["cur/1.a:2,S", "cur/3.c:2,", "new/2.b", "new/4.d"];

/// The uid and gid of `nobody`.
const NOBODY: u32 = 65_534;

/// A Restante that may delete in `new`, but not in `cur`. For root nothing is forbidden, so then it runs as nobody.
fn may_not_delete_in_cur() -> Stage {
    Stage::set_by(FOUR, |plan, site| {
        let (new, cur) = (site.maildir("ajones").join("new"), site.maildir("ajones").join("cur"));
        if geteuid().is_root() {
            plan.further.push_str("user: nobody\n");
            fs::set_permissions(site.folder(), Permissions::from_mode(0o755)).unwrap();
            chown(new, Some(NOBODY), Some(NOBODY)).unwrap();
        } else {
            fs::set_permissions(cur, Permissions::from_mode(0o555)).unwrap();
        }
    })
}

/// "If there is an error, such as a resource shortage, encountered while removing messages, the maildrop may result in
/// having some or none of the messages marked as deleted be removed." (RFC 1939 §6)
#[test]
fn what_cannot_be_deleted_stops_nothing_else_and_is_told_once() {
    let stage = may_not_delete_in_cur();
    let mut client = stage.session();
    for number in 1..=3 {
        client.ask(&format!("DELE {number}"), "+OK");
    }
    client.ask("QUIT", "-ERR some deleted messages not removed");
    client.ended();
    assert_eq!(maildir::names(&stage.maildir()), ["cur/1.a:2,S", "cur/3.c:2,", "new/4.d"]);
    for name in ["1.a:2,S", "3.c:2,"] {
        let reasons = stage.service.wait_for_log(&["ERROR", "message not deleted", "person=\"ajones\"", name]);
        assert!(reasons.contains("denied"), "{reasons}");
    }
    stage.service.wait_for_log(&["connection ended", "dele=1", "reason=\"quit, not every deletion succeeded\""]);
    // So that the folder can be removed.
    fs::set_permissions(stage.maildir().join("cur"), Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_connection_that_is_cut_deletes_nothing() {
    let stage = Stage::set("", FOUR);
    for (number, mut client) in (1..).zip([stage.client(), stage.tls_client()]) {
        client.login("ajones", PASSWORD);
        client.ask("DELE 1", "+OK");
        client.ask("DELE 2", "+OK");
        drop(client);
        stage.service.wait_for_logs(&["connection ended", "dele=0"], number);
        assert_eq!(maildir::names(&stage.maildir()), ALL);
    }
}

/// QUIT without its end is no command.
#[test]
fn half_a_quit_deletes_nothing() {
    let stage = Stage::set("", FOUR);
    let mut client = stage.session();
    client.ask("DELE 1", "+OK");
    client.send_octets(b"QUIT");
    drop(client);
    stage.service.wait_for_log(&["connection ended", "dele=0", "closed by the client without QUIT"]);
    assert_eq!(maildir::names(&stage.maildir()), ALL);
}

#[test]
fn the_end_of_the_server_deletes_nothing() {
    for signal in [Signal::TERM, Signal::INT, Signal::KILL] {
        let mut stage = Stage::set("", FOUR);
        let mut client = stage.session();
        client.ask("DELE 1", "+OK");
        stage.service.signal(signal);
        client.ended();
        stage.service.ended();
        assert_eq!(maildir::names(&stage.maildir()), ALL, "{signal:?}");
    }
}

#[test]
fn two_sessions_may_delete_the_same_message() {
    let stage = Stage::set("", FOUR);
    let mut clients = [stage.session(), stage.session()];
    for client in &mut clients {
        client.ask("DELE 1", "+OK");
        client.ask("DELE 4", "+OK");
        client.send("QUIT");
    }
    for client in &mut clients {
        client.expect("+OK bye");
        client.ended();
    }
    assert_eq!(maildir::names(&stage.maildir()), ["cur/3.c:2,", "new/2.b"]);
}

/// What one session deleted is missing to another, and its numbers stay.
#[test]
fn a_session_sees_what_it_saw_at_its_beginning() {
    let stage = Stage::set("", FOUR);
    let (mut one, mut other) = (stage.session(), stage.session());
    one.ask("DELE 1", "+OK");
    one.ask("QUIT", "+OK");
    one.ended();
    other.ask("STAT", "+OK 4 12");
    other.ask("RETR 1", super::NOT_NOW);
    other.ask("RETR 2", "+OK 3 octets");
    assert_eq!(other.message(), b"b\r\n");
    fetch_all(&mut stage.session(), 3);
}

fn fetch_all(client: &mut Conversation, count: usize) {
    client.ask("STAT", &format!("+OK {count} "));
    for number in 1..=count {
        client.ask(&format!("RETR {number}"), "+OK 3 octets");
        assert_eq!(client.message().len(), 3);
    }
}

/// What an IMAP server keeps beside the mail stays as it is, and nothing of ours comes beside it unless that is wanted.
#[test]
fn a_session_leaves_nothing_beside_the_mail() {
    let stage = Stage::set("", FOUR);
    let theirs = ["dovecot-uidlist", "dovecot.index.log", "courierpop3dsizelist", "maildirfolder", "tmp/begun"];
    for name in theirs {
        fs::write(stage.maildir().join(name), name).unwrap();
    }
    let mut client = stage.session();
    for command in ["UIDL", "LIST", "RETR 1", "TOP 2 0"] {
        client.ask(command, "+OK");
        client.multiline();
    }
    client.ask("DELE 3", "+OK");
    client.ask("QUIT", "+OK bye");
    client.ended();
    assert_eq!(maildir::names(&stage.maildir()), ["cur/1.a:2,S", "new/2.b", "new/4.d"]);
    for name in theirs {
        assert_eq!(fs::read_to_string(stage.maildir().join(name)).unwrap(), name);
    }
    let beside =
        fs::read_dir(stage.maildir()).unwrap().count() + fs::read_dir(stage.maildir().join("tmp")).unwrap().count();
    assert_eq!(beside, 3 + theirs.len());
}

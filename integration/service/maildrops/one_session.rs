//! One session for each maildrop, where that is wanted: who is turned away, and who is let in after whatever end.

use std::fmt::Write as _;
use std::fs;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::conversation::Conversation;
use crate::support::maildir;
use crate::support::service::Service;
use crate::support::stage::{PASSWORD, Stage};
use crate::support::wait_until;

const TWO: &[(&str, &[u8])] = &[("cur/1.a:2,S", b"a\n"), ("new/2.b", b"b\n")];
const ALL: [&str; 2] = ["cur/1.a:2,S", "new/2.b"];

const IN_USE: &str = "-ERR [IN-USE] ";

/// A Restante with `sessions_per_maildrop:` and whatever else belongs to it.
fn stage(sessions: &str) -> Stage {
    Stage::set_by(TWO, |plan, _| {
        writeln!(plan.mailboxes, "  sessions_per_maildrop: {sessions}").unwrap();
        "person: 2, network: 2".clone_into(&mut plan.lockout);
    })
}

/// Another node, with the same configuration, mail and directory.
fn another_node(stage: &Stage) -> Service {
    stage.site.serve(&stage.plan)
}

fn client_of(service: &Service) -> Conversation {
    service.client()
}

fn try_login(client: &mut Conversation) -> String {
    client.ask("USER ajones", "+OK");
    client.send(&format!("PASS {PASSWORD}"));
    client.line()
}

fn refused(client: &mut Conversation) {
    let reply = try_login(client);
    assert!(reply.starts_with(IN_USE), "{reply}");
}

/// "[IN-USE] … an authentication attempt is successful, but the user's maildrop is currently in use" (RFC 2449 §8.1.1)
#[test]
fn a_second_session_is_told_that_the_maildrop_is_in_use() {
    let stage = stage("one");
    let mut first = stage.session();
    let mut second = stage.client();
    // Neither a refused login nor a wrong command: more often than any of their limits.
    for _ in 0..25 {
        refused(&mut second);
    }
    let line = stage.service.wait_for_logs(&["maildrop in use", "person=\"ajones\""], 25).pop().unwrap();
    assert!(line.contains("INFO"), "{line}");
    first.ask("QUIT", "+OK");
    second.login("ajones", PASSWORD);
    second.ask("STAT", "+OK 2 ");
}

/// Who has read the reply to QUIT may log in at once.
#[test]
fn the_maildrop_is_free_before_the_last_reply() {
    let stage = stage("one");
    maildir::deliver(&stage.maildir(), "new/3.c", b"c\n");
    for delete in [false, true, false, false, true] {
        let mut client = stage.session();
        if delete {
            client.ask("DELE 1", "+OK");
        }
        client.ask("QUIT", "+OK");
    }
    assert_eq!(maildir::names(&stage.maildir()), ["new/3.c"]);
    // One that is thrown out is listened to for a while, but its maildrop is free.
    let mut talker = stage.session();
    for _ in 0..20 {
        talker.ask("NONSENSE", "-ERR");
    }
    stage.session().ask("STAT", "+OK 1 ");
    talker.ended();
}

#[test]
fn the_maildrop_is_free_after_every_other_end() {
    let stage = stage("one");
    for end in 0..3 {
        let mut client = stage.client();
        wait_until("the maildrop is free", || !try_login(&mut client).starts_with(IN_USE));
        client.ask("DELE 1", "+OK");
        match end {
            0 => drop(client),
            1 => (0..20).for_each(|_| client.send("NONSENSE")),
            _ => client.send_octets(b"QUI"),
        }
        if end == 2 {
            // The first one keeps its turn until its connection is over.
            refused(&mut stage.client());
        }
    }
    wait_until("the maildrop is free", || !try_login(&mut stage.client()).starts_with(IN_USE));
    assert_eq!(maildir::names(&stage.maildir()), ALL);
}

/// A lock outlives neither its process nor its node, and counts on every node.
#[test]
fn a_killed_node_leaves_no_lock_and_a_living_one_is_respected() {
    for sessions in ["one", "one_with_takeover\n  takeover_after: 1s"] {
        let mut stage = stage(sessions);
        let other = another_node(&stage);
        let mut first = stage.session();
        first.ask("DELE 1", "+OK");
        let mut second = client_of(&other);
        refused(&mut second);
        stage.service.signal(Signal::KILL);
        first.ended();
        stage.service.ended();
        second.login("ajones", PASSWORD);
        assert_eq!(maildir::names(&stage.maildir()), ALL, "nothing was deleted");
        second.ask("DELE 2", "+OK");
        second.ask("QUIT", "+OK");
        assert_eq!(maildir::names(&stage.maildir()), ["cur/1.a:2,S"]);
    }
}

#[test]
fn an_idle_session_gives_way_without_its_deletions() {
    let stage = stage("one_with_takeover\n  takeover_after: 1s");
    let mut first = stage.session();
    first.ask("DELE 1", "+OK");
    let mut second = stage.client();
    wait_until("the first session gives way", || try_login(&mut second).starts_with("+OK"));
    // Whatever the first one still says counts no more; it is told nothing, since a reply would be taken for one to its
    // next command.
    first.ended();
    stage.service.wait_for_log(&["connection ended", "dele=0", "reason=\"maildrop taken over by another session\""]);
    assert_eq!(maildir::names(&stage.maildir()), ALL);
    second.ask("DELE 2", "+OK");
    second.ask("QUIT", "+OK");
    assert_eq!(maildir::names(&stage.maildir()), ["cur/1.a:2,S"]);
    stage.session().ask("STAT", "+OK 1 ");
}

#[test]
fn a_session_at_work_gives_no_way() {
    let stage = stage("one_with_takeover\n  takeover_after: 1h");
    let mut first = stage.session();
    refused(&mut stage.client());
    first.ask("DELE 1", "+OK");
    first.ask("QUIT", "+OK");
    assert_eq!(maildir::names(&stage.maildir()), ["new/2.b"]);
}

/// Better many sessions than none.
#[test]
fn a_maildir_that_cannot_be_locked_may_have_many_sessions() {
    let stage = stage("one");
    fs::create_dir(stage.maildir().join("restante.lock")).unwrap();
    let mut sessions = [stage.session(), stage.session()];
    stage.service.wait_for_logs(&["WARN", "cannot be locked", "restante.lock"], 2);
    for client in &mut sessions {
        client.ask("QUIT", "+OK");
    }
}

#[test]
fn a_maildir_that_was_never_made_is_empty_for_everybody() {
    let stage = stage("one");
    fs::remove_dir_all(stage.site.root().join("ajones")).unwrap();
    for mut client in [stage.session(), stage.session()] {
        client.ask("STAT", "+OK 0 0");
    }
}

/// Takeover works within a node; over nodes the answer is `[IN-USE]`, however idle the session there is.
#[test]
fn a_session_of_another_node_gives_no_way() {
    let stage = stage("one_with_takeover\n  takeover_after: 1s");
    let other = another_node(&stage);
    let mut first = stage.session();
    first.ask("DELE 1", "+OK");
    let (begun, mut second) = (Instant::now(), client_of(&other));
    while begun.elapsed() < Duration::from_millis(2500) {
        refused(&mut second);
        std::thread::sleep(Duration::from_millis(100));
    }
    first.ask("QUIT", "+OK bye");
    second.login("ajones", PASSWORD);
    assert_eq!(maildir::names(&stage.maildir()), ["new/2.b"]);
}

//! What other mail programs are shown as seen.

use std::fs;

use crate::support::maildir;
use crate::support::stage::Stage;

const FOUR: &[(&str, &[u8])] =
    &[("cur/1.a:2,FT", b"a\n"), ("new/2.b", b"b\n"), ("new/3.c", b"c\n"), ("cur/4.d,U=4:2,", b"d\n")];
const ALL: [&str; 4] = ["cur/1.a:2,FT", "cur/4.d,U=4:2,", "new/2.b", "new/3.c"];

fn stage(mark_seen: &str) -> Stage {
    Stage::set_by(FOUR, |plan, _| plan.mailboxes.push_str(mark_seen))
}

fn marking() -> Stage {
    stage("  mark_seen: retrieved\n")
}

fn retrieve(client: &mut crate::support::conversation::Conversation, numbers: &[usize]) {
    for number in numbers {
        client.ask(&format!("RETR {number}"), "+OK");
        client.message();
    }
}

#[test]
fn nothing_is_renamed_unless_that_is_wanted() {
    let stage = stage("");
    let mut client = stage.session();
    retrieve(&mut client, &[1, 2, 3, 4]);
    client.ask("QUIT", "+OK bye");
    assert_eq!(maildir::names(&stage.maildir()), ALL);
}

#[test]
fn what_a_client_got_whole_is_marked_at_quit_and_keeps_its_flags() {
    let stage = marking();
    let mut client = stage.session();
    retrieve(&mut client, &[1, 2, 4, 2]);
    client.ask("TOP 3 0", "+OK");
    client.message();
    assert_eq!(maildir::names(&stage.maildir()), ALL, "not before QUIT");
    client.ask("QUIT", "+OK bye");
    let marked = ["cur/1.a:2,FST", "cur/2.b:2,S", "cur/4.d,U=4:2,S", "new/3.c"];
    assert_eq!(maildir::names(&stage.maildir()), marked);
    let mut client = stage.session();
    client.ask("UIDL 2", "+OK 2 2.b");
    client.ask("UIDL 4", "+OK 4 4.d");
    // What is marked as seen already is left alone, and what is deleted is gone.
    retrieve(&mut client, &[1, 3]);
    client.ask("DELE 3", "+OK");
    client.ask("QUIT", "+OK bye");
    assert_eq!(maildir::names(&stage.maildir()), marked[..3]);
}

#[test]
fn a_session_that_was_cut_marks_nothing() {
    let stage = marking();
    let mut client = stage.session();
    retrieve(&mut client, &[1, 2]);
    drop(client);
    stage.service.wait_for_log(&["connection ended", "closed by the client without QUIT"]);
    assert_eq!(maildir::names(&stage.maildir()), ALL);
}

#[test]
fn a_message_is_marked_wherever_it_went() {
    let stage = marking();
    let mut client = stage.session();
    retrieve(&mut client, &[1, 2, 3]);
    for (from, to) in [("new/2.b", "cur/2.b:2,R"), ("cur/1.a:2,FT", "cur/1.a,U=9:2,")] {
        fs::rename(stage.maildir().join(from), stage.maildir().join(to)).unwrap();
    }
    fs::remove_file(stage.maildir().join("new/3.c")).unwrap();
    client.ask("QUIT", "+OK bye");
    assert_eq!(maildir::names(&stage.maildir()), ["cur/1.a,U=9:2,S", "cur/2.b:2,RS", "cur/4.d,U=4:2,"]);
}

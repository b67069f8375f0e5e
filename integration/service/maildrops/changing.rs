//! Other programs work on the Maildir while a session goes on.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use super::NOT_NOW;
use crate::support::maildir;
use crate::support::mount::{Mount, Shown};
use crate::support::stage::Stage;

const THREE: &[(&str, &[u8])] =
    &[("new/1.a", b"Subject: a\n\na\n"), ("cur/2.b:2,S", b"Subject: b\n\nb\n"), ("new/3.c", b"Subject: c\n\nc\n")];

fn body(stage_client: &mut crate::support::conversation::Conversation, number: usize) -> String {
    stage_client.ask(&format!("RETR {number}"), "+OK 17 octets");
    let message = String::from_utf8(stage_client.message()).unwrap();
    message.split_once("\r\n\r\n").unwrap().1.to_owned()
}

#[test]
fn a_message_that_vanished_is_an_error_and_the_rest_goes_on() {
    let stage = Stage::set("", THREE);
    let mut client = stage.session();
    fs::remove_file(stage.maildir().join("cur/2.b:2,S")).unwrap();
    client.ask("RETR 2", NOT_NOW);
    client.ask("TOP 2 0", NOT_NOW);
    assert_eq!(body(&mut client, 1), "a\r\n");
    assert_eq!(body(&mut client, 3), "c\r\n");
    // It still counts: what was told at login holds for the session.
    client.ask("STAT", "+OK 3 51");
    stage.service.wait_for_log(&["WARN", "message not sent", "message_number=2", "the message is gone"]);
    // Already gone counts as deleted.
    client.ask("DELE 2", "+OK");
    client.ask("DELE 3", "+OK");
    client.ask("QUIT", "+OK bye");
    client.ended();
    assert_eq!(maildir::names(&stage.maildir()), ["new/1.a"]);
}

#[test]
fn a_message_that_moves_or_is_flagged_is_followed() {
    let stage = Stage::set("", THREE);
    let mut client = stage.session();
    let moves = [
        ("new/1.a", "cur/1.a:2,"),
        ("cur/1.a:2,", "cur/1.a:2,FS"),
        ("cur/2.b:2,S", "cur/2.b:2,RS"),
        ("cur/2.b:2,RS", "new/2.b"),
    ];
    for (from, to) in moves {
        fs::rename(stage.maildir().join(from), stage.maildir().join(to)).unwrap();
        assert_eq!(body(&mut client, 1), "a\r\n", "{from} became {to}");
        assert_eq!(body(&mut client, 2), "b\r\n", "{from} became {to}");
    }
    client.ask("UIDL 1", "+OK 1 1.a");
    client.ask("DELE 1", "+OK");
    client.ask("DELE 2", "+OK");
    fs::rename(stage.maildir().join("cur/1.a:2,FS"), stage.maildir().join("new/1.a")).unwrap();
    client.ask("QUIT", "+OK bye");
    client.ended();
    assert_eq!(maildir::names(&stage.maildir()), ["new/3.c"]);
}

/// The octets told at login are what RETR sends, or it sends nothing.
#[test]
fn a_message_that_changed_is_an_error_and_is_not_deleted() {
    let stage = Stage::set("", THREE);
    let mut client = stage.session();
    fs::write(stage.maildir().join("cur/2.b:2,S"), "Subject: b\n\nb, and more\n").unwrap();
    client.ask("RETR 2", NOT_NOW);
    assert_eq!(body(&mut client, 1), "a\r\n");
    stage.service.wait_for_log(&["message not sent", "message_number=2", "changed"]);
    client.ask("DELE 1", "+OK");
    client.ask("DELE 2", "+OK");
    client.ask("QUIT", "-ERR some deleted messages not removed");
    client.ended();
    assert_eq!(maildir::names(&stage.maildir()), ["cur/2.b:2,S", "new/3.c"]);
    stage.service.wait_for_log(&["ERROR", "message not deleted", "2.b", "changed after it was listed"]);
    // The next session is told the new octets.
    let mut client = stage.session();
    client.ask("LIST 1", "+OK 1 27");
    client.ask("RETR 1", "+OK 27 octets");
}

#[test]
fn mail_that_arrives_meanwhile_is_for_the_next_session() {
    let stage = Stage::set("", THREE);
    let mut client = stage.session();
    maildir::deliver(&stage.maildir(), "new/0.first", b"Subject: d\n\nd\n");
    client.ask("STAT", "+OK 3 51");
    client.ask("UIDL 1", "+OK 1 1.a");
    client.ask("DELE 1", "+OK");
    client.ask("QUIT", "+OK bye");
    client.ended();
    let mut client = stage.session();
    client.ask("UIDL 1", "+OK 1 0.first");
    client.ask("UIDL 2", "+OK 2 2.b");
}

/// The octets of LIST, of the reply to RETR, and of what RETR sends, counted by the client.
#[test]
fn octets_told_are_octets_sent() {
    let block = 64 * 1024;
    let edge = [vec![b'x'; block - 1], b"\r\n.y\r\n".to_vec()].concat();
    let messages: &[(&str, &[u8])] = &[
        ("cur/1.lf", b"Subject: a\n\na\n.\n..\n"),
        ("cur/2.crlf", b"Subject: a\r\n\r\na\r\n.a\r\n"),
        ("cur/3.mixed", b"Subject: a\r\n\na\r\r\nb\rc\n\n\n"),
        ("cur/4.open", b"Subject: a\n\n.last line without end"),
        ("cur/5.open-cr", b"Subject: a\n\nlast octet is CR\r"),
        ("cur/6.empty", b""),
        ("cur/7.edge", &edge),
        ("cur/8.octets", b"Subject: \xff\0\n\n\x80\x1a\n"),
        ("cur/9.long", &super::long(5000)),
    ];
    let stage = Stage::set("", messages);
    for mut client in [stage.client(), stage.tls_client()] {
        client.login("ajones", crate::support::stage::PASSWORD);
        for number in 1..=messages.len() {
            let told = client.ask(&format!("LIST {number}"), "+OK ");
            let octets: usize = told.rsplit(' ').next().unwrap().parse().unwrap();
            client.ask(&format!("RETR {number}"), &format!("+OK {octets} octets"));
            assert_eq!(client.message().len(), octets, "message {number}");
        }
        client.ask("QUIT", "+OK");
        client.ended();
    }
}

/// A believed `,W=` that proves wrong cuts and pads nothing: the whole message goes out, and the next LIST is right.
#[test]
fn a_wrong_size_in_a_name_is_told_and_put_right_for_good() {
    let messages: &[(&str, &[u8])] =
        &[("cur/1.a,S=9,W=1:2,", b"Subject: a\n\na\n"), ("new/2.b,W=999", b"Subject: b\n\nb\n")];
    let stage = Stage::set("", messages);
    let mut client = stage.session();
    client.ask("STAT", "+OK 2 1000");
    for (number, told) in [(1, 1), (2, 999)] {
        client.ask(&format!("LIST {number}"), &format!("+OK {number} {told}"));
        client.ask(&format!("RETR {number}"), &format!("+OK {told} octets"));
        assert_eq!(client.message().len(), 17);
        let (told, number) = (format!("listed={told} sent=17"), format!("{number}."));
        stage.service.wait_for_log(&["WARN", "octets listed differ from octets sent", &told, &number]);
    }
    client.ask("STAT", "+OK 2 1000");
    client.ask("QUIT", "+OK");
    stage.session().ask("STAT", "+OK 2 34");
    // Another node, or this one after a restart, reads it in the index.
    let other = stage.site.serve(&stage.plan);
    let mut client = crate::support::conversation::Conversation::plain(other.pop3());
    client.expect("+OK");
    client.login("ajones", crate::support::stage::PASSWORD);
    client.ask("STAT", "+OK 2 34");
}

#[test]
fn what_is_no_message_is_left_out_and_told_once() {
    let stage = Stage::set("", THREE);
    fs::create_dir(stage.maildir().join("cur/0.folder")).unwrap();
    std::os::unix::fs::symlink("1.a", stage.maildir().join("new/0.link")).unwrap();
    for number in 3..6 {
        stage.session().ask("STAT", &format!("+OK {number} "));
        maildir::deliver(&stage.maildir(), &format!("new/{number}.more"), b"x\n");
    }
    let told = stage.service.wait_for_logs(&["WARN", "ignored: not a regular file", "new/0.link"], 1);
    assert_eq!(told.len(), 1);
}

/// So many messages that an IMAP client takes a while to mark them all.
const MANY: usize = 5000;

/// Marks every message as read, as flagged and as unread again, until it is told to stop.
fn flag_until(stop: &AtomicBool, cur: &Path) {
    let name = |number: usize, flags: &str| cur.join(format!("{number}.mx,W=17:2,{flags}"));
    for (from, to) in [("", "S"), ("S", "FS"), ("FS", "F"), ("F", "")].iter().cycle() {
        for number in 0..MANY {
            fs::rename(name(number, from), name(number, to)).unwrap();
        }
        if stop.load(Ordering::Relaxed) {
            return;
        }
    }
}

/// Logs in again and again while another program marks everything as read; the stage shows `maildir`.
fn the_count_never_falls(stage: &Stage, maildir: &Path, logins: usize) {
    maildir::make(maildir, &[]);
    let cur = maildir.join("cur");
    for number in 0..MANY {
        fs::write(cur.join(format!("{number}.mx,W=17:2,")), "Subject: a\n\na\n").unwrap();
    }
    let stop = AtomicBool::new(false);
    let outcome = std::thread::scope(|scope| {
        scope.spawn(|| flag_until(&stop, &cur));
        let visits = scope.spawn(|| {
            for _ in 0..logins {
                let mut client = stage.session();
                client.ask("STAT", &format!("+OK {MANY} {}", MANY * 17));
                client.ask("QUIT", "+OK");
                client.ended();
            }
        });
        let outcome = visits.join();
        stop.store(true, Ordering::Relaxed);
        outcome
    });
    assert!(outcome.is_ok(), "the count fell");
}

/// An incomplete list makes clients forget unique-ids, and download again.
#[test]
fn the_count_never_falls_while_others_mark_everything_as_read() {
    let stage = Stage::set("", &[]);
    the_count_never_falls(&stage, &stage.maildir(), 200);
}

/// What changes within one tick of the file system's clock leaves no trace in its time stamps.
#[test]
fn the_count_never_falls_where_time_stamps_are_coarse() {
    let stage = Stage::set("", &[]);
    let _disk = Mount::with_whole_seconds(&stage.site.root().join("ajones"), stage.site.folder());
    the_count_never_falls(&stage, &stage.maildir(), 1000);
}

#[test]
fn the_count_never_falls_on_a_file_system_of_another_machine() {
    let stage = Stage::set("", &[]);
    let behind = stage.site.folder().join("behind");
    fs::create_dir_all(&behind).unwrap();
    fs::remove_dir_all(stage.maildir()).unwrap();
    let _shown = Shown::new(&behind, &stage.site.root().join("ajones"));
    the_count_never_falls(&stage, &behind.join("Maildir"), 20);
}

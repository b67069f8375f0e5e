//! Other programs work on the Maildir while a session goes on.

use std::fs;

use super::NOT_NOW;
use super::support::maildir;
use super::support::stage::Stage;

const THREE: &[(&str, &[u8])] =
    &[("new/1.a", b"Subject: a\n\na\n"), ("cur/2.b:2,S", b"Subject: b\n\nb\n"), ("new/3.c", b"Subject: c\n\nc\n")];

fn body(stage_client: &mut super::support::conversation::Conversation, number: usize) -> String {
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

/// "octets" of LIST, of the reply to RETR, and of what RETR sends, counted by the client.
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
        client.login("ajones", super::support::stage::PASSWORD);
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

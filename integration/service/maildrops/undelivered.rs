//! Clients that ask for everything at once and take nothing: what they did not get is not deleted.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};
use socket2::{Domain, Socket, Type};

use super::long;
use crate::support::maildir;
use crate::support::stage::{NAME, PASSWORD, Stage};

/// A connection whose client takes a few thousand octets at most until it reads.
fn narrow(server: SocketAddr) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(2048).unwrap();
    socket.connect(&server.into()).unwrap();
    socket.into()
}

fn all_at_once() -> String {
    format!("USER ajones\r\nPASS {PASSWORD}\r\nRETR 1\r\nDELE 1\r\nQUIT\r\n")
}

#[test]
fn a_message_too_big_for_any_buffer_is_not_deleted() {
    let stage = Stage::set("limits: { slow_reader: 1s }\n", &[("cur/1.big", &long(250_000))]);
    let mut client = narrow(stage.service.pop3());
    client.write_all(all_at_once().as_bytes()).unwrap();
    let end = stage.service.wait_for_log(&["connection ended"]);
    assert!(end.contains("person=\"ajones\"") && end.contains("retr=0") && end.contains("dele=0"), "{end}");
    assert!(end.contains("client too slow to take its reply"), "{end}");
    assert_eq!(maildir::names(&stage.maildir()), ["cur/1.big"]);
}

/// The kernel takes the message off our hands, but the client never gets it: what counts is that it was acknowledged.
#[test]
fn a_message_in_the_kernels_buffer_is_not_deleted() {
    let stage = Stage::set("", &[("cur/1.small", &long(1000))]);
    let mut client = narrow(stage.service.pop3());
    client.write_all(all_at_once().as_bytes()).unwrap();
    stage.service.wait_for_log(&[
        "WARN",
        "nothing deleted",
        "reason=\"the client does not acknowledge what it was sent\"",
    ]);
    let end = stage.service.wait_for_log(&["connection ended", "dele=0"]);
    assert!(end.contains("not every deletion succeeded"), "{end}");
    assert_eq!(maildir::names(&stage.maildir()), ["cur/1.small"]);
    let mut heard = String::new();
    client.read_to_string(&mut heard).unwrap();
    assert!(heard.ends_with("-ERR some deleted messages not removed\r\n"), "{heard}");
}

#[test]
fn nor_is_it_under_tls() {
    let stage = Stage::set("", &[("cur/1.small", &long(1000))]);
    let name = ServerName::try_from(NAME).unwrap();
    let session = ClientConnection::new(Arc::clone(&stage.tls), name).unwrap();
    let mut client = StreamOwned::new(session, narrow(stage.service.pop3s()));
    client.write_all(all_at_once().as_bytes()).unwrap();
    client.flush().unwrap();
    stage.service.wait_for_log(&[
        "WARN",
        "nothing deleted",
        "reason=\"the client does not acknowledge what it was sent\"",
    ]);
    stage.service.wait_for_log(&["connection ended", "dele=0"]);
    assert_eq!(maildir::names(&stage.maildir()), ["cur/1.small"]);
}

/// The same pipeline from a client that does read is carried out.
#[test]
fn who_takes_what_was_sent_has_it_deleted() {
    let stage = Stage::set("", &[("cur/1.small", &long(1000))]);
    let mut client = narrow(stage.service.pop3());
    client.write_all(all_at_once().as_bytes()).unwrap();
    let mut heard = String::new();
    client.read_to_string(&mut heard).unwrap();
    assert!(heard.ends_with(".\r\n+OK message 1 will be removed at QUIT\r\n+OK bye\r\n"), "{heard}");
    assert_eq!(maildir::names(&stage.maildir()), [] as [&str; 0]);
}

/// Nor does what the client did not take count as seen.
#[test]
fn what_was_not_taken_is_not_marked_as_seen() {
    let stage =
        Stage::set_by(&[("new/1.small", &long(1000))], |plan, _| plan.mailboxes.push_str("  mark_seen: retrieved\n"));
    let mut client = narrow(stage.service.pop3());
    client.write_all(all_at_once().replace("DELE 1\r\n", "").as_bytes()).unwrap();
    stage.service.wait_for_log(&[
        "retrieved messages not recorded",
        "reason=\"the client does not acknowledge what it was sent\"",
    ]);
    stage.service.wait_for_log(&["connection ended", "reason=\"quit\""]);
    assert_eq!(maildir::names(&stage.maildir()), ["new/1.small"]);
}

/// Octets up to the end of a message that was asked for by `RETR`, read one by one so that nothing behind them is taken.
fn read_through_message(client: &mut impl Read) {
    let (mut heard, mut octet) = (Vec::new(), [0]);
    while !heard.ends_with(b"\r\n.\r\n") {
        client.read_exact(&mut octet).unwrap();
        heard.extend_from_slice(&octet);
    }
}

/// What a client writes at its end, many deletions and QUIT in one write.
fn deletions(count: usize) -> String {
    (1..=count).map(|number| format!("DELE {number}\r\n")).chain(["QUIT\r\n".to_owned()]).collect()
}

fn login_and_retrieve() -> String {
    format!("USER ajones\r\nPASS {PASSWORD}\r\nRETR 1\r\n")
}

/// "When the client issues the QUIT command from the TRANSACTION state, the POP3 session enters the UPDATE state."
/// (RFC 1939 §6) The client has its message; that it does not wait for the replies changes nothing.
#[test]
fn deletions_and_quit_of_a_client_that_closes_without_reading_are_carried_out() {
    let stage = Stage::set("", &[("cur/1.small", &long(1000))]);
    let mut client = TcpStream::connect(stage.service.pop3()).unwrap();
    retrieve_and_delete_all(&mut client, 1);
    drop(client);
    stage.service.wait_for_log(&["connection ended", "dele=1", "reason=\"quit\""]);
    assert_eq!(maildir::names(&stage.maildir()), [] as [&str; 0]);
}

#[test]
fn so_they_are_under_tls() {
    let stage = Stage::set("", &[("cur/1.small", &long(1000))]);
    let session = ClientConnection::new(Arc::clone(&stage.tls), ServerName::try_from(NAME).unwrap()).unwrap();
    let mut client = StreamOwned::new(session, TcpStream::connect(stage.service.pop3s()).unwrap());
    retrieve_and_delete_all(&mut client, 1);
    drop(client);
    stage.service.wait_for_log(&["connection ended", "dele=1", "reason=\"quit\""]);
    assert_eq!(maildir::names(&stage.maildir()), [] as [&str; 0]);
}

/// A maildrop with so many small messages.
fn stage_of(messages: usize) -> Stage {
    let names: Vec<String> = (1..=messages).map(|number| format!("cur/{number:04}.m")).collect();
    let messages: Vec<(&str, &[u8])> = names.iter().map(|name| (&**name, b"Subject: x\n\nx\n" as &[u8])).collect();
    Stage::set("", &messages)
}

/// Retrieves the first message, and deletes all of them with QUIT in one write.
fn retrieve_and_delete_all(client: &mut (impl Read + Write), messages: usize) {
    client.write_all(login_and_retrieve().as_bytes()).unwrap();
    read_through_message(client);
    client.write_all(deletions(messages).as_bytes()).unwrap();
    client.flush().unwrap();
}

/// Their replies are more than is gathered before anything is sent.
#[test]
fn so_are_thousands_of_them() {
    const MESSAGES: usize = 4000;
    let stage = stage_of(MESSAGES);
    let mut client = TcpStream::connect(stage.service.pop3()).unwrap();
    retrieve_and_delete_all(&mut client, MESSAGES);
    drop(client);
    stage.service.wait_for_log(&["connection ended", "dele=4000", "reason=\"quit\""]);
    assert_eq!(maildir::names(&stage.maildir()), [] as [&str; 0]);
}

/// A client that goes on sending after it stopped reading: its kernel breaks the connection before QUIT is read.
#[test]
fn so_are_those_behind_a_reply_that_nobody_reads() {
    let stage = Stage::set("", &[("cur/1.a", &long(10)), ("cur/2.b", &long(10))]);
    let mut client = TcpStream::connect(stage.service.pop3()).unwrap();
    client.write_all(login_and_retrieve().replace("RETR", "TOP 1").replace("TOP 1 1", "NOOP").as_bytes()).unwrap();
    client.write_all(b"DELE 1\r\n").unwrap();
    let mut heard = Vec::new();
    while !heard.ends_with(b"removed at QUIT\r\n") {
        let mut octets = [0; 4096];
        let count = client.peek(&mut octets).unwrap();
        heard = octets[..count].to_vec();
    }
    client.write_all(b"DELE 2\r\nQUIT\r\n").unwrap();
    drop(client);
    stage.service.wait_for_log(&["connection ended", "dele=2", "reason=\"quit\""]);
    assert_eq!(maildir::names(&stage.maildir()), [] as [&str; 0]);
}

/// The message has arrived; the replies behind it have no room.
#[test]
fn replies_that_do_not_arrive_undo_no_deletion() {
    const MESSAGES: usize = 900;
    let stage = stage_of(MESSAGES);
    let mut client = narrow(stage.service.pop3());
    client.write_all((login_and_retrieve() + &deletions(MESSAGES)).as_bytes()).unwrap();
    read_through_message(&mut client);
    stage.service.wait_for_log(&["connection ended", "dele=900", "reason=\"quit\""]);
    assert_eq!(maildir::names(&stage.maildir()), [] as [&str; 0]);
}

/// A slow line: what is under way takes longer than a client may take nothing, but it arrives.
#[test]
fn a_client_that_takes_its_time_gets_its_deletions() {
    let stage = Stage::set("", &[("cur/1.long", &long(1500))]);
    let mut client = narrow(stage.service.pop3());
    client.write_all(all_at_once().as_bytes()).unwrap();
    let began = Instant::now();
    let mut octets = [0; 512];
    while began.elapsed() < Duration::from_secs(8) {
        let count = client.read(&mut octets).unwrap();
        assert!(count > 0, "the server closed after {:?}", began.elapsed());
        // This is the line's pace, not a condition that is waited for.
        std::thread::sleep(Duration::from_millis(60));
    }
    let mut rest = String::new();
    client.read_to_string(&mut rest).unwrap();
    assert!(rest.ends_with("+OK bye\r\n"), "{rest}");
    assert_eq!(maildir::names(&stage.maildir()), [] as [&str; 0]);
}

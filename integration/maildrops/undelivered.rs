//! Clients that ask for everything at once and take nothing: what they did not get is not deleted.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};
use socket2::{Domain, Socket, Type};

use super::long;
use super::support::maildir;
use super::support::stage::{NAME, PASSWORD, Stage};

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
    stage.service.wait_for_log(&["WARN", "nothing deleted: the client does not acknowledge what it was sent"]);
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
    stage.service.wait_for_log(&["WARN", "nothing deleted: the client does not acknowledge what it was sent"]);
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
    stage.service.wait_for_log(&["nothing counts as retrieved: the client does not acknowledge what it was sent"]);
    stage.service.wait_for_log(&["connection ended", "reason=\"quit\""]);
    assert_eq!(maildir::names(&stage.maildir()), ["new/1.small"]);
}

//! What came in clear does not count under TLS (CVE-2011-0411), and the other way round.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::support::conversation::Conversation;
use crate::support::maildir;
use crate::support::stage::{NAME, PASSWORD, Stage};

/// Somebody in the middle puts commands behind the client's STLS. The client would take their answers for its own.
#[test]
fn commands_put_behind_stls_are_never_executed() {
    let stage = Stage::set("", &[("new/1.a", b"Subject: a\n\na\n")]);
    let injected = format!("USER ajones\r\nPASS {PASSWORD}\r\nDELE 1\r\nQUIT\r\n");
    for behind in [&*injected, "USER injected\r\nPASS x\r\n", "USER ajones\r\n", "CAPA", "NOOP\r\nUSER inj"] {
        let mut client = stage.client();
        client.send_octets(format!("STLS\r\n{behind}").as_bytes());
        client.expect("+OK begin TLS");
        client.begin_tls(NAME, &stage.tls);
        // The first answer under TLS is that to the first command under TLS.
        client.ask("NOOP", "-ERR log in first");
        // A name from before is forgotten as well.
        client.ask(&format!("PASS {PASSWORD}"), "-ERR send USER first");
        client.login("ajones", PASSWORD);
        client.ask("STAT", "+OK 1 17");
        client.ask("QUIT", "+OK");
        client.ended();
    }
    assert!(!stage.service.log().join("\n").contains("injected"));
    assert_eq!(maildir::names(&stage.maildir()), ["new/1.a"]);
}

/// What comes in clear where the handshake should begin is no command either: nothing is answered, the connection ends.
#[test]
fn commands_in_place_of_the_handshake_end_the_connection() {
    let stage = Stage::set("", &[]);
    let mut client = stage.client();
    client.ask("STLS", "+OK");
    client.send("USER ajones");
    client.send(&format!("PASS {PASSWORD}"));
    let told = stage.service.wait_for_log(&["connection ended", "TLS handshake failed"]);
    assert!(told.contains("the client does not speak TLS") && !told.contains("person="), "{told}");
    assert!(!stage.service.log().iter().any(|line| line.contains("login")), "{}", client.dialogue());
}

#[test]
fn stls_twice_is_refused_and_the_session_goes_on() {
    let stage = Stage::set("", &[]);
    let mut client = stage.client();
    client.stls(NAME, &stage.tls);
    client.ask("STLS", "-ERR STLS is not available");
    client.login("ajones", PASSWORD);
    client.ask("STLS", "-ERR already logged in");
    client.ask("QUIT", "+OK");
}

#[test]
fn under_implicit_tls_there_is_no_stls() {
    let stage = Stage::set("", &[]);
    let mut client = Conversation::tls(stage.service.pop3s(), NAME, &stage.tls);
    client.expect("+OK");
    client.ask("STLS", "-ERR STLS is not available");
    client.login("ajones", PASSWORD);
}

/// The port with TLS says nothing in clear, not even a greeting.
#[test]
fn nothing_is_said_in_clear_on_the_port_with_tls() {
    let stage = Stage::set("", &[]);
    let mut socket = TcpStream::connect(stage.service.pop3s()).unwrap();
    socket.write_all(b"CAPA\r\n").unwrap();
    let mut heard = Vec::new();
    let _cut = socket.read_to_end(&mut heard);
    // A TLS alert is all: kind 21, a version, two octets.
    assert!(heard.is_empty() || heard[0] == 21, "{}", heard.escape_ascii());
    stage.service.wait_for_log(&["connection ended", "TLS handshake failed: the client does not speak TLS"]);
}

//! Handshakes that fail, and what the log says of them: an administrator must be able to act on it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::support::process::{output, program};
use crate::support::stage::{PASSWORD, Stage};

const TOO_OLD: &str = "the client speaks only TLS 1.1 or older, which is no longer safe";

/// A `ClientHello` as clients sent it before TLS 1.2: no extensions at all.
fn old_hello(minor: u8) -> Vec<u8> {
    let mut hello = vec![3, minor];
    hello.extend([7; 32]); // random
    hello.push(0); // no session
    hello.extend([0, 4, 0xc0, 0x13, 0x00, 0x2f]); // two cipher suites with CBC and SHA-1
    hello.extend([1, 0]); // no compression
    let length = u8::try_from(hello.len()).unwrap();
    let mut record = vec![22, 3, 1, 0, length + 4, 1, 0, 0, length];
    record.extend(hello);
    record
}

#[test]
fn clients_of_tls_1_0_and_1_1_are_refused_in_words() {
    let stage = Stage::set("", &[]);
    for (number, minor) in [(1, 1), (2, 2)] {
        let mut socket = TcpStream::connect(stage.service.pop3s()).unwrap();
        socket.write_all(&old_hello(minor)).unwrap();
        let mut heard = Vec::new();
        let _cut = socket.read_to_end(&mut heard);
        assert_eq!(heard.first(), Some(&21), "an alert, not {}", heard.escape_ascii());
        stage.service.wait_for_logs(&["connection ended", TOO_OLD], number);
    }
}

/// A program that speaks old TLS says the same as the octets above: this client sends extensions.
#[test]
fn openssl_with_old_tls_is_refused_in_words() {
    let stage = Stage::set("", &[]);
    for (port, starttls) in [(stage.service.pop3s(), &[][..]), (stage.service.pop3(), &["-starttls", "pop3"])] {
        let mut command = program("openssl");
        command.args(["s_client", "-tls1_1", "-cipher", "ALL:@SECLEVEL=0", "-connect", &port.to_string()]);
        let ended = output(command.args(starttls), "");
        assert!(!ended.status.success());
        stage.service.wait_for_log(&["connection ended", &format!("listener=\"{port}\""), TOO_OLD]);
    }
}

#[test]
fn a_handshake_has_its_time() {
    let stage = Stage::set("limits: { tls_handshake: 1s }\n", &[]);
    let began = Instant::now();
    let mut silent = TcpStream::connect(stage.service.pop3s()).unwrap();
    assert_eq!(silent.read(&mut [0; 1]).unwrap(), 0);
    assert!(began.elapsed() >= Duration::from_secs(1));
    let mut silent = stage.client();
    silent.ask("STLS", "+OK");
    silent.ended();
    stage.service.wait_for_logs(&["connection ended", "TLS handshake failed: not done within 1s"], 2);
}

#[test]
fn a_client_that_leaves_in_the_handshake_is_distinguished_from_a_slow_one() {
    let stage = Stage::set("", &[]);
    drop(TcpStream::connect(stage.service.pop3s()).unwrap());
    stage.service.wait_for_log(&["connection ended", "TLS handshake failed: the client closed the connection"]);
}

/// Passwords are taken in clear from this machine, unless the port refuses them; the dialogues have the refusal.
#[test]
fn a_client_on_this_machine_may_log_in_in_clear() {
    let stage = Stage::set_by(&[], |plan, _| {
        plan.listeners = "  - { address: \"127.0.0.1:0\", tls: starttls, login_without_tls: loopback }\n".to_owned();
    });
    let mut client = stage.client();
    client.login("ajones", PASSWORD);
    client.ask("QUIT", "+OK");
    stage.service.wait_for_log(&["connection ended", "person=\"ajones\"", "tls=\"none\""]);
}

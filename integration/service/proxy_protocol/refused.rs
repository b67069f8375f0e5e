//! Connections that are refused, each without a greeting and counted in the log; and probes, which are not logged.

use std::net::TcpStream;
use std::time::Duration;

use socket2::SockRef;

use super::{behind, binary, from_ipv4, stage, terminated, text};
use crate::support::conversation::Conversation;
use crate::support::stage::{PASSWORD, Stage};
use crate::support::wait_until;

/// Waits until the log's sums tell of exactly so many connections that were turned away for a reason.
fn wait_for_turned_away(stage: &Stage, reason: &str, connections: usize) {
    let mut sum = 0;
    wait_until(&format!("{connections} connections are logged as {reason:?}"), || {
        let log = stage.service.log();
        let lines = log.iter().filter(|line| line.contains("WARN connections turned away") && line.contains(reason));
        sum = lines.map(|line| line.rsplit_once("connections=").unwrap().1.parse::<usize>().unwrap()).sum();
        sum >= connections
    });
    assert_eq!(sum, connections, "{reason}");
}

#[test]
fn a_missing_or_malformed_header_gets_no_greeting_and_is_counted() {
    let malformed = [
        b"PASS secret\r\n".to_vec(),
        b"PROXY\r\n".to_vec(),
        b"PROXY TCP4 192.0.2.7 198.51.100.1 40000 110\n".to_vec(),
        b"PROXY TCP4 192.0.2.7 198.51.100.1 +5 110\r\n".to_vec(),
        b"PROXY TCP4 192.0.2.7 198.51.100.1 05 110\r\n".to_vec(),
        b"PROXY TCP4 192.0.2.7 198.51.100.1 65536 110\r\n".to_vec(),
        b"PROXY TCP4 192.0.2.07 198.51.100.1 1 110\r\n".to_vec(),
        b"PROXY  TCP4 192.0.2.7 198.51.100.1 1 110\r\n".to_vec(),
        b"PROXY TCP4 \xff\xff 198.51.100.1 1 110\r\n".to_vec(),
        b"PROXY UDP4 192.0.2.7 198.51.100.1 1 110\r\n".to_vec(),
        binary([0x31, 0x11], &[0; 12]),
        binary([0x22, 0x11], &[0; 12]),
        binary([0x21, 0x41], &[0; 12]),
        binary([0x21, 0x11], &[0; 11]),
        from_ipv4(&[4, 0, 2, 0]),
        from_ipv4(&[0x20, 0, 1, 1]),
    ];
    let missing = [
        b"CAPA\r\n".to_vec(),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
        b"\0".to_vec(),
        b"\r\n\r\n\0\r\nQUIT \x21\x11\0\x0c".to_vec(),
    ];
    let long = [[b"PROXY UNKNOWN ", &[b'x'; 200][..]].concat(), binary([0x21, 0x11], &vec![0; 20_000])];
    let datagrams = [binary([0x21, 0x12], &[0; 12]), binary([0x21, 0x22], &[0; 36])];
    let damaged = [from_ipv4(&[3, 0, 4, 0, 0, 0, 0]), from_ipv4(&[3, 0, 4, 0, 0, 0, 1])];
    let cut = [&text("192.0.2.7")[..20], &from_ipv4(&terminated("TLSv1.3"))[..10], &from_ipv4(&[0; 100])[..40]];
    for listener in ["tls: starttls, login_without_tls: allow", "tls: implicit"] {
        let stage = stage(listener, "");
        let port = stage.service.listeners[0].0;
        for header in [&malformed[..], &missing, &long, &datagrams, &damaged].concat() {
            behind(port, &header).ended();
        }
        for header in cut {
            drop(behind(port, header));
        }
        wait_for_turned_away(&stage, "malformed PROXY header", malformed.len());
        wait_for_turned_away(&stage, "no PROXY header: is the proxy set to send one?", missing.len());
        wait_for_turned_away(&stage, "PROXY header too long", long.len());
        wait_for_turned_away(&stage, "PROXY header with a wrong checksum", damaged.len());
        wait_for_turned_away(&stage, "PROXY header of a datagram", datagrams.len());
        wait_for_turned_away(&stage, "connection closed within the PROXY header", cut.len());
    }
}

#[test]
fn a_connection_from_elsewhere_gets_no_greeting_whatever_it_sends() {
    let stage = Stage::set_by(&[], |plan, _| {
        plan.listeners = "  - { address: \"127.0.0.1:0\", tls: starttls, login_without_tls: allow, \
                          proxy_protocol: { from: [192.0.2.0/28, 127.0.0.2] } }\n"
            .to_owned();
    });
    let port = stage.service.pop3();
    behind(port, &text("127.0.0.2")).ended();
    Conversation::plain(port).ended();
    wait_for_turned_away(&stage, "not from a network in proxy_protocol.from", 2);
    let mut client = Conversation::plain_from("127.0.0.2".parse().unwrap(), port);
    client.send_octets(&text("198.51.100.7"));
    client.expect("+OK");
}

#[test]
fn a_header_has_five_seconds() {
    let stage = stage("tls: starttls", "");
    let mut silent = [Conversation::plain(stage.service.pop3()), behind(stage.service.pop3(), b"PROXY TCP4 ")];
    let mut healthy = behind(stage.service.pop3(), &text("192.0.2.7"));
    healthy.expect("+OK");
    silent.iter_mut().for_each(Conversation::ended);
    wait_for_turned_away(&stage, "no complete PROXY header within 5 s", 2);
    healthy.ask("CAPA", "+OK");
}

/// However many connections wait for their headers, others are served, and the end of the service waits for none.
#[test]
fn connections_without_a_header_hold_up_nobody() {
    let stage = stage("tls: starttls, login_without_tls: allow", "limits: { connections_per_address: 2 }\n");
    let _waiting: Vec<Conversation> = (0..50).map(|_| Conversation::plain(stage.service.pop3())).collect();
    let mut client = behind(stage.service.pop3(), &text("192.0.2.7"));
    client.expect("+OK");
    client.login("ajones", PASSWORD);
    client.ask("QUIT", "+OK");
    let began = std::time::Instant::now();
    let (status, _) = stage.service.terminate();
    assert!(status.success() && began.elapsed() < Duration::from_secs(4), "{status} after {:?}", began.elapsed());
}

/// The ways in which load balancers look whether a service answers.
#[test]
fn probes_of_the_proxy_are_not_logged() {
    for listener in ["tls: starttls", "tls: implicit"] {
        let stage = stage(listener, "");
        let port = stage.service.listeners[0].0;
        for _ in 0..30 {
            drop(TcpStream::connect(port).unwrap());
            let reset = TcpStream::connect(port).unwrap();
            SockRef::from(&reset).set_linger(Some(Duration::ZERO)).unwrap();
            drop(reset);
            for header in [binary([0x20, 0], &[]), b"PROXY UNKNOWN\r\n".to_vec()] {
                let mut probe = behind(port, &header);
                if listener == "tls: starttls" {
                    probe.expect("+OK");
                    probe.ask("QUIT", "+OK");
                }
            }
        }
        let mut client = behind(port, &text("192.0.2.7"));
        if listener == "tls: starttls" {
            client.expect("+OK");
        } else {
            client.send_octets(b"no TLS\r\n");
        }
        drop(client);
        stage.service.wait_for_log(&["connection ended", "peer=192.0.2.7:40000"]);
        let (_, log) = stage.service.terminate();
        let noise: Vec<&String> =
            log.iter().filter(|line| line.contains("127.0.0.1 ") || line.contains("peer=127.")).collect();
        assert!(noise.is_empty(), "{noise:#?}");
    }
}

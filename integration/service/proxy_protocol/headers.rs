//! Headers as they should be: whose address counts, and for what.

use super::{behind, binary, from_ipv4, stage, terminated, text};
use crate::support::conversation::{Conversation, trusting};
use crate::support::stage::{NAME, PASSWORD};

#[test]
fn the_log_has_the_address_of_the_client() {
    let stage = stage("tls: starttls, login_without_tls: allow", "");
    for (header, peer) in [
        (text("192.0.2.7"), "192.0.2.7:40000"),
        (text("2001:db8::7"), "[2001:db8::7]:40000"),
        (text("::ffff:192.0.2.8"), "192.0.2.8:40000"),
        (from_ipv4(&[]), "192.0.2.7:40000"),
    ] {
        let mut client = behind(stage.service.pop3(), &header);
        client.expect("+OK");
        client.login("ajones", PASSWORD);
        client.ask("QUIT", "+OK");
        let peer = format!("peer={peer} ");
        stage.service.wait_for_log(&["INFO login ", "person=\"ajones\"", &peer]);
        stage.service.wait_for_log(&["connection ended", "person=\"ajones\"", &peer]);
    }
}

/// What follows a header in the same segment is the client's, whatever the pieces in which the header arrives.
#[test]
fn a_header_may_arrive_octet_by_octet_and_commands_right_behind_it() {
    let stage = stage("tls: starttls, login_without_tls: allow", "");
    let commands = format!("USER ajones\r\nPASS {PASSWORD}\r\nSTAT\r\nQUIT\r\n").into_bytes();
    let unknown = b"PROXY UNKNOWN\r\n".to_vec();
    for header in [text("192.0.2.7"), unknown, from_ipv4(&terminated("TLSv1.3")), binary([0x20, 0], &[])] {
        let (begin, last) = header.split_at(header.len() - 1);
        let mut client = Conversation::plain(stage.service.pop3());
        for octet in begin {
            client.send_octets(&[*octet]);
        }
        client.send_octets(&[last, &commands].concat());
        client.expect("+OK");
        client.expect("+OK");
        client.expect("+OK");
        client.expect("+OK 1 ");
        client.expect("+OK");
        client.ended();
    }
}

#[test]
fn the_header_comes_before_tls() {
    let stage = stage("tls: implicit", "");
    let tls = trusting(&stage.site.authority());
    for header in [text("192.0.2.7"), from_ipv4(&[])] {
        let mut client = behind(stage.service.pop3s(), &header);
        client.begin_tls(NAME, &tls);
        client.expect("+OK");
        client.login("ajones", PASSWORD);
    }
    stage.service.wait_for_logs(&["INFO login ", "peer=192.0.2.7:40000 ", "tls=\"TLS 1.3\""], 2);
}

#[test]
fn connections_are_limited_by_the_address_of_the_client() {
    let stage = stage("tls: starttls", "limits: { connections_per_address: 1 }\n");
    let port = stage.service.pop3();
    let mut clients: Vec<Conversation> =
        ["192.0.2.7", "192.0.2.8", "2001:db8:0:1::7", "2001:db8:0:2::7"].map(|it| behind(port, &text(it))).into();
    for client in &mut clients {
        client.expect("+OK");
    }
    for source in ["192.0.2.7", "2001:db8:0:1::8"] {
        let mut client = behind(port, &text(source));
        client.expect("-ERR [SYS/TEMP] too many connections");
        client.ended();
    }
    stage.service.wait_for_log(&["connections turned away", "network=192.0.2.7 ", "limits.connections_per_address"]);
    stage.service.wait_for_log(&["connections turned away", "network=2001:db8:0:1::/64 "]);
}

#[test]
fn guesses_are_counted_for_the_network_of_the_client() {
    let stage = stage_with_lock_out();
    let guess = |source: &str, password: &str| {
        let mut client = behind(stage.service.pop3(), &text(source));
        client.expect("+OK");
        client.ask("USER ajones", "+OK");
        client.send(&format!("PASS {password}"));
        client.line()
    };
    for password in ["one", "two", "three"] {
        assert!(guess("192.0.2.7", password).starts_with("-ERR [AUTH]"));
    }
    stage.service.wait_for_log(&["WARN", "lock-out begins", "network=192.0.2.7 "]);
    assert!(guess("192.0.2.7", PASSWORD).starts_with("-ERR [AUTH]"));
    assert!(guess("192.0.2.8", PASSWORD).starts_with("+OK"));
}

fn stage_with_lock_out() -> crate::support::stage::Stage {
    crate::support::stage::Stage::set_by(&[], |plan, _| {
        plan.listeners = "  - { address: \"127.0.0.1:0\", tls: starttls, login_without_tls: allow, \
                          proxy_protocol: { from: [127.0.0.1] } }\n"
            .to_owned();
        plan.lockout = "person: 0, network: 3".to_owned();
    })
}

#[test]
fn networks_are_those_of_the_client() {
    let stage = stage("tls: starttls, login_without_tls: allow, accept_from: [192.0.2.0/24]", "");
    for (source, reply) in [("192.0.2.7", "+OK"), ("198.51.100.7", "-ERR [AUTH]")] {
        let mut client = behind(stage.service.pop3(), &text(source));
        client.expect("+OK");
        client.ask("USER ajones", "+OK");
        client.ask(&format!("PASS {PASSWORD}"), reply);
    }
}

/// `login_without_tls: loopback` is about clients on this machine, not about proxies on it.
#[test]
fn a_remote_client_of_a_proxy_on_this_machine_sends_no_password_in_clear() {
    let stage = stage("tls: starttls", "");
    for (header, reply) in [
        (text("192.0.2.7"), "-ERR"),
        (from_ipv4(&terminated("TLSv1.3")), "-ERR"),
        (text("127.0.0.1"), "+OK"),
        (binary([0x20, 0], &[]), "+OK"),
    ] {
        let mut client = behind(stage.service.pop3(), &header);
        client.expect("+OK");
        client.ask("USER ajones", reply);
        client.ask("STLS", "+OK");
    }
}

#[test]
fn tls_at_the_proxy_protects_passwords_where_it_is_believed() {
    let stage = crate::support::stage::Stage::set_by(&[], |plan, _| {
        plan.listeners = "  - { address: \"127.0.0.1:0\", tls: starttls, login_without_tls: refuse, \
                          proxy_protocol: { from: [127.0.0.1], tls: believed } }\n"
            .to_owned();
    });
    for (version, shown) in [("TLSv1.3", "TLS 1.3 at the proxy"), ("TLSv1.2", "TLS 1.2 at the proxy")] {
        let mut client = behind(stage.service.pop3(), &from_ipv4(&terminated(version)));
        client.expect("+OK");
        client.ask("CAPA", "+OK");
        let offered = String::from_utf8(client.multiline()).unwrap();
        assert!(offered.contains("USER\r\n") && !offered.contains("STLS"), "{offered}");
        // The certificate that the proxy saw is not believed.
        assert!(!offered.contains("EXTERNAL"), "{offered}");
        client.ask("STLS", "-ERR");
        client.login("ajones", PASSWORD);
        stage.service.wait_for_log(&["INFO login ", "peer=192.0.2.7:40000 ", &format!("tls=\"{shown}\"")]);
    }
    for header in [from_ipv4(&[]), from_ipv4(&terminated("TLSv1.1")), text("192.0.2.7")] {
        let mut client = behind(stage.service.pop3(), &header);
        client.expect("+OK");
        client.ask("USER ajones", "-ERR");
        client.ask("STLS", "+OK");
    }
}

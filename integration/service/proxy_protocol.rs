//! The PROXY protocol: what counts of a header, which headers are refused, and `HAProxy` itself in front of the service.

mod forwarded;
mod haproxy;
mod headers;
mod refused;

use std::net::SocketAddr;

use crate::support::conversation::Conversation;
use crate::support::stage::Stage;

/// The sample people behind one listener with these keys, which expects headers from this machine.
fn stage(listener: &str, further: &str) -> Stage {
    Stage::set_by(&[("cur/1.one", b"Subject: one\n\none\n")], |plan, _| {
        plan.listeners =
            format!("  - {{ address: \"127.0.0.1:0\", proxy_protocol: {{ from: [127.0.0.0/8] }}, {listener} }}\n");
        plan.further.push_str(further);
    })
}

/// A client behind a proxy that sends this header.
fn behind(server: SocketAddr, header: &[u8]) -> Conversation {
    let mut client = Conversation::plain(server);
    client.send_octets(header);
    client
}

/// Version 1, for a client with this address.
fn text(source: &str) -> Vec<u8> {
    let (family, destination) = if source.contains(':') { ("TCP6", "2001:db8::1") } else { ("TCP4", "198.51.100.1") };
    format!("PROXY {family} {source} {destination} 40000 110\r\n").into_bytes()
}

/// Version 2 with these octets of version and command, and of family and protocol.
fn binary(kind: [u8; 2], body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap().to_be_bytes();
    [b"\r\n\r\n\0\r\nQUIT\n", &kind[..], &length, body].concat()
}

/// Version 2 for the client 192.0.2.7:40000, with further fields.
fn from_ipv4(fields: &[u8]) -> Vec<u8> {
    binary([0x21, 0x11], &[&[192, 0, 2, 7, 198, 51, 100, 1, 0x9c, 0x40, 0, 110], fields].concat())
}

/// The fields of a proxy that terminated TLS, and saw a certificate of somebody.
fn terminated(version: &str) -> Vec<u8> {
    let field = |kind: u8, value: &str| [&[kind, 0, u8::try_from(value.len()).unwrap()], value.as_bytes()].concat();
    let value = [vec![7, 0, 0, 0, 0], field(0x21, version), field(0x22, "ajones")].concat();
    [vec![0x20, 0, u8::try_from(value.len()).unwrap()], value].concat()
}

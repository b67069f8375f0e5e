//! What a PROXY header says, and which headers are rejected.

use std::net::{IpAddr, SocketAddr};

use ppp::{v1, v2};

use super::checksum;
use super::fault::HeaderFault;
use super::tls_fields::TerminatedTls;
use crate::relay::RELAYED_FIELD;

/// What a PROXY header says about a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::server) struct ProxyHeader {
    /// The client's address, if the connection has a client with an IP address: health checks have none.
    pub(in crate::server) source: Option<SocketAddr>,
    /// The TLS that the proxy terminated; none below TLS 1.2, which is not offered here either.
    pub(in crate::server) tls: Option<TerminatedTls>,
    /// Another Restante passes the session on: it goes no further than here.
    pub(in crate::server) is_relayed: bool,
}

/// The octets of version 2 that say how long the rest is.
pub(super) const FIXED: usize = 16;

/// Reads a whole line of version 1, from `PROXY` to CRLF.
pub(super) fn text(line: &[u8]) -> Result<ProxyHeader, HeaderFault> {
    let header = v1::Header::try_from(line).map_err(|_| HeaderFault::Malformed)?;
    let source = match header.addresses {
        // "… the receiver must ignore anything presented before the CRLF is found" (§2.1).
        v1::Addresses::Unknown => None,
        // The parser takes a port `+5`; the ports are "exactly the ASCII digits" of a number (§2.1).
        _ if line.contains(&b'+') => return Err(HeaderFault::Malformed),
        v1::Addresses::Tcp4(of) => Some(address(of.source_address, of.source_port)),
        v1::Addresses::Tcp6(of) => Some(address(of.source_address, of.source_port)),
    };
    Ok(ProxyHeader { source, tls: None, is_relayed: false })
}

/// How many octets follow the fixed ones of version 2.
pub(super) fn further(fixed: &[u8; FIXED]) -> Result<usize, HeaderFault> {
    match fixed {
        [prefix @ .., _, _, high, low] if prefix == v2::PROTOCOL_PREFIX => {
            Ok(usize::from(u16::from_be_bytes([*high, *low])))
        }
        _ => Err(HeaderFault::Missing),
    }
}

/// Reads a whole header of version 2.
pub(super) fn binary(octets: &[u8]) -> Result<ProxyHeader, HeaderFault> {
    let header = v2::Header::try_from(octets).map_err(|_| HeaderFault::Malformed)?;
    checksum::verify(&header)?;
    // LOCAL: "the receiver must … discard the protocol block including the family which is ignored" (§2.2).
    if header.command == v2::Command::Local {
        return Ok(ProxyHeader { source: None, tls: None, is_relayed: false });
    }
    let source = match (header.protocol, header.addresses) {
        (v2::Protocol::Datagram, _) => return Err(HeaderFault::Datagram),
        (v2::Protocol::Stream, v2::Addresses::IPv4(of)) => Some(address(of.source_address, of.source_port)),
        (v2::Protocol::Stream, v2::Addresses::IPv6(of)) => Some(address(of.source_address, of.source_port)),
        // "… the receiver … should … use the real connection endpoint addresses" (§2.2).
        _ => None,
    };
    let (mut tls, mut is_relayed) = (None, false);
    for field in header.tlvs() {
        let field = field.map_err(|_| HeaderFault::Malformed)?;
        is_relayed |= field.kind == RELAYED_FIELD;
        if field.kind == v2::Type::SSL as u8 {
            tls = TerminatedTls::read(&field.value)?;
        }
    }
    Ok(ProxyHeader { source, tls, is_relayed })
}

/// An IPv4 address mapped into IPv6 is IPv4.
fn address(address: impl Into<IpAddr>, port: u16) -> SocketAddr {
    SocketAddr::new(address.into().to_canonical(), port)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn said(source: &str) -> ProxyHeader {
        ProxyHeader { source: Some(source.parse().unwrap()), tls: None, is_relayed: false }
    }

    /// A header of version 2 with these two octets of version, command, family and protocol.
    fn octets(kind: [u8; 2], body: &[u8]) -> Vec<u8> {
        let length = u16::try_from(body.len()).unwrap().to_be_bytes();
        [v2::PROTOCOL_PREFIX, &kind, &length, body].concat()
    }

    /// From 192.0.2.7:40000, with further fields.
    fn from_ipv4(fields: &[u8]) -> Vec<u8> {
        octets([0x21, 0x11], &[&[192, 0, 2, 7, 198, 51, 100, 1, 0x9c, 0x40, 0, 110], fields].concat())
    }

    #[test]
    fn version_1_gives_the_address_of_the_client() {
        let of = |line: &str| text(line.as_bytes());
        assert_eq!(of("PROXY TCP4 192.0.2.7 198.51.100.1 40000 110\r\n"), Ok(said("192.0.2.7:40000")));
        assert_eq!(of("PROXY TCP6 2001:db8::7 2001:db8::1 40000 110\r\n"), Ok(said("[2001:db8::7]:40000")));
        assert_eq!(of("PROXY TCP6 ::ffff:192.0.2.7 ::1 40000 110\r\n"), Ok(said("192.0.2.7:40000")));
        let of_the_proxy = Ok(ProxyHeader { source: None, tls: None, is_relayed: false });
        assert_eq!(of("PROXY UNKNOWN\r\n"), of_the_proxy);
        assert_eq!(of("PROXY UNKNOWN 2001:db8::7 +whatever\r\n"), of_the_proxy);
    }

    #[test]
    fn malformed_headers_of_version_1_are_rejected() {
        for line in [
            "PROXY\r\n",
            "PROXY \r\n",
            "proxy TCP4 192.0.2.7 198.51.100.1 40000 110\r\n",
            "PASS secret\r\n",
            "PROXY TCP4 192.0.2.7 198.51.100.1 40000 110\n",
            "PROXY TCP4 192.0.2.7 198.51.100.1 40000\r\n",
            "PROXY TCP4 192.0.2.7 198.51.100.1 40000 110 1\r\n",
            "PROXY TCP4  192.0.2.7 198.51.100.1 40000 110\r\n",
            "PROXY TCP4 192.0.2.07 198.51.100.1 40000 110\r\n",
            "PROXY TCP4 192.0.2.256 198.51.100.1 40000 110\r\n",
            "PROXY TCP4 mail.example.org 198.51.100.1 40000 110\r\n",
            "PROXY TCP4 2001:db8::7 2001:db8::1 40000 110\r\n",
            "PROXY TCP6 192.0.2.7 198.51.100.1 40000 110\r\n",
            "PROXY TCP4 192.0.2.7 198.51.100.1 +5 110\r\n",
            "PROXY TCP4 192.0.2.7 198.51.100.1 5 +110\r\n",
            "PROXY TCP4 192.0.2.7 198.51.100.1 05 110\r\n",
            "PROXY TCP4 192.0.2.7 198.51.100.1 -5 110\r\n",
            "PROXY TCP4 192.0.2.7 198.51.100.1 65536 110\r\n",
            "PROXY UDP4 192.0.2.7 198.51.100.1 40000 110\r\n",
            "PROXY TCP4 192.0.2.7 198.51.100.1 40000 110\rX\n",
        ] {
            assert_eq!(text(line.as_bytes()), Err(HeaderFault::Malformed), "{line:?}");
        }
        assert_eq!(text(b"PROXY TCP4 \xff 198.51.100.1 40000 110\r\n"), Err(HeaderFault::Malformed));
    }

    #[test]
    fn version_2_gives_the_address_of_the_client() {
        assert_eq!(binary(&from_ipv4(&[])), Ok(said("192.0.2.7:40000")));
        let ports = [0x9c, 0x40, 0, 110];
        let [seven, one] = ["2001:db8::7", "2001:db8::1"].map(|it| it.parse::<std::net::Ipv6Addr>().unwrap().octets());
        let body = [&seven[..], &one, &ports].concat();
        assert_eq!(binary(&octets([0x21, 0x21], &body)), Ok(said("[2001:db8::7]:40000")));
        assert_eq!(binary(&from_ipv4(&[0x02, 0, 1, b'x', 0x04, 0, 0])), Ok(said("192.0.2.7:40000")));
    }

    #[test]
    fn a_proxy_that_speaks_for_itself_gives_no_address() {
        let of_the_proxy = Ok(ProxyHeader { source: None, tls: None, is_relayed: false });
        for (kind, body) in [
            ([0x20, 0x00], vec![]),
            ([0x20, 0x11], vec![192, 0, 2, 7, 198, 51, 100, 1, 0x9c, 0x40, 0, 110]),
            ([0x20, 0x00], vec![1, 2]),
            ([0x21, 0x00], vec![]),
            ([0x21, 0x31], vec![0; 216]),
        ] {
            assert_eq!(binary(&octets(kind, &body)), of_the_proxy, "{kind:?} {body:?}");
        }
    }

    #[test]
    fn malformed_headers_of_version_2_are_rejected() {
        let address = [192, 0, 2, 7, 198, 51, 100, 1, 0x9c, 0x40, 0, 110];
        for (kind, body) in [
            ([0x31, 0x11], &address[..]),
            ([0x22, 0x11], &address),
            ([0x21, 0x41], &address),
            ([0x21, 0x13], &address),
            ([0x21, 0x11], &address[..11]),
            ([0x21, 0x21], &address),
            ([0x21, 0x31], &address),
        ] {
            assert_eq!(binary(&octets(kind, body)), Err(HeaderFault::Malformed), "{kind:?} {body:?}");
        }
        for fields in [&[4][..], &[4, 0], &[4, 0, 2, 0], &[0x20, 0, 1, 1], &[0x20, 0, 7, 1, 0, 0, 0, 0, 0x21, 0]] {
            assert_eq!(binary(&from_ipv4(fields)), Err(HeaderFault::Malformed), "{fields:?}");
        }
        assert_eq!(binary(&octets([0x21, 0x12], &address)), Err(HeaderFault::Datagram));
    }

    #[test]
    fn a_session_that_another_restante_passes_on_is_known() {
        let header = binary(&from_ipv4(b"\xe0\0\x08restante")).unwrap();
        assert!(header.is_relayed && !binary(&from_ipv4(&[0x04, 0, 0])).unwrap().is_relayed);
    }

    #[test]
    fn the_tls_of_the_proxy_is_read() {
        let header = binary(&from_ipv4(&[0x20, 0, 5, 1, 0, 0, 0, 0])).unwrap();
        assert_eq!(header.source, Some("192.0.2.7:40000".parse().unwrap()));
        assert_eq!(header.tls, TerminatedTls::read(&[1, 0, 0, 0, 0]).unwrap());
        assert!(header.tls.is_some());
    }

    proptest! {
        #[test]
        fn any_octets_are_a_header_or_a_fault(octets: Vec<u8>, kind: [u8; 2], body: Vec<u8>) {
            let _ = text(&octets);
            let _ = binary(&octets);
            let _ = binary(&super::tests::octets(kind, &body));
            let _ = binary(&from_ipv4(&body));
        }
    }
}

//! The header of the PROXY protocol, version 2, that tells a host the client's address.

use std::net::{IpAddr, SocketAddr};

use ppp::v2::{Builder, Command, Protocol, Version};

use super::fault::RelayFault;

/// A field of our own in the header: the session was passed on, so a Restante that gets it passes it on to nobody. "The
/// following range of 16 type values is reserved for application-specific data" (PROXY protocol §2.2.7).
pub const RELAYED_FIELD: u8 = 0xE0;

/// What the field says.
const RELAYED: &[u8] = b"restante";

/// The header for a client, on a connection with these two ends.
pub(super) fn header(client: SocketAddr, ours: SocketAddr, theirs: SocketAddr) -> Result<Vec<u8>, RelayFault> {
    // Both addresses of a header are of one family; what matters is the client's.
    let destination = if client.is_ipv4() == theirs.is_ipv4() { theirs } else { ours };
    let is_one_family = client.is_ipv4() == destination.is_ipv4();
    let addresses = if is_one_family { (client, destination) } else { (mapped(client), mapped(destination)) };
    let header = Builder::with_addresses(Version::Two | Command::Proxy, Protocol::Stream, addresses)
        .write_tlv(RELAYED_FIELD, RELAYED)
        .and_then(Builder::build);
    header.map_err(|fault| RelayFault::Unreachable(format!("PROXY header: {fault}")))
}

/// As an IPv6 address.
fn mapped(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
        IpAddr::V6(ip) => ip,
    };
    SocketAddr::new(ip.into(), address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(client: &str, theirs: &str) -> Vec<u8> {
        header(client.parse().unwrap(), "192.0.2.1:40000".parse().unwrap(), theirs.parse().unwrap()).unwrap()
    }

    #[test]
    fn the_header_is_that_of_the_standard() {
        let header = of("127.0.0.1:54301", "127.0.0.1:14303");
        let (fixed, rest) = header.split_at(28);
        assert_eq!(fixed[..12], *b"\r\n\r\n\0\r\nQUIT\n");
        assert_eq!(fixed[12..16], [0x21, 0x11, 0, 12 + 3 + 8]);
        assert_eq!(fixed[16..], [127, 0, 0, 1, 127, 0, 0, 1, 0xd4, 0x1d, 0x37, 0xdf]);
        assert_eq!(rest, b"\xe0\0\x08restante");
    }

    #[test]
    fn addresses_of_two_families_are_written_as_one() {
        let header = of("[2001:db8::7]:1", "192.0.2.9:2");
        assert_eq!(header[12..14], [0x21, 0x21]);
        assert_eq!(header[16..32], "2001:db8::7".parse::<std::net::Ipv6Addr>().unwrap().octets());
    }
}

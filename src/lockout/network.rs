//! Networks: the unit in which addresses are counted, and blocks of addresses as configured.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// The unit of counting: an IPv4 address, or the /64 of an IPv6 address, since a whole /64 belongs to one subscriber.
/// An IPv4 address mapped into IPv6 is IPv4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network(IpAddr);

/// A block of addresses in CIDR notation (RFC 4632, RFC 4291 §2.3), such as `192.0.2.0/24` or `2001:db8::/32`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    first: IpAddr,
    prefix: u8,
}

impl Network {
    /// The network of an address.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        Self(Block { first: address.to_canonical(), prefix: 64 }.masked())
    }
}

impl Block {
    /// Reads `ADDRESS/PREFIX`, or an address alone.
    ///
    /// # Errors
    /// What is wrong with it, and what would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        let right = "expected something like 192.0.2.0/24 or 2001:db8::/32";
        let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let first: IpAddr = address.parse().map_err(|_| format!("{text:?} is not a network; {right}"))?;
        let bits = if first.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Some(bits), |prefix| prefix.parse().ok().filter(|prefix| *prefix <= bits));
        let prefix =
            prefix.ok_or_else(|| format!("{text:?} has no prefix length of 0 to {bits} after the /; {right}"))?;
        let written = Self { first, prefix };
        if written.masked() != first {
            let begins = written.masked();
            return Err(format!("{text:?} has host bits set; expected {begins}/{prefix}"));
        }
        Ok(written.canonical())
    }

    /// Whether an address is in it; an IPv4-mapped IPv6 address is IPv4.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.first.is_ipv4() && Self { first: address, ..*self }.masked() == self.first
    }

    /// `::ffff:10.0.0.0/104` is `10.0.0.0/8`.
    fn canonical(self) -> Self {
        match self.first.to_canonical() {
            IpAddr::V4(first) if self.first.is_ipv6() && self.prefix >= 96 => {
                Self { first: first.into(), prefix: self.prefix - 96 }
            }
            _ => self,
        }
    }

    /// The first address of the block.
    fn masked(&self) -> IpAddr {
        match self.first {
            IpAddr::V4(address) => {
                let mask = u32::MAX.checked_shl(32_u32.saturating_sub(self.prefix.into())).unwrap_or(0);
                IpAddr::V4((address.to_bits() & mask).into())
            }
            IpAddr::V6(address) => {
                let mask = u128::MAX.checked_shl(128_u32.saturating_sub(self.prefix.into())).unwrap_or(0);
                IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & mask))
            }
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IpAddr::V4(address) => address.fmt(f),
            IpAddr::V6(address) => write!(f, "{address}/64"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn network(address: &str) -> String {
        Network::of(address.parse().unwrap()).to_string()
    }

    #[test]
    fn an_ipv4_address_stands_for_itself_and_an_ipv6_address_for_its_64() {
        assert_eq!(network("192.0.2.7"), "192.0.2.7");
        assert_eq!(network("::ffff:192.0.2.7"), "192.0.2.7");
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
        assert_eq!(network("2001:db8:1:2::9"), "2001:db8:1:2::/64");
        assert_ne!(network("2001:db8:1:3::9"), "2001:db8:1:2::/64");
    }

    #[test]
    fn blocks_hold_what_their_prefix_says() {
        for (block, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.0"),
            ("192.0.2.7", "::ffff:192.0.2.7", "192.0.2.6"),
            ("::ffff:10.0.0.0/104", "10.1.2.3", "11.1.2.3"),
            ("0.0.0.0/0", "255.255.255.255", "::1"),
            ("::/0", "2001:db8::1", "10.0.0.1"),
            ("2001:db8::/32", "2001:db8:ffff::", "2001:db9::"),
        ] {
            let parsed = Block::parse(block).unwrap();
            assert!(parsed.contains(inside.parse().unwrap()), "{block} {inside}");
            assert!(!parsed.contains(outside.parse().unwrap()), "{block} {outside}");
        }
    }

    #[test]
    fn malformed_blocks_are_rejected() {
        for wrong in ["", "10", "10.0.0.0/33", "10.0.0.0/", "::/129", "10.0.0.0/-1", "mail.example.org", "10.0.0.0/8/8"]
        {
            assert!(Block::parse(wrong).unwrap_err().contains("; expected "), "{wrong}");
        }
        assert!(Block::parse("10.1.2.3/8").unwrap_err().ends_with("expected 10.0.0.0/8"));
    }

    proptest! {
        #[test]
        fn every_address_lies_in_every_block_around_it(address: u32, prefix in 0..=32_u8) {
            let around = Block { first: IpAddr::V4(address.into()), prefix };
            let block = Block::parse(&format!("{}/{prefix}", around.masked())).unwrap();
            prop_assert!(block.contains(IpAddr::V4(address.into())));
            prop_assert!(block.contains(IpAddr::V6(std::net::Ipv4Addr::from(address).to_ipv6_mapped())));
        }
    }
}

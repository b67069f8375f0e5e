//! Networks, as an administrator writes them in `accept_from`.

use std::net::IpAddr;
use std::str::FromStr;

/// A network: an address, and how many of its leading bits count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AllowedNetwork {
    address: IpAddr,
    bits: u8,
}

impl AllowedNetwork {
    /// Whether an address is in it. An IPv4-mapped IPv6 address is treated as IPv4.
    #[must_use]
    pub fn holds(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                u32::MAX.checked_shl(32 - u32::from(self.bits)).unwrap_or(0) & (own.to_bits() ^ other.to_bits()) == 0
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                u128::MAX.checked_shl(128 - u32::from(self.bits)).unwrap_or(0) & (own.to_bits() ^ other.to_bits()) == 0
            }
            _ => false,
        }
    }
}

impl FromStr for AllowedNetwork {
    type Err = String;

    /// Reads `192.0.2.0/24`, `2001:db8::/32`, or a single address.
    fn from_str(text: &str) -> Result<Self, String> {
        let fault =
            || format!("{text:?} is not a network; expected something like 192.0.2.0/24, 2001:db8::/32 or 192.0.2.7");
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().map_err(|_| fault())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits: u8 = bits.map_or(Ok(most), str::parse).map_err(|_| fault())?;
        if bits > most || address.to_canonical() != address {
            return Err(fault());
        }
        Ok(Self { address, bits })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contains_addresses_with_the_same_leading_bits() {
        for (network, address, holds) in [
            ("192.0.2.0/24", "192.0.2.255", true),
            ("192.0.2.0/24", "192.0.3.0", false),
            ("192.0.2.77/24", "192.0.2.1", true),
            ("192.0.2.0/24", "::ffff:192.0.2.1", true),
            ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7", "192.0.2.6", false),
            ("0.0.0.0/0", "8.8.8.8", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("2001:db8::/32", "2001:db8:ffff::1", true),
            ("2001:db8::/33", "2001:db8:ffff::1", false),
            ("::/0", "2001:db8::1", true),
            ("::1", "::1", true),
        ] {
            let (network, address): (AllowedNetwork, IpAddr) = (network.parse().unwrap(), address.parse().unwrap());
            assert_eq!(network.holds(address), holds, "{network:?} {address}");
        }
    }

    #[test]
    fn rejects_everything_else() {
        for text in [
            "",
            "192.0.2.0/33",
            "2001:db8::/129",
            "192.0.2/24",
            "example.org",
            "::ffff:192.0.2.0/120",
            "192.0.2.0/",
            "192.0.2.0/-1",
        ] {
            assert!(text.parse::<AllowedNetwork>().is_err(), "{text}");
        }
    }
}

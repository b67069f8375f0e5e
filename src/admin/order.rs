//! The orders that the admin socket takes.

use std::fmt;
use std::net::IpAddr;

use crate::identity::Flush;
use crate::names::LoginName;

/// What the running service is told to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// `flush`, `flush NAME`, `flush ADDRESS`: forget what is held.
    Flush(Flush),
}

impl Order {
    /// Reads a line without its end.
    ///
    /// # Errors
    /// A sentence.
    pub fn parse(line: &str) -> Result<Self, String> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "flush" => whom(rest.trim()).map(Self::Flush),
            _ => Err(format!("\"{word}\" is no order; right would be flush")),
        }
    }
}

/// What follows the order `flush`: nothing, an IP address, or else a name.
fn whom(text: &str) -> Result<Flush, String> {
    if text.is_empty() {
        return Ok(Flush::Everybody);
    }
    match text.parse::<IpAddr>() {
        // IPv4-mapped addresses are IPv4 everywhere.
        Ok(address) => Ok(Flush::Address(address.to_canonical())),
        Err(_) if is_network(text) => Err(format!(
            "{text} is a network: one address can be flushed, such as 192.0.2.7, or everybody; nothing was dropped"
        )),
        Err(_) => LoginName::new(text.as_bytes()).map(Flush::Person).map_err(|fault| fault.to_string()),
    }
}

/// An address with a length, such as 192.0.2.0/24.
fn is_network(text: &str) -> bool {
    let parts = text.split_once('/');
    parts.is_some_and(|(address, length)| address.parse::<IpAddr>().is_ok() && length.parse::<u8>().is_ok())
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flush(Flush::Everybody) => f.write_str("flush"),
            Self::Flush(Flush::Person(name)) => write!(f, "flush {name}"),
            Self::Flush(Flush::Address(address)) => write!(f, "flush {address}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        for line in ["flush", "flush Alan Jones", "flush ajones", "flush 192.0.2.7", "flush 2001:db8::1"] {
            assert_eq!(Order::parse(line).unwrap().to_string(), line);
        }
        assert_eq!(Order::parse("flush ::ffff:192.0.2.7").unwrap().to_string(), "flush 192.0.2.7");
        assert_eq!(Order::parse("flush ").unwrap(), Order::Flush(Flush::Everybody));
        assert!(Order::parse("flush a\u{7}b").unwrap_err().contains("control"));
        for network in ["192.0.2.0/24", "2001:db8::/64"] {
            assert!(Order::parse(&format!("flush {network}")).unwrap_err().contains("is a network"), "{network}");
        }
        assert!(Order::parse("flush Alan Jones/Sales/24").is_ok(), "a hierarchical name");
        assert!(Order::parse("kick ajones").unwrap_err().contains("kick"));
        assert!(Order::parse("").is_err());
    }
}

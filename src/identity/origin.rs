//! Where credentials come from, and whom an administrator may name.

use std::net::IpAddr;

/// Where credentials come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The client's address. One of IPv4 that is mapped into IPv6 counts as IPv4.
    pub address: IpAddr,
}

/// Whose counters are to be forgotten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whom {
    /// A person, by the name that the log calls them; or a name that nobody has, as it was typed. Upper and lower case
    /// are alike.
    Person(String),
    /// The network of an address.
    Network(IpAddr),
    /// Everybody.
    All,
}

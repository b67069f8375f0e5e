//! Whose counters an administrator may have forgotten.

use std::net::IpAddr;

/// Whose wrong passwords are to be forgotten.
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

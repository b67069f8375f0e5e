//! Fault injection: the ways in which the embedded directory fails on command.

use std::time::Duration;

/// What the embedded directory does instead of answering correctly. Every request is counted, whatever the outcome.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum InjectedFault {
    /// It answers correctly.
    #[default]
    None,
    /// It reads every request and answers none.
    Silent,
    /// It is down: open connections are closed, new ones refused. Its port stays reserved.
    Refuse,
    /// It closes the connection in the middle of a search, after the first entry.
    DropOnSearch,
    /// It waits this long before each message it sends.
    Slow(Duration),
    /// A search never ends: its entries are repeated, one after each such interval. Zero makes a flood.
    TrickleEntries(Duration),
    /// It answers every request with these octets, which need not be LDAP.
    Nonsense(Vec<u8>),
    /// It answers a request with the notice of disconnection (RFC 4511 §4.4.1) and closes the connection.
    NoticeOfDisconnection,
    /// Every bind but the service's own gets this result.
    BindResult {
        /// The result code; one that LDAP does not define becomes 80, other.
        code: i64,
        /// The diagnostic message, such as Active Directory's `80090308: … data 533, v1db1`.
        text: String,
    },
}

/// The number of requests since the directory started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequestCounts {
    /// Connections accepted.
    pub connections: u64,
    /// Binds under the service's own DN.
    pub service_binds: u64,
    /// All other binds.
    pub binds: u64,
    /// Searches.
    pub searches: u64,
}

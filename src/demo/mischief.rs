//! The ways in which a directory can fail those who ask it, on command.

use std::time::Duration;

/// What the embedded directory does instead of answering well. A request counts as asked whatever becomes of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Mischief {
    /// It answers well.
    #[default]
    None,
    /// It reads every request and answers none.
    Silent,
    /// It is gone: open connections are closed, new ones refused. Its port stays its own.
    Refuse,
    /// It closes the connection in the middle of a search, behind the first entry.
    DropOnSearch,
    /// It waits this long before each message it sends.
    Slow(Duration),
    /// A search never ends: its entries are told over and over, one after each such time. Zero makes a flood.
    TrickleEntries(Duration),
    /// It answers every request with these octets, which need not be LDAP.
    Nonsense(Vec<u8>),
    /// It answers a request with the notice of disconnection (RFC 4511 §4.4.1) and closes the connection.
    NoticeOfDisconnection,
    /// Every bind but the service's own ends like this.
    BindResult {
        /// The result code; one that LDAP does not know becomes 80, other.
        code: i64,
        /// The diagnostic message, such as Active Directory's `80090308: … data 533, v1db1`.
        text: String,
    },
}

/// How often the directory was asked since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Connections accepted.
    pub connections: u64,
    /// Binds under the service's own DN.
    pub service_binds: u64,
    /// All other binds.
    pub binds: u64,
    /// Searches.
    pub searches: u64,
}

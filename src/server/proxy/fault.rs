//! Why a connection has no PROXY header that counts.

/// Why there is no header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::server) enum HeaderFault {
    /// The connection was closed before its first octet, as simple health checks do.
    NothingSent,
    /// It begins with something else.
    Missing,
    /// It is no header that the protocol allows.
    Malformed,
    /// Its checksum is wrong: it is not what the proxy sent.
    Damaged,
    /// It is about a datagram: nobody sends POP3 over UDP.
    Datagram,
    /// It is too long.
    TooLong,
    /// The connection was closed within it.
    Cut,
    /// It was not complete in time.
    Late,
}

impl HeaderFault {
    /// Why a connection is refused, in the words of the log; none if that is not worth a line.
    pub(in crate::server) fn reason(self) -> Option<&'static str> {
        match self {
            Self::NothingSent => None,
            Self::Missing => Some("no PROXY header: is the proxy set to send one?"),
            Self::Malformed => Some("malformed PROXY header"),
            Self::Damaged => Some("PROXY header with a wrong checksum"),
            Self::Datagram => Some("PROXY header of a datagram"),
            Self::TooLong => Some("PROXY header too long"),
            Self::Cut => Some("connection closed within the PROXY header"),
            Self::Late => Some("no complete PROXY header within 5 s"),
        }
    }
}

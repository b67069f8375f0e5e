//! What a session needs from the connection beneath it. A TCP socket provides it; so can a stream in memory.

use tokio::io::{AsyncRead, AsyncWrite};

/// A client's connection: octets both ways, and the one question that only a socket can answer.
pub trait Transport: AsyncRead + AsyncWrite + Send + Sync + Unpin + 'static {
    /// What was written to it and not yet acknowledged by the peer.
    fn unacknowledged(&self) -> Unacknowledged;
}

/// How much of what was written the peer has not acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unacknowledged {
    /// This many octets.
    Octets(u32),
    /// The peer reset the connection; what it had not received is lost.
    Broken,
    /// It cannot be found out now: too many open files, or no memory.
    NotNow,
    /// It can never be found out.
    Unknown,
}

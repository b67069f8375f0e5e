//! What a session needs of the connection beneath it. A TCP socket has it; so has a stream in memory.

use tokio::io::{AsyncRead, AsyncWrite};

/// A client's connection: octets both ways, and the one question that is asked of a socket besides.
pub trait Transport: AsyncRead + AsyncWrite + Send + Sync + Unpin + 'static {
    /// What was written to it and not acknowledged by the peer.
    fn unacknowledged(&self) -> Unacknowledged;
}

/// How much of what was written the peer has not acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unacknowledged {
    /// So many octets.
    Octets(u32),
    /// The peer broke the connection off; what it had not taken is lost.
    Broken,
    /// It cannot be asked now: too many open files, or no memory.
    NotNow,
    /// Nobody can say.
    Unknown,
}

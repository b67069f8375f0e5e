//! The connection to a host.

use tokio::io::{AsyncRead, AsyncWrite};

/// A connection to a host, in clear or under TLS.
pub trait HostStream: AsyncRead + AsyncWrite + Send + Sync + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> HostStream for T {}

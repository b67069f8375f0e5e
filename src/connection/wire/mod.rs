//! Octets to and from one client.
//!
//! In go a stream and its time limits; out come lines, and replies go the other way. Nothing here knows the protocol.
//!
//! | file | rule |
//! |---|---|
//! | `line_io` | lines in, replies out, each within its time; when replies are flushed |
//! | `stream` | in clear or under TLS |
//! | `handshake`, `counting` | the TLS handshake, and why it failed; how handshakes are counted |
//! | `certificate` | whether a client's certificate is accepted |
//! | `transport` | what a session needs of the connection beneath: a socket, or a stream in memory |
//! | `delivery` | whether the client has acknowledged what it was sent |
//! | `socket_queue` | how the kernel is asked for it |

mod certificate;
mod counting;
mod delivery;
mod handshake;
mod line_io;
mod socket_queue;
mod stream;
mod transport;

pub use self::certificate::{ChainVerifier, ClientCertificateFault, ClientCertificates, ForwardedCertificate, PortTls};
pub use self::socket_queue::kernel_reports_delivery;
pub use self::transport::{Transport, Unacknowledged};

pub(crate) use self::certificate::shown;
pub(crate) use self::counting::{note_failure, note_handshake};
pub(crate) use self::handshake::handshake;
pub(crate) use self::line_io::Wire;
pub(crate) use self::stream::ClientStream;

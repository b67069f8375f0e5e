//! Octets to and from one client.
//!
//! In go a stream and its time limits; out come lines, and replies go the other way. Nothing here knows the protocol.
//!
//! | file | rule |
//! |---|---|
//! | `line_io` | lines in, replies out, each within its time; when replies are flushed |
//! | `stream` | in clear or under TLS |
//! | `handshake` | the TLS handshake, and why it failed |
//! | `certificate` | whether a client's certificate counts |
//! | `delivered` | what the client has acknowledged |

mod certificate;
mod delivered;
mod handshake;
mod line_io;
mod stream;

pub use self::certificate::{ChainVerifier, ClientCertificates, PortTls, describe_certificate_fault};
pub use self::delivered::kernel_tells_delivery;

pub(crate) use self::certificate::{LoginOffer, shown, under_tls};
pub(crate) use self::handshake::handshake;
pub(crate) use self::line_io::{BLOCK, Wire};
pub(crate) use self::stream::ClientStream;

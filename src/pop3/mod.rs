//! The POP3 protocol (RFC 1939, 2449, 2595, 3206, 5034) without a socket, a file or a clock.

mod listing;
mod multiline;

pub use listing::{Listed, Listing, MessageNumber, UniqueId};
pub use multiline::{Multiline, Octets, Part};

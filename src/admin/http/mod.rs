//! The admin HTTP listener: metrics, health and the status page, for this machine alone.
//!
//! It changes nothing, knows no login, and so listens on loopback or on a Unix socket only. Pages that a browser on this
//! machine shows reach loopback as well: a request is answered only if its `Host` is a name of loopback, and no answer may
//! be read by another site.
//!
//! | file | rule |
//! |---|---|
//! | `listener` | where it listens; how many connections there may be, and for how long |
//! | `request` | which requests are answered, and with what |

mod listener;
mod request;

pub use listener::{HttpAddress, HttpListener};

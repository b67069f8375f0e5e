//! Work in the background, for as long as the service runs.
//!
//! | file | task |
//! |---|---|
//! | `keepalive` | servers that are down are tried again; idle connections are used before somebody closes them |
//! | `follow` | changes are reported by content synchronisation (RFC 4533) |
//! | `last_read` | what logins read of each entry, so that a change which concerns nobody is not reported |

mod follow;
mod keepalive;
mod last_read;

pub use self::follow::Change;

pub(crate) use self::follow::Follower;
pub(crate) use self::keepalive::KeepAlive;
pub(crate) use self::last_read::LastRead;

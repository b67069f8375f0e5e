//! The driver of a session.
//!
//! In go a client and the service; out comes a served session. The driver knows nothing of the protocol: it passes
//! lines to a [`crate::pop3::Session`], and carries out the action that this returns.
//!
//! | file | rule |
//! |---|---|
//! | `greeting` | how a session begins |
//! | `dispatch` | **the loop: an event in, an action out, the action done**; what ends it |
//! | `access` | what a client may do, by TLS and port |
//! | `login` | passwords and certificates; when a refusal is sent |
//! | `scram`, `token` | the other ways to log in |
//! | `relay` | sessions that are passed on to another host |
//! | `transfer` | the maildrop opened, unique-ids pinned, messages sent |
//! | `update` | what a session that ends by QUIT leaves behind (RFC 1939 §6) |
//! | `translation` | which causes a client may know |

mod access;
mod dispatch;
mod greeting;
mod login;
mod relay;
mod scram;
mod state;
mod token;
mod transfer;
mod translation;
mod update;

pub use self::greeting::serve;

//! What the log reports about a connection.
//!
//! In go the events of one connection; out come a line for each login and one for the end. Lines that anybody can cause
//! are summed up.
//!
//! | file | rule |
//! |---|---|
//! | `session` | the lines of one connection, and what each says |
//! | `close_reason` | why a connection ended |
//! | `login` | the line of a login, also of one at a mail transfer agent |
//! | `counting` | how a login is counted |
//! | `summaries` | which lines are summed up, and when the sums are logged |

mod close_reason;
mod counting;
mod login;
mod session;
mod summaries;

pub use self::login::LoginEnd;
pub use self::summaries::LogSummaries;

pub(crate) use self::close_reason::{CloseReason, HandshakeFailure};
pub(crate) use self::session::SessionReport;

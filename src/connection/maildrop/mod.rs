//! The maildrop of a session, and the threads that file calls need.
//!
//! In go a path and a person; out come a listing and messages, and deletions go the other way. No call blocks the thread
//! that drives the session.
//!
//! | file | rule |
//! |---|---|
//! | `opening` | which thread opens a maildrop; of several sessions that want to read the same one, one does |
//! | `lease` | how many sessions a maildrop may have; when one takes it over from another |
//! | `mail` | the open maildrop: messages, unique-ids, deletions |
//! | `pool` | threads for calls on file systems that may hang, bounded by file system |

mod lease;
mod mail;
mod opening;
mod pool;

pub use self::lease::{MaildropLeases, SessionsPerMaildrop};
pub use self::opening::Openings;
pub use self::pool::{BLOCKING_THREADS, BlockingPools};

pub(crate) use self::lease::unless_taken_over;
pub(crate) use self::mail::OpenMaildrop;
pub(crate) use self::opening::OpenFault;

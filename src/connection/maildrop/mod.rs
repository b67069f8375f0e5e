//! The maildrop of a session, and the threads that file calls need.
//!
//! In go a path and a person; out come a listing and messages, and deletions go the other way. No call blocks the thread
//! that drives the session.
//!
//! | file | rule |
//! |---|---|
//! | `opening` | which thread opens a maildrop; of several sessions that want to read the same one, one does |
//! | `lease` | how many sessions a maildrop may have; when one takes it over from another |
//! | `open_maildrop` | messages, unique-ids, deletions, each as a call that may block |
//! | `message_reader` | a message block by block, or its surrogate |
//! | `pool` | threads for calls on file systems that may hang, bounded by file system |

mod lease;
mod message_reader;
mod open_maildrop;
mod opening;
mod pool;

pub use self::lease::MaildropLeases;
pub use self::opening::Openings;
pub use self::pool::BLOCKING_THREADS;

pub(crate) use self::lease::unless_taken_over;
pub(crate) use self::open_maildrop::OpenMaildrop;
pub(crate) use self::opening::OpenFault;

//! A maildrop as one session sees it, from login to QUIT.
//!
//! In: a snapshot, and a client's commands. Out: listings, messages, and the result of the deletions.
//!
//! | rule | where |
//! |---|---|
//! | one session at a time, by a file lock | `lock` |
//! | which messages the person is offered | `offering` |
//! | a unique-id is on disk before a client sees it | `pinning` |
//! | a message is opened only if its file is the one that was listed; if not, `-ERR` before `+OK` | `fetching` |
//! | a message is read to its end or fails; the octets sent correct the octets listed | `message` |
//! | messages that the kernel has in memory are fetched without waiting for a disk | `cached` |
//! | a file is found again wherever other programs moved it | `finding`, `reach` |
//! | deletion takes place at QUIT, message by message, with all files of a message or none | `commit` |
//! | files that arrive under the name of a deleted message are distinguished from it | `latecomers` |
//! | a file that cannot be read as mail is not deleted, since no client can have it | `readability` |
//! | what else happens at QUIT: retrievals are recorded, flags are set, expired mail is removed | `ending`, `seen` |

mod cached;
mod commit;
mod ending;
mod fetching;
mod finding;
mod latecomers;
mod lock;
mod message;
mod offering;
mod pinning;
mod reach;
mod readability;
mod seen;
mod session;

pub use commit::Committed;
pub use lock::{LockId, LockResult, MaildropLock};
pub use message::Message;
pub use pinning::PinFault;
pub use session::Maildrop;

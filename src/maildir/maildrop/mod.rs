//! A maildrop as one session sees it, from login to QUIT.
//!
//! In: a snapshot, and the client's commands. Out: listings, messages, and what became of the marked ones.
//!
//! | rule | where |
//! |---|---|
//! | one session at a time, by a file lock | `lock` |
//! | which messages the person is offered | `offering` |
//! | a unique-id is pinned before a client sees it | `pinning` |
//! | a file that changed since it was counted is refused before `+OK` | `session` |
//! | a message is read to its end or fails; what was sent corrects what was listed | `message` |
//! | what lies in memory is fetched without waiting for a disk | `cached` |
//! | each message is found again wherever other programs moved it | `reach` |
//! | deletion takes place at QUIT, file by file, and only while a file is the one that was listed | `commit` |
//! | what arrived under the name of a deleted message is told apart from it | `latecomers` |
//! | what else happens at QUIT: marks, flags, ageing | `ending`, `seen` |
//! | a file that cannot be read as mail is neither sent nor deleted | `no_mail` |

mod cached;
mod commit;
mod ending;
mod expiring;
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

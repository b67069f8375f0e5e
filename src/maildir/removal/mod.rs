//! Removing messages for good, keeping them for a while, and restoring them.
//!
//! In: files that a client deleted at QUIT, or that are old enough. Out: they are gone, or are in `restante-deleted` or
//! in a folder. **Only this room deletes a message's file or moves it out of `new` and `cur`** (by the system calls in
//! `files::aside`).
//!
//! | rule | where |
//! |---|---|
//! | a file is removed only if it is the one that was listed, in the state that was counted | `removing` |
//! | why a file was left alone | `message_fault` |
//! | the name of its directory says how long deleted mail is kept, and to which folder it was moved | `batch` |
//! | mail that people leave is removed by age only if the settings say so and the clock is plausible | `expiry` |
//! | a restored message gets a new base name; deleted mail whose time is over is removed for good | `undeleting` |
//! | an existing quota file gets one line for each change | `quota` |

mod batch;
mod expiry;
mod message_fault;
mod quota;
mod removing;
mod undeleting;

pub use expiry::{Expired, Expiry};
pub(in crate::maildir) use expiry::{ExpiryCheck, expire};
pub(in crate::maildir) use message_fault::MessageFault;
pub(in crate::maildir) use removing::{LinkCount, Removal, require_listed};
pub(in crate::maildir) use undeleting::clean_up;
pub use undeleting::{Deleted, DeletedMail};

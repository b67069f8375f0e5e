//! Everything that takes messages away for good, keeps them for a while, or brings them back.
//!
//! In: files that a client deleted at QUIT, or that are old enough. Out: they are gone, or lie in `restante-deleted` or in a
//! folder. **A message's file is deleted or moved away in this room and nowhere else.**
//!
//! | rule | where |
//! |---|---|
//! | a file is removed only if it is the one that was listed, in the state that was counted | `removing` |
//! | why a file was left alone | `message_fault` |
//! | what is kept, for how long, and from which folder, stands in the name of its directory | `batch` |
//! | mail that people leave is removed by age only if the settings say so and the clock can be believed | `expiry` |
//! | a message that is brought back gets a new base name; what was kept long enough is removed for good | `undeleting` |
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

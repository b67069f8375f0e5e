//! A maildrop as it was at one moment: messages in order, their octets and unique-ids; and what is remembered of it.
//!
//! In: the Maildir's files, an earlier snapshot, the index beside the mail. Out: a `Snapshot`, which sessions share.
//!
//! | rule | where |
//! |---|---|
//! | a snapshot is used again only while `new`, `cur`, pins and lists are unchanged | `cache` |
//! | a message is opened only if neither an earlier snapshot, the index, nor its name gives its octets | `messages`, `measure` |
//! | a message that moves while it is measured is followed; one that cannot be read keeps its place | `measure` |
//! | files that share a base name: equal content is one message, other content is another | `kin` |
//! | the index is a cache: damage or absence costs time, nothing else | `index`, `index_file` |
//! | clients without UTF8 get messages with 8-bit headers wrapped, if the settings say so | `surrogates` |

mod cache;
mod index;
pub(in crate::maildir) mod index_file;
mod kin;
mod measure;
mod messages;
mod surrogates;

pub(in crate::maildir) use cache::{CachedMaildrop, Corrections, RemovedFiles};
pub(in crate::maildir) use index::SizeIndex;
pub(in crate::maildir) use kin::{DuplicateFile, Fingerprints, SEPARATOR, SharedNameFiles, SharedNames};
pub(in crate::maildir) use measure::{Measurement, MovedMessages, concerns_one_file, log_no_mail};
pub(in crate::maildir) use messages::{Correction, PriorSizes, Size, Snapshot, SnapshotEntry};
pub use surrogates::EightBitHeaders;
pub(in crate::maildir) use surrogates::{KnownHeaders, Surrogates};

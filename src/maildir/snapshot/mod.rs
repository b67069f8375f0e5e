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

mod build;
mod cache;
mod corrections;
mod entry;
mod fingerprint;
mod index;
pub(in crate::maildir) mod index_file;
mod kin;
mod measure;
mod messages;
mod prior_sizes;
mod surrogates;
mod taking;

pub(in crate::maildir) use cache::CachedMaildrop;
pub(in crate::maildir) use corrections::{Correction, Corrections, RemovedFiles};
pub(in crate::maildir) use entry::{Size, SnapshotEntry};
pub(in crate::maildir) use fingerprint::{DuplicateFile, Fingerprints};
pub(in crate::maildir) use kin::{SharedNameFiles, SharedNames};
pub(in crate::maildir) use measure::{Measurement, log_no_mail};
pub(in crate::maildir) use messages::Snapshot;
pub(in crate::maildir) use prior_sizes::PriorSizes;
pub(in crate::maildir) use taking::{ROUNDS, Snapshots, changed, usable};

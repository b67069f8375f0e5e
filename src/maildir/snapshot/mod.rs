//! A maildrop as it was at one moment: messages in order, their octets and unique-ids; and the cache of snapshots.
//!
//! In: the files of a Maildir, the previous snapshot, the index beside the mail. Out: a `Snapshot`, which sessions
//! share.
//!
//! | rule | where |
//! |---|---|
//! | a snapshot is used again only while `new`, `cur`, pins and lists are unchanged | `taking` |
//! | of several sessions that enter at once, one reads the disk | `cache`, `taking` |
//! | a message is opened only if neither the previous snapshot, nor the index, nor its name has its octets | `build`, `prior_sizes` |
//! | a message that moves while it is measured is followed; one that cannot be read keeps its place | `measure` |
//! | files that share a base name: the same octets are one message, other octets another | `shared_names`, `content_digest` |
//! | what a session finds out goes into the next snapshot | `corrections` |
//! | the index is a cache: losing it costs only time | `index`, `index_file` |
//! | clients without UTF8 get messages with 8-bit headers wrapped, if the settings say so | `surrogates` |

mod build;
mod cache;
mod content_digest;
mod corrections;
mod entry;
mod index;
pub(in crate::maildir) mod index_file;
mod measure;
mod messages;
mod prior_sizes;
mod shared_names;
mod surrogates;
mod taking;

pub(in crate::maildir) use cache::CachedMaildrop;
pub(in crate::maildir) use content_digest::{ContentDigests, DuplicateFile};
pub(in crate::maildir) use corrections::{Correction, Corrections, RemovedFiles};
pub(in crate::maildir) use entry::{Size, SnapshotEntry};
pub(in crate::maildir) use measure::{Measurement, log_no_mail};
pub(in crate::maildir) use messages::Snapshot;
pub(in crate::maildir) use prior_sizes::PriorSizes;
pub(in crate::maildir) use shared_names::{SharedNameFiles, SharedNames};
pub(in crate::maildir) use taking::{ROUNDS, Snapshots, last_change, parse_index};

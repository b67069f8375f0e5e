//! The files of one Maildir: names, states, contents. Nothing here knows about sessions, unique-ids or the index.
//!
//! In: an open root and the path of a Maildir. Out: every message in `new` and `cur`, each once, in order of arrival.
//!
//! | rule | where |
//! |---|---|
//! | a list of files is complete or there is none, even while other programs rename them | `file_list` |
//! | only regular files are messages | `scan` |
//! | what a file name says: base name, flags, `,S=` and `,W=`, time of arrival | `file_name` |
//! | a time stamp that a later change may share proves nothing | `stamp` |
//! | **octets are counted here and nowhere else** | `count` |
//! | gzip and zstd are read as the message within; other compression is not mail | `compressed` |
//! | a file is never moved over another one | `renaming` |
//! | a file that is to be removed is first renamed, so that no other program can swap it, and examined then | `aside`, `taken_name` |
//! | files that somebody may have made huge are read within limits, one at a time | `bounds` |
//! | caches of network file systems are made to refresh | `fresh` |
//! | folders in addition to the inbox, as in Maildir++ | `folder` |

mod aside;
pub(in crate::maildir) mod bounds;
mod compressed;
pub(in crate::maildir) mod count;
mod file_list;
pub(in crate::maildir) mod file_name;
pub(in crate::maildir) mod folder;
pub(in crate::maildir) mod fresh;
mod renaming;
mod scan;
mod stamp;
mod taken_name;

pub(in crate::maildir) use aside::TakenFile;
pub(in crate::maildir) use bounds::{FileBounds, ReadLimit};
pub(in crate::maildir) use compressed::{Compression, Inflater, MARK};
pub(in crate::maildir) use count::{Counted, FileState, read, require_mail};
pub(in crate::maildir) use file_list::{FileList, Validity};
pub(in crate::maildir) use file_name::Arrival;
pub use folder::FolderName;
pub(in crate::maildir) use folder::{DIRECTORY, make_directory};
pub(in crate::maildir) use renaming::{fresh_base, fresh_name, rename};
pub(in crate::maildir) use scan::{KEY_SEPARATOR, MESSAGE, MessageFile, MovingKey, Parts, SharedName, Subdirectory};
pub(in crate::maildir) use stamp::{DirectoryStamp, FileStamp, Moment, Stamps};

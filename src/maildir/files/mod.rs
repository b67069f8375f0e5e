//! The files of one Maildir: names, states, contents. Nothing here knows about sessions, unique-ids or the index.
//!
//! In: an open root and the path of a Maildir. Out: every message in `new` and `cur`, each once, in order of arrival.
//!
//! | rule | where |
//! |---|---|
//! | a listing is whole or there is none, even while other programs rename files | `names` |
//! | only regular files are messages | `scan` |
//! | what a file name says: base name, flags, `,S=` and `,W=`, order of arrival | `name` |
//! | a time stamp that may be shared with a later change proves nothing | `stamp` |
//! | **octets are counted here and nowhere else**: line ends as CRLF, in one pass | `count` |
//! | gzip and zstd are read as the message within; other compression is no mail | `compressed` |
//! | a file never replaces another | `renaming` |
//! | a file that its owner may have made huge is read within limits, one at a time | `bounds` |
//! | caches of network file systems are asked to refresh | `fresh` |

pub(in crate::maildir) mod bounds;
mod compressed;
pub(in crate::maildir) mod count;
pub(in crate::maildir) mod folder;
pub(in crate::maildir) mod fresh;
pub(in crate::maildir) mod name;
mod names;
mod renaming;
mod scan;
mod stamp;

pub(in crate::maildir) use bounds::{FileBounds, ReadLimit};
pub(in crate::maildir) use compressed::{Compression, Inflater, MARK};
pub(in crate::maildir) use count::{Counted, FileState, read, require_mail};
pub use folder::FolderName;
pub(in crate::maildir) use folder::{DIRECTORY, make_directory};
pub(in crate::maildir) use name::Arrival;
pub(in crate::maildir) use names::FileList;
pub(in crate::maildir) use renaming::{fresh_base, rename};
pub(in crate::maildir) use scan::{KEY_SEPARATOR, MESSAGE, MessageFile, MovingKey, Parts, SharedName, Subdirectory};
pub(in crate::maildir) use stamp::{DirectoryStamp, FileStamp, Moment, Stamps};

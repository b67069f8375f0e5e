//! Fetching messages that are in memory already, without ever waiting for a disk.
//!
//! The kernel answers from its caches only (`RESOLVE_CACHED` of openat2(2), `RWF_NOWAIT` of preadv2(2)). So these calls
//! may be made where nothing may block, but only on local file systems, since others may ask another machine whether
//! their caches are still valid.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};
use rustix::io::Errno;

use super::fetching::OpenedFile;
use super::message::Message;
use super::session::{Maildrop, OpenDirectory};
use crate::maildir::fault::FetchFault;
use crate::maildir::files::{MESSAGE, MessageFile, Subdirectory};
use crate::maildir::mail_root::{BENEATH, PASSING};

impl Maildrop {
    /// Opens the message at an index of the listing, if everything needed is in memory; none if not, or if the message
    /// is not where it was last seen: then [`Maildrop::fetch`] is needed.
    ///
    /// A directory stays open until [`Maildrop::rest`].
    ///
    /// # Errors
    /// See [`FetchFault`]; the session can continue after each.
    pub fn fetch_cached(&mut self, index: usize) -> Result<Option<Message>, FetchFault> {
        if !self.is_local() {
            return Ok(None);
        }
        let place = self.place(index);
        let Some(found) = self.last_seen(place) else { return Ok(None) };
        let Ok(file) = self.open_cached(&found) else {
            self.rest();
            return Ok(None);
        };
        let opened = OpenedFile::of(File::from(file))?;
        if !self.has_known_inode(place, &found, &opened) {
            return Ok(None);
        }
        self.checked(place, opened).map(Some)
    }

    /// Closes all files and directories, for when nothing is fetched for a while: an administrator may want
    /// to unmount the disk.
    pub fn rest(&mut self) {
        self.open_directory = None;
    }

    fn open_cached(&mut self, found: &MessageFile) -> Result<OwnedFd, Errno> {
        let open_directory = match self.open_directory.take() {
            Some(open_directory) if open_directory.place == found.place => open_directory,
            _ => OpenDirectory { place: found.place, directory: self.directory_cached(found.place)? },
        };
        // A name read from a directory leads nowhere else: it has no slash, and a link is not followed.
        let file =
            cached(open_directory.directory.as_fd(), Path::new(found.file_name()), MESSAGE, ResolveFlags::empty());
        self.open_directory = Some(open_directory);
        file
    }

    fn directory_cached(&self, place: Subdirectory) -> Result<OwnedFd, Errno> {
        // Another file system may have been mounted over it since.
        if !self.snapshots.is_local_still(&self.cached) {
            return Err(Errno::AGAIN);
        }
        let root = cached(CWD, self.site().root().path(), PASSING, ResolveFlags::empty())?;
        let maildir: &Path = self.path.as_ref();
        cached(root.as_fd(), &maildir.join(place.directory()), PASSING, BENEATH)
    }
}

fn cached(at: BorrowedFd<'_>, path: &Path, flags: OFlags, resolve: ResolveFlags) -> Result<OwnedFd, Errno> {
    openat2(at, path, flags, Mode::empty(), resolve | ResolveFlags::CACHED)
}

//! Where a message's file is now: other programs may rename, flag and move it at any moment.

use std::io;
use std::time::{Duration, Instant};

use super::session::Maildrop;
use crate::maildir::fault::EnterFault;
use crate::maildir::files::{DirectoryStamp, FileList, MessageFile, Parts, Subdirectory, Validity};

/// How often a message that keeps moving is followed.
pub(super) const TRIES: usize = 10;

impl Maildrop {
    /// Where a message was when it was last looked for.
    pub(super) fn last_seen(&self, index: usize) -> Option<MessageFile> {
        self.found_again(index).or_else(|| self.entry(index).map(|entry| entry.found.clone()))
    }

    /// The names as they were read again; none if they were not.
    pub(super) fn rescanned_files(&self) -> Option<&FileList> {
        self.rescanned.as_ref().map(|(names, _)| names)
    }

    /// Where a message is, by the names as they were read again; none if it is not among them.
    pub(super) fn found_again(&self, index: usize) -> Option<MessageFile> {
        let wanted = &self.entry(index)?.found;
        self.rescanned_files()?.follow(wanted, self.other_files()).cloned()
    }

    /// The messages that share their names with others, and the further files of messages.
    pub(super) fn other_files(&self) -> impl Iterator<Item = &MessageFile> {
        let name_sharers =
            self.snapshot.ids.name_sharers.iter().filter_map(|index| self.entry(*index)).map(|entry| &entry.found);
        name_sharers.chain(self.snapshot.all_copies())
    }

    /// Where a file is, by the names as they were read again; none if it is not among them.
    pub(super) fn file_found_again(&self, wanted: &MessageFile) -> Option<MessageFile> {
        self.rescanned_files()?.follow(wanted, self.other_files()).cloned()
    }

    pub(in crate::maildir) fn parts(&self) -> Result<Parts, EnterFault> {
        Parts::open(&self.site().root().open()?, self.path.as_ref())
    }

    /// Requires that `new` and `cur` still exist if they existed at the login: messages on an unmounted disk are not
    /// gone.
    pub(super) fn require_parts(&self, parts: &Parts) -> io::Result<()> {
        let missing = |what: &str| io::Error::new(io::ErrorKind::NotFound, format!("{what} missing"));
        let was_unmounted = |place, before: Option<DirectoryStamp>| before.is_some() && parts.get(place).is_none();
        match &self.snapshot.stamps {
            _ if parts.are_missing() => Err(missing("new and cur are both")),
            stamps if was_unmounted(Subdirectory::New, stamps.new) => Err(missing("new is")),
            stamps if was_unmounted(Subdirectory::Cur, stamps.cur) => Err(missing("cur is")),
            _ => Ok(()),
        }
    }

    /// Whether the names as they were read again are still valid, and a message is not among them: a client may ask for
    /// thousands that are gone, one after the other.
    pub(super) fn is_known_gone(&self, index: usize, parts: &Parts) -> io::Result<bool> {
        /// A message that was missing so recently counts as gone, whatever else changes.
        const BRIEFLY: Duration = Duration::from_secs(1);
        self.require_parts(parts)?;
        let Some((names, at)) = &self.rescanned else { return Ok(false) };
        if self.found_again(index).is_some() {
            return Ok(false);
        }
        Ok(at.elapsed() < BRIEFLY
            || names.validity >= Validity::Session && names.stamps == parts.stamps(names.local)?)
    }

    /// Reads the names again, to follow files that have moved.
    pub(super) fn rescan(&mut self, parts: &Parts) -> io::Result<()> {
        self.require_parts(parts)?;
        self.rescanned = Some((parts.names(self.site().timestamp_granularity())?, Instant::now()));
        Ok(())
    }
}

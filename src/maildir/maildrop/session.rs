//! A maildrop as one session sees it.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::fs::File;
use std::io;
use std::num::NonZeroU64;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::fs::{Advice, fadvise, fstat};
use rustix::io::Errno;

use super::cached::OpenDirectory;
use super::lock::MaildropLock;
use super::message::{Message, MessageSource};
use super::no_mail::NoMail;
use crate::maildir::fault::{EnterFault, FetchFault};
use crate::maildir::files::{DirectoryStamp, FileList, FileState, MessageFile, Parts, Stamps, Subdirectory};
use crate::maildir::mail_root::{FileSystems, MaildropPath};
use crate::maildir::removal::Expiry;
use crate::maildir::snapshot::{CachedMaildrop, Correction, Snapshot, SnapshotEntry, log_no_mail};
use crate::maildir::store::{MESSAGE, Store};
use crate::pop3::Listing;

/// How often a message is followed that moves whenever it is reached for.
pub(in crate::maildir) const TRIES: usize = 10;

/// A snapshot of a Maildir, taken at login. No file or directory is held open between calls, but while one message after
/// the other is fetched from memory.
pub struct Maildrop {
    pub(in crate::maildir) store: Store,
    pub(in crate::maildir) path: MaildropPath,
    pub(in crate::maildir) kept: Arc<CachedMaildrop>,
    pub(in crate::maildir) snapshot: Arc<Snapshot>,
    /// The names as they were read anew, when a message was not where the snapshot had it, and when.
    reread: Option<(FileList, Instant)>,
    /// How many messages this session has pinned.
    pub(in crate::maildir) pinned: usize,
    /// The files that were fetched without having been counted, by the places of their messages in the snapshot.
    fetched: HashMap<usize, FileState>,
    pub(in crate::maildir) held: Option<OpenDirectory>,
    /// The places in the snapshot of those messages that a client got whole, from the end of the session on.
    pub(in crate::maildir) read: HashSet<usize>,
    /// Whose session it is.
    pub(in crate::maildir) person: Box<str>,
    /// When what that person leaves is removed; none for never.
    pub(in crate::maildir) expiry: Option<Expiry>,
    /// The places in the snapshot of those messages that are offered; none for all.
    pub(in crate::maildir) offered: Option<Arc<[usize]>>,
    /// Kept to the end of the last call, whoever waits for that.
    _hold: Option<MaildropLock>,
}

impl Maildrop {
    pub(in crate::maildir) fn new(
        store: Store,
        path: MaildropPath,
        kept: Arc<CachedMaildrop>,
        snapshot: Arc<Snapshot>,
    ) -> Self {
        Self {
            store,
            path,
            kept,
            snapshot,
            reread: None,
            pinned: 0,
            fetched: HashMap::new(),
            held: None,
            read: HashSet::new(),
            person: Box::default(),
            expiry: None,
            offered: None,
            _hold: None,
        }
    }

    /// Lets nobody else hold the maildrop as long as this one lives.
    #[must_use]
    pub fn held(self, hold: Option<MaildropLock>) -> Self {
        Self { _hold: hold, ..self }
    }

    /// Whether neither `new` nor `cur` is there: the Maildir was never made.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        self.snapshot.stamps == Stamps { new: None, cur: None }
    }

    /// The messages in order, as a client sees them that takes UTF-8 in headers (`utf8`) or does not. Sessions share them
    /// as long as the Maildir does not change.
    #[must_use]
    pub fn listing(&self, utf8: bool) -> Listing {
        let surrogates = self.snapshot.surrogates.as_ref().filter(|_| !utf8).map(|surrogates| &surrogates.listed);
        let all = surrogates.unwrap_or(&self.snapshot.listed);
        let messages = match &self.offered {
            None => Arc::clone(all),
            Some(offered) => Arc::new(offered.iter().filter_map(|place| all.get(*place)).cloned().collect()),
        };
        Listing::new(messages).with_unpinned(self.snapshot.ids.want_pins())
    }

    /// Whether the message at an index of the listing is offered wrapped to clients that do not take UTF-8 in headers.
    #[must_use]
    pub fn wraps(&self, index: usize) -> bool {
        self.snapshot.surrogates.as_ref().is_some_and(|surrogates| surrogates.has(self.place(index)))
    }

    /// Opens the message at an index of the listing. Blocks while the disk answers.
    ///
    /// # Errors
    /// See [`FetchFault`]; the session can go on after each.
    pub fn fetch(&mut self, index: usize) -> Result<Message, FetchFault> {
        let index = self.place(index);
        let file = self.open(index)?;
        let message = self.checked(index, file)?;
        let (state, largest) = (message.state(), self.store.settings().largest_message);
        // With line ends counted, no message has fewer octets than in its file; so what was counted is within the bounds.
        let is_within = self.snapshot.listed.get(index).is_some_and(|listed| listed.octets <= largest);
        let is_counted = is_within && self.entry(index).is_some_and(|entry| entry.counted.is_some());
        message.begin(largest, is_counted).map_err(|error| self.note_no_mail(index, state, error.into()))
    }

    /// Notes and logs that a file cannot be read as mail, if that is the fault: each once.
    fn note_no_mail(&self, index: usize, state: FileState, fault: FetchFault) -> FetchFault {
        if let (FetchFault::NoMail(why), Some(entry)) = (&fault, self.entry(index))
            && self.kept.mend(&entry.found, Correction::NoMail(*why, state))
        {
            log_no_mail(&self.path, &entry.found, *why);
        }
        fault
    }

    /// A file, if it is still the one whose octets were told.
    pub(in crate::maildir) fn checked(&mut self, index: usize, file: File) -> Result<Message, FetchFault> {
        let state = FileState::of(&fstat(&file).map_err(|errno| FetchFault::Io(errno.into()))?);
        let (entry, seen) = (self.entry(index).ok_or(FetchFault::Gone)?, self.state_seen(index));
        let Some(state) = state.filter(|state| seen.is_none_or(|seen| seen == *state)) else {
            self.kept.mend(&entry.found, Correction::Forget);
            return Err(FetchFault::Changed);
        };
        if let Some(why) = entry.no_mail {
            return Err(FetchFault::NoMail(why));
        }
        if state.size > self.store.settings().largest_message {
            return Err(self.note_no_mail(index, state, FetchFault::NoMail(NoMail::TooLarge)));
        }
        if seen.is_none() {
            self.fetched.insert(index, state);
        }
        let source = MessageSource {
            path: self.path.clone(),
            kept: Arc::clone(&self.kept),
            snapshot: Arc::clone(&self.snapshot),
            index,
        };
        Ok(Message::new(file, state, source))
    }

    /// The state in which a message's file was counted; or, where its name told the octets, in which this session fetched it
    /// first. No other is sent as this message, or removed as it.
    pub(in crate::maildir) fn state_seen(&self, index: usize) -> Option<FileState> {
        let counted = self.entry(index)?.counted;
        counted.or_else(|| self.fetched.get(&index).copied())
    }

    /// Has the beginning of the message at an index read from the disk, without waiting for it: it may be fetched next.
    pub fn read_ahead(&self, index: usize) {
        const BEGINNING: NonZeroU64 = NonZeroU64::new(256 * 1024).unwrap();
        let Some(found) = self.last_seen(self.place(index)) else { return };
        if let Ok(file) = self.open_at(&found) {
            // Advice that is not taken costs nothing.
            let _ = fadvise(&file, 0, Some(BEGINNING), Advice::WillNeed);
        }
    }

    fn open(&mut self, index: usize) -> Result<File, FetchFault> {
        let mut found = self.last_seen(index).ok_or(FetchFault::Gone)?;
        for _ in 0..TRIES {
            match self.open_at(&found) {
                // Messages of one base name may get each other's names.
                Ok(file) if self.is_another(index, &file) => {}
                Ok(file) => return Ok(file),
                Err(FetchFault::Gone) => {}
                Err(fault) => return Err(fault),
            }
            let parts = self.parts().map_err(|fault| FetchFault::Io(io::Error::other(fault)))?;
            if self.is_known_gone(index, &parts).map_err(FetchFault::Io)? {
                return Err(FetchFault::Gone);
            }
            self.reread(&parts).map_err(FetchFault::Io)?;
            found = self.seen_anew(index).ok_or(FetchFault::Gone)?;
        }
        Err(FetchFault::Gone)
    }

    /// Whether a file is that of another message with the same base name.
    pub(in crate::maildir) fn is_another(&self, index: usize, file: &File) -> bool {
        let counted = self.entry(index).filter(|_| self.has_twin(index)).and_then(|entry| entry.counted);
        counted.is_some_and(|counted| fstat(file).is_ok_and(|stat| stat.st_ino != counted.inode))
    }

    fn open_at(&self, found: &MessageFile) -> Result<File, FetchFault> {
        let root = self.store.root().open().map_err(|fault| FetchFault::Io(io::Error::other(fault)))?;
        let maildir: &Path = self.path.as_ref();
        match root.beneath(&maildir.join(found.path()), MESSAGE) {
            Ok(file) => Ok(File::from(file)),
            Err(Errno::NOENT) => Err(FetchFault::Gone),
            // A link, or a socket: no message any more.
            Err(Errno::LOOP | Errno::NXIO) => Err(FetchFault::Changed),
            Err(errno) => Err(FetchFault::Io(errno.into())),
        }
    }

    /// Whether what is in memory can be had without asking another machine.
    pub(in crate::maildir) fn is_local(&self) -> bool {
        self.snapshot.local && self.store.root().answers_at_once()
    }

    /// The file systems of other machines on which the directories lie that were opened, by their devices.
    #[must_use]
    pub fn file_systems(&self) -> FileSystems {
        self.snapshot.file_systems()
    }

    pub(in crate::maildir) fn entry(&self, index: usize) -> Option<&SnapshotEntry> {
        self.snapshot.entries.get(index)
    }

    /// Whether another message's base name differs in `,U=<n>` alone.
    pub(in crate::maildir) fn has_twin(&self, index: usize) -> bool {
        self.snapshot.ids.twins.contains(&index)
    }

    /// Where a message lay when it was last looked for.
    pub(in crate::maildir) fn last_seen(&self, index: usize) -> Option<MessageFile> {
        self.seen_anew(index).or_else(|| self.entry(index).map(|entry| entry.found.clone()))
    }

    /// The names as they were read anew; none if they were not.
    pub(in crate::maildir) fn names_anew(&self) -> Option<&FileList> {
        self.reread.as_ref().map(|(names, _)| names)
    }

    /// Where a message lies by the names as they were read anew; none if it is not among them.
    pub(in crate::maildir) fn seen_anew(&self, index: usize) -> Option<MessageFile> {
        let wanted = &self.entry(index)?.found;
        self.names_anew()?.follow(wanted, self.beside()).cloned()
    }

    /// The messages that share their names with others, and the further files of messages.
    pub(in crate::maildir) fn beside(&self) -> impl Iterator<Item = &MessageFile> {
        let twins = self.snapshot.ids.twins.iter().filter_map(|index| self.entry(*index)).map(|entry| &entry.found);
        twins.chain(self.snapshot.all_copies())
    }

    /// Where a file lies by the names as they were read anew; none if it is not among them.
    pub(in crate::maildir) fn file_seen_anew(&self, wanted: &MessageFile) -> Option<MessageFile> {
        self.names_anew()?.follow(wanted, self.beside()).cloned()
    }

    pub(in crate::maildir) fn parts(&self) -> Result<Parts, EnterFault> {
        Parts::open(&self.store.root().open()?, self.path.as_ref())
    }

    /// What was there when the maildrop was entered must still be: what is on an unmounted disk is not gone.
    pub(in crate::maildir) fn require_parts(&self, parts: &Parts) -> io::Result<()> {
        let missing = |what: &str| io::Error::new(io::ErrorKind::NotFound, format!("{what} missing"));
        let fell_away = |place, before: Option<DirectoryStamp>| before.is_some() && parts.get(place).is_none();
        match &self.snapshot.stamps {
            _ if parts.are_missing() => Err(missing("new and cur are both")),
            stamps if fell_away(Subdirectory::New, stamps.new) => Err(missing("new is")),
            stamps if fell_away(Subdirectory::Cur, stamps.cur) => Err(missing("cur is")),
            _ => Ok(()),
        }
    }

    /// Whether the names as they were read anew are still good, and a message is not among them: a client may ask for
    /// thousands that are gone, one after the other.
    fn is_known_gone(&self, index: usize, parts: &Parts) -> io::Result<bool> {
        /// What was not there so short a time ago counts as gone, whatever changes beside it.
        const BRIEFLY: Duration = Duration::from_secs(1);
        self.require_parts(parts)?;
        let Some((names, at)) = &self.reread else { return Ok(false) };
        if self.seen_anew(index).is_some() {
            return Ok(false);
        }
        Ok(at.elapsed() < BRIEFLY || names.settled && names.stamps == parts.stamps(names.local)?)
    }

    /// Reads the names again, to follow what has moved.
    pub(in crate::maildir) fn reread(&mut self, parts: &Parts) -> io::Result<()> {
        self.require_parts(parts)?;
        self.reread = Some((parts.names(self.store.settling())?, Instant::now()));
        Ok(())
    }
}

impl fmt::Debug for Maildrop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let messages = self.snapshot.entries.len();
        f.debug_struct("Maildrop").field("path", &self.path).field("messages", &messages).finish_non_exhaustive()
    }
}

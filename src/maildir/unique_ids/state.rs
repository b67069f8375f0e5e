//! The sources of a snapshot's unique-ids, and whether they are still current.

use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::assign::{Assignment, PendingPin, PendingPins, UidAssigner, WaitingMessages};
use super::import::{ForeignLists, ListContents, ListStamps, UniqueIdSettings, changed_since};
use super::pins::{self, Pins};
use crate::maildir::fault::EnterFault;
use crate::maildir::files::{FileStamp, MessageFile, Moment, bounds};
use crate::maildir::mail_root::{MaildropPath, OpenRoot, Root};

/// The files that are read before unique-ids are assigned.
pub(in crate::maildir) struct UidSources {
    pins: Pins,
    contents: ListContents,
}

/// What a snapshot remembers about them.
#[derive(Clone, Debug, Default)]
pub(in crate::maildir) struct UidState {
    /// The pins that are needed before a client sees the unique-ids.
    pending_pins: Arc<PendingPins>,
    /// The messages, by index, whose base names differ from another's only in `,U=<n>`.
    pub(in crate::maildir) name_sharers: Vec<usize>,
    pins: Option<FileStamp>,
    lists: ListStamps,
    /// Whether another server's list was found.
    has_list: bool,
    /// Why an existing list is unusable.
    unusable: Option<Arc<str>>,
    /// Whether pins were found.
    has_pins: bool,
    /// The messages that wait for another server.
    waiting: Arc<WaitingMessages>,
    /// When the first of them is shown.
    until: Option<Moment>,
}

impl UidSources {
    /// Reads pins and lists.
    ///
    /// # Errors
    /// Some exist and cannot be read: without them, clients might be shown other unique-ids than they know.
    pub(in crate::maildir) fn read(
        root: &OpenRoot<'_>,
        lists: Option<&Root>,
        path: &MaildropPath,
        settings: &UniqueIdSettings,
        mount_table: &Path,
    ) -> Result<Self, EnterFault> {
        let pins = match root.directory(path.as_ref())? {
            Some(maildir) => pins::read(maildir.as_fd()),
            None => Ok(Pins::default()),
        };
        let pins = pins.map_err(|error| EnterFault::unavailable(format!("{path}: the pins"), &error))?;
        if pins.damaged > 0 {
            let (maildrop, lines) = (path.to_string(), pins.damaged);
            tracing::error!(
                name: "pins_damaged",
                maildrop, lines,
                "pins are damaged: the lines are restored from the previous file"
            );
        }
        let contents = if settings.import.reads() {
            contents(root, lists, path, settings, mount_table)?
        } else {
            ListContents::default()
        };
        Ok(Self { pins, contents })
    }

    /// Assigns unique-ids from these sources.
    pub(in crate::maildir) fn assigner<'a>(&'a self, settings: &'a UniqueIdSettings) -> UidAssigner<'a> {
        let lists = settings.import.reads().then(|| ForeignLists::parse(&self.contents, settings));
        UidAssigner { settings, pins: &self.pins, lists }
    }

    /// What a snapshot made from them remembers.
    pub(in crate::maildir) fn ids(&self, assigner: &UidAssigner<'_>, assignment: &Assignment) -> UidState {
        UidState {
            pending_pins: Arc::default(),
            name_sharers: Vec::new(),
            pins: self.pins.stamp,
            lists: self.contents.stamps,
            has_list: assigner.lists.as_ref().is_some_and(ForeignLists::is_any),
            unusable: assigner.lists.as_ref().and_then(|lists| lists.unusable.as_deref().map(Arc::from)),
            has_pins: self.has_pins(),
            waiting: Arc::new(assignment.waiting.clone()),
            until: assignment.waiting.values().min().map(|since| since.later_by(assigner.settings.follow_wait)),
        }
    }

    /// Whether clients know any message.
    pub(in crate::maildir) fn has_pins(&self) -> bool {
        !self.pins.is_empty()
    }

    /// Logs what is wrong with the lists, once for each of their states.
    pub(in crate::maildir) fn log_faults(
        &self,
        path: &MaildropPath,
        assigner: &UidAssigner<'_>,
        assignment: &Assignment,
        earlier: Option<&UidState>,
    ) {
        if earlier.is_some_and(|earlier| earlier.lists == self.contents.stamps) {
            return;
        }
        if let Some(fault) = assigner.lists.as_ref().and_then(|lists| lists.unusable.as_ref()) {
            tracing::error!(
                name: "uidl_list_to_be_repaired",
                maildrop = path.to_string(),
                reason = &**fault,
                "UIDL is answered by [SYS/TEMP] until this list is repaired or removed, left out of uidl.precedence, or uidl.import is done"
            );
        }
        for fault in assigner.lists.iter().flat_map(|lists| &lists.faults) {
            let unlisted = assignment.unlisted();
            tracing::warn!(
                name: "uidl_list_incomplete",
                maildrop = path.to_string(),
                reason = &**fault,
                unlisted,
                "another server's list of unique-ids is incomplete"
            );
        }
    }
}

impl UidState {
    /// Records what else is known about a message, in addition to its unique-id.
    pub(in crate::maildir) fn note(&mut self, index: usize, shares_name: bool, pending_pin: Option<PendingPin>) {
        self.name_sharers.extend(shares_name.then_some(index));
        if let Some(pending_pin) = pending_pin {
            Arc::make_mut(&mut self.pending_pins).insert(index, pending_pin);
        }
    }

    /// Whether something must be pinned before a client sees it.
    pub(in crate::maildir) fn needs_pins(&self) -> bool {
        !self.pending_pins.is_empty()
    }

    pub(in crate::maildir) fn pending_pin(&self, index: usize) -> Option<&PendingPin> {
        self.pending_pins.get(&index)
    }

    /// Since when a message waits for another server; none if it does not.
    pub(in crate::maildir) fn waits_since(&self, found: &MessageFile) -> Option<Moment> {
        self.waiting.get(&*found.identity()).copied()
    }

    /// Why an existing list is unusable: it may contain what clients know.
    pub(in crate::maildir) fn unusable_list(&self) -> Option<&str> {
        self.unusable.as_deref()
    }

    pub(in crate::maildir) fn has_list(&self) -> bool {
        self.has_list
    }

    /// Whether clients have seen something that had to be pinned.
    pub(in crate::maildir) fn has_pins(&self) -> bool {
        self.has_pins
    }

    /// Octets of memory that it takes at most.
    pub(in crate::maildir) fn memory(&self) -> usize {
        /// What a map adds to each entry.
        const OVERHEAD: usize = 64;
        let pending_pins =
            self.pending_pins.values().map(|pending_pin| size_of::<PendingPin>() + pending_pin.key.len() + OVERHEAD);
        let waiting = self.waiting.keys().map(|key| size_of::<Moment>() + key.len() + OVERHEAD);
        pending_pins.sum::<usize>() + waiting.sum::<usize>() + size_of_val(&*self.name_sharers)
    }

    /// The same after some messages were pinned.
    pub(in crate::maildir) fn after_pinning(&self, indices: &[usize], stamp: Option<FileStamp>) -> Self {
        let mut pending_pins = PendingPins::clone(&self.pending_pins);
        for index in indices {
            pending_pins.remove(index);
        }
        Self { pending_pins: Arc::new(pending_pins), pins: stamp, has_pins: true, ..self.clone() }
    }

    /// Whether pins and lists are unchanged. If there are neither, the disk is not asked.
    pub(in crate::maildir) fn are_current(
        &self,
        root: &Root,
        path: &MaildropPath,
        settings: &UniqueIdSettings,
    ) -> bool {
        if self.until.is_some_and(|until| until < Moment::before(Duration::ZERO)) {
            return false;
        }
        let maildir = root.path().join(path);
        let watches_pins = settings.import.reads() || self.pins.is_some();
        let is_same = |stamp: io::Result<Option<FileStamp>>| stamp.is_ok_and(|stamp| stamp == self.pins);
        if watches_pins && !is_same(pins::stamp(&maildir)) {
            return false;
        }
        let directory = || lists_directory(settings.lists_root.as_deref(), root.path(), path);
        !settings.import.reads()
            || directory().is_none_or(|directory| !changed_since(&self.lists, &directory, settings))
    }
}

/// Where a person's lists are; none if they are not beside the mail, and the person has no path to them.
fn lists_directory(lists_root: Option<&Path>, mail_root: &Path, path: &MaildropPath) -> Option<PathBuf> {
    match lists_root {
        None => Some(mail_root.join(path)),
        Some(lists_root) => path.lists().map(|lists| lists_root.join(lists)),
    }
}

fn contents(
    root: &OpenRoot<'_>,
    lists: Option<&Root>,
    path: &MaildropPath,
    settings: &UniqueIdSettings,
    mount_table: &Path,
) -> Result<ListContents, EnterFault> {
    let unreadable = |(name, error): (&str, io::Error)| EnterFault::unavailable(format!("{path}: {name}"), &error);
    let messages = || match root.directory(path.as_ref()).map_err(io::Error::other)? {
        Some(maildir) => bounds::messages(maildir.as_fd()),
        None => Ok(0),
    };
    let Some(lists) = lists else {
        return ListContents::read(root.as_fd(), path.as_ref(), settings, messages).map_err(unreadable);
    };
    let Some(way) = path.lists() else { return Ok(ListContents::default()) };
    let opened = lists.open()?;
    let contents = ListContents::read(opened.as_fd(), way, settings, messages).map_err(unreadable)?;
    if contents.is_none() {
        // Otherwise our own unique-ids would be pinned for ever, in place of those that clients know.
        opened.require_same()?;
        opened.require_mounted(way, mount_table)?;
    }
    Ok(contents)
}

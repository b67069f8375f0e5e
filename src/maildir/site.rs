//! What nearly all rooms need: the mail root, the root of other servers' lists, the mounts, the clock, and the
//! settings.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf, absolute};
use std::sync::Arc;
use std::time::Duration;

use crate::maildir::clock::Clock;
use crate::maildir::fault::{EnterFault, StoreFault};
use crate::maildir::mail_root::{FileSystems, MaildropPath, Mounts, Root, RootKind};
use crate::maildir::settings::{Deletion, Settings};
use crate::maildir::unique_ids::{LIST_FILES, Pins, Retrievals, UniqueIdSettings, pins};

/// Where mail is, and how it is treated. One for each [`Store`](crate::maildir::Store).
#[derive(Debug)]
pub(in crate::maildir) struct Site {
    root: Root,
    /// That of other servers' lists, if they are read and do not lie beside the mail.
    lists: Option<Root>,
    mounts: Arc<Mounts>,
    clock: Clock,
    settings: Settings,
}

impl Site {
    /// Looks at the roots, and remembers which directories they are. Blocks while the disk answers.
    ///
    /// # Errors
    /// A root is not a readable directory, or its marker is missing.
    pub(in crate::maildir) fn new(settings: Settings) -> Result<Self, StoreFault> {
        let lists_root = settings.unique_ids.lists_root.as_deref();
        let roots = || [Some(&*settings.root), lists_root].into_iter().flatten();
        let trees = roots().filter_map(|root| root.canonicalize().ok());
        let mounts = Arc::new(Mounts::new(trees.chain(roots().filter_map(|root| absolute(root).ok())).collect()));
        let root = Root::new(RootKind::Mail, settings.root.clone(), &settings.markers, Arc::clone(&mounts))?;
        let lists_root = lists_root.filter(|_| settings.unique_ids.import.reads()).map(Path::to_owned);
        let lists = lists_root
            .map(|path| Root::new(RootKind::Lists, path, &settings.unique_ids.list_markers, Arc::clone(&mounts)))
            .transpose()?;
        let clock = Clock::new(root.path());
        Ok(Self { root, lists, mounts, clock, settings })
    }

    pub(in crate::maildir) fn root(&self) -> &Root {
        &self.root
    }

    /// The root of other servers' lists, if they are read and do not lie beside the mail.
    pub(in crate::maildir) fn lists(&self) -> Option<&Root> {
        self.lists.as_ref()
    }

    /// The time by which mail expires.
    pub(in crate::maildir) fn clock(&self) -> &Clock {
        &self.clock
    }

    pub(in crate::maildir) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(in crate::maildir) fn unique_ids(&self) -> &UniqueIdSettings {
        &self.settings.unique_ids
    }

    pub(in crate::maildir) fn timestamp_granularity(&self) -> Duration {
        self.settings.timestamp_granularity
    }

    /// The current generation of the mounts.
    pub(in crate::maildir) fn mounts_generation(&self) -> u64 {
        self.mounts.now().generation
    }

    /// Requires the markers: without them, no mail counts as gone.
    ///
    /// # Errors
    /// A marker is missing.
    pub(in crate::maildir) fn require_markers(&self, path: &MaildropPath) -> Result<(), EnterFault> {
        self.root.require_markers(path.markers())?;
        self.lists().map_or(Ok(()), |lists| lists.require_markers(path.list_markers()))
    }

    /// The Maildir itself, if it exists.
    ///
    /// # Errors
    /// See [`EnterFault`].
    pub(in crate::maildir) fn directory(&self, path: &MaildropPath) -> Result<Option<OwnedFd>, EnterFault> {
        self.root.open()?.directory(path.as_ref())
    }

    /// The pins of a maildrop.
    ///
    /// # Errors
    /// The pins cannot be read.
    pub(in crate::maildir) fn pins(&self, path: &MaildropPath) -> io::Result<Pins> {
        let root = self.root.open().map_err(io::Error::other)?;
        let maildir = root.directory(path.as_ref()).map_err(io::Error::other)?;
        maildir.map_or_else(|| Ok(Pins::default()), |maildir| pins::read(maildir.as_fd()))
    }

    /// Who has retrieved which message of a maildrop.
    ///
    /// # Errors
    /// The pins cannot be read.
    pub(in crate::maildir) fn retrievals(&self, path: &MaildropPath) -> Result<Retrievals, EnterFault> {
        let pins = self.pins(path).map_err(|error| EnterFault::unavailable(format!("{path}: the pins"), &error))?;
        Ok(Retrievals::of(pins))
    }

    /// The file systems of a maildrop's files, of the path to them, and of other servers' lists if those are read.
    /// Links are followed. Blocks while the disks of this machine answer, never for another machine.
    pub(in crate::maildir) fn file_systems(&self, path: &MaildropPath) -> FileSystems {
        let mut found = FileSystems::default();
        for path in std::iter::once(path).chain(path.as_stored()) {
            self.add_file_systems(path, &mut found);
        }
        found
    }

    fn add_file_systems(&self, path: &MaildropPath, found: &mut FileSystems) {
        let folder = match &self.settings.deletion {
            Deletion::Move(folder, _) => Some(folder.directory()),
            Deletion::Remove | Deletion::Keep(_) => None,
        };
        let folders = folder.iter().flat_map(|folder| ["new", "cur"].map(|part| folder.join(part)));
        let parts = ["new", "cur", "tmp"].map(PathBuf::from).into_iter().chain(folders);
        let files = || LIST_FILES.map(PathBuf::from);
        // Unless they have a root of their own, lists are beside the mail.
        let beside = self.settings.unique_ids.import.reads() && self.lists.is_none();
        let parts = parts.chain(beside.then(files).into_iter().flatten());
        self.root.add_file_systems(path.as_ref(), parts, path.markers(), found);
        if let (Some(lists), Some(way)) = (&self.lists, path.lists()) {
            lists.add_file_systems(way, files().into_iter(), path.list_markers(), found);
        }
    }
}

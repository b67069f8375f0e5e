//! The mail store: where maildrops are entered, and what is remembered of them in between.

use std::io;
use std::path::{Path, PathBuf, absolute};
use std::sync::Arc;
use std::time::Duration;

use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use rustix::fs::{AtFlags, OFlags, statat};

use crate::maildir::clock::Clock;
use crate::maildir::fault::{EnterFault, StoreFault};
use crate::maildir::files::{FileList, MessageFile, Moment, Parts};
use crate::maildir::mail_root::{FileSystems, MaildropPath, Mounts, OpenRoot, Root, RootKind};
use crate::maildir::maildrop::Maildrop;
use crate::maildir::missing;
use crate::maildir::removal::Deletion;
use crate::maildir::settings::{Offer, Settings};
use crate::maildir::snapshot::{
    CachedMaildrop, Corrections, EightBitHeaders, KnownHeaders, Measurement, MovedMessages, PriorSizes, RemovedFiles,
    SharedNames, SizeIndex, Snapshot, Surrogates, index_file,
};
use crate::maildir::unique_ids::{LIST_FILES, UidSources, UniqueIdSettings};

/// How often the names are read again because a message went elsewhere before it was counted.
pub(super) const ROUNDS: usize = 20;

/// How a message's file is opened: never through a link, never waiting for a pipe's other end.
pub(super) const MESSAGE: OFlags =
    OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);

/// All Maildirs below the mail root. Cloning gives the same store.
#[derive(Clone)]
pub struct Store {
    inner: Arc<StoreInner>,
}

struct StoreInner {
    root: Root,
    /// That of other servers' lists, if they are read and do not lie beside the mail.
    lists: Option<Root>,
    mounts: Arc<Mounts>,
    clock: Clock,
    settling: Duration,
    settings: Settings,
    kept: Cache<MaildropPath, Arc<CachedMaildrop>>,
}

impl Store {
    /// Looks at the mail root, and remembers which directory it is. Blocks while the disk answers.
    ///
    /// # Errors
    /// The root is no directory that can be read, or the marker is not there.
    pub fn new(settings: Settings) -> Result<Self, StoreFault> {
        let lists_root = settings.unique_ids.lists_root.as_deref();
        let roots = || [Some(&*settings.root), lists_root].into_iter().flatten();
        let trees = roots().filter_map(|root| root.canonicalize().ok());
        let mounts = Arc::new(Mounts::new(trees.chain(roots().filter_map(|root| absolute(root).ok())).collect()));
        let root = Root::new(RootKind::Mail, settings.root.clone(), &settings.markers, Arc::clone(&mounts))?;
        let lists_root = lists_root.filter(|_| settings.unique_ids.import.reads()).map(Path::to_owned);
        let lists = lists_root
            .map(|path| Root::new(RootKind::Lists, path, &settings.unique_ids.list_markers, Arc::clone(&mounts)))
            .transpose()?;
        let weight = |_: &MaildropPath, kept: &Arc<CachedMaildrop>| u32::try_from(kept.memory()).unwrap_or(u32::MAX);
        let kept = Cache::builder()
            .max_capacity(settings.kept_octets)
            .weigher(weight)
            .eviction_policy(EvictionPolicy::lru())
            .build();
        let clock = Clock::new(root.path());
        let inner = StoreInner { root, clock, lists, mounts, settling: settings.settling, settings, kept };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Takes the snapshot that one session works with. Blocks while the disk answers; where nothing has changed since
    /// the last session, that is two `stat` calls, and one more for the marker.
    ///
    /// A Maildir that was never made is an empty maildrop, but only where it is sure that its disk is mounted: after an
    /// empty answer every client would forget its unique-ids, and download everything again.
    ///
    /// # Errors
    /// See [`EnterFault`].
    pub fn enter(&self, path: &MaildropPath) -> Result<Maildrop, EnterFault> {
        let path = &*self.choose(path)?;
        self.require_markers(path)?;
        let kept = self.inner.kept.get_with_by_ref(path, Arc::default);
        let snapshot = match self.inner.unchanged(path, &kept) {
            Some(snapshot) => snapshot,
            None => self.inner.renewed(path, &kept)?,
        };
        Ok(Maildrop::new(self.clone(), path.clone(), kept, snapshot))
    }

    /// The same where nothing has changed since the last session, by those few `stat` calls; none where it takes more, or
    /// where a `stat` call may wait for another machine. So it may be called where nothing may block.
    #[must_use]
    pub fn enter_unchanged(&self, path: &MaildropPath) -> Option<Maildrop> {
        // What is unread is told by the pins, which must be read.
        if path.as_stored().is_some() || self.settings().offer == Offer::Unread {
            return None;
        }
        let kept = self.inner.kept.get(path)?;
        if !kept.is_local_at(self.inner.mounts.now().generation) {
            return None;
        }
        // Settled are those on local file systems only.
        let snapshot = self.inner.unchanged(path, &kept)?;
        self.require_markers(path).ok()?;
        Some(Maildrop::new(self.clone(), path.clone(), kept, snapshot))
    }

    /// The file systems on which the files of a maildrop lie, those on the way to them, and those of other servers' lists
    /// where these are read. Links are followed. Blocks while the disks of this machine answer, never for another machine.
    #[must_use]
    pub fn file_systems(&self, path: &MaildropPath) -> FileSystems {
        let generation = self.inner.mounts.now().generation;
        let found = self.inner.file_systems(path);
        if found.are_local() {
            self.inner.kept.get_with_by_ref(path, Arc::default).lies_local_at(generation);
        }
        found
    }

    /// Whether all that was known to lie on this machine still does: nothing was mounted since.
    pub(super) fn is_local_still(&self, kept: &CachedMaildrop) -> bool {
        kept.is_local_at(self.inner.mounts.now().generation)
    }

    /// Whether there were messages when the maildrop was last seen, as far as that is remembered.
    pub(super) fn held_messages(&self, path: &MaildropPath) -> bool {
        let kept = self.inner.kept.get(&path.with_lists_of(path));
        kept.is_some_and(|kept| kept.messages() > 0)
    }

    /// Where a marker is missing, nobody is told that their mail is gone.
    pub(super) fn require_markers(&self, path: &MaildropPath) -> Result<(), EnterFault> {
        self.inner.root.require_markers(path.markers())?;
        self.lists().map_or(Ok(()), |lists| lists.require_markers(path.list_markers()))
    }

    pub(super) fn root(&self) -> &Root {
        &self.inner.root
    }

    /// The root of other servers' lists, if they are read and do not lie beside the mail.
    pub(super) fn lists(&self) -> Option<&Root> {
        self.inner.lists.as_ref()
    }

    /// Whether the time for which mail stays differs from person to person.
    #[must_use]
    pub fn terms_differ(&self) -> bool {
        self.settings().terms_differ
    }

    /// The time by which mail ages.
    pub(super) fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    pub(super) fn unique_ids(&self) -> &UniqueIdSettings {
        &self.inner.settings.unique_ids
    }

    pub(super) fn settling(&self) -> Duration {
        self.inner.settling
    }
}

impl StoreInner {
    fn file_systems(&self, path: &MaildropPath) -> FileSystems {
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
        // Unless they have a root of their own, lists lie beside the mail.
        let beside = self.settings.unique_ids.import.reads() && self.lists.is_none();
        let parts = parts.chain(beside.then(files).into_iter().flatten());
        self.root.add_file_systems(path.as_ref(), parts, path.markers(), found);
        if let (Some(lists), Some(way)) = (&self.lists, path.lists()) {
            lists.add_file_systems(way, files().into_iter(), path.list_markers(), found);
        }
    }

    /// The kept snapshot, if `new` and `cur` are as they were.
    fn unchanged(&self, path: &MaildropPath, kept: &CachedMaildrop) -> Option<Arc<Snapshot>> {
        let snapshot = kept.settled()?;
        let is_same = self.root.stamps(path.as_ref()) == Some(snapshot.stamps);
        (is_same && snapshot.ids.are_current(&self.root, path, &self.settings.unique_ids)).then_some(snapshot)
    }

    /// A new snapshot; of several sessions that want one at the same moment, one makes it.
    fn renewed(&self, path: &MaildropPath, kept: &Arc<CachedMaildrop>) -> Result<Arc<Snapshot>, EnterFault> {
        let _building = kept.building();
        if let Some(snapshot) = self.unchanged(path, kept) {
            return Ok(snapshot);
        }
        let root = self.root.open()?;
        // Before `new` and `cur` are held open: a login wants few descriptors at once.
        let sought = UidSources::read(&root, self.lists.as_ref(), path, &self.settings)?;
        let parts = Parts::open(&root, path.as_ref())?;
        missing::check(&root, path, &parts, &self.settings)?;
        if parts.are_missing() {
            return missing(path, kept, &sought);
        }
        let (earlier, mends, removed) = kept.known();
        let octets = if earlier.is_none() { index_file::read(&root, path) } else { None };
        let index = octets.as_deref().and_then(|octets| usable(&root, path, octets));
        let noted = PriorState { mends: &mends, removed: &removed, index: index.as_ref() };
        let mut snapshot = self.scan(path, &parts, &sought, earlier, &noted)?;
        if snapshot.is_worth_noting() || (!mends.is_empty() && snapshot.has_news()) {
            note(&root, path, kept, &mut snapshot);
        }
        let snapshot = Arc::new(snapshot);
        kept.replace(Arc::clone(&snapshot), &mends, &removed);
        // Weighed when it is put in: once more, now that it holds the messages.
        self.kept.insert(path.clone(), Arc::clone(kept));
        Ok(snapshot)
    }

    /// Reads the names, and opens what is new. A message that moves before it is counted is followed, and the names are read
    /// again; what was counted by then is not opened twice.
    fn scan(
        &self,
        path: &MaildropPath,
        parts: &Parts,
        sought: &UidSources,
        mut earlier: Option<Arc<Snapshot>>,
        noted: &PriorState<'_>,
    ) -> Result<Snapshot, EnterFault> {
        let told = earlier.as_ref().is_some_and(|snapshot| snapshot.odd);
        let before = earlier.clone();
        let sources = sought.sources(&self.settings.unique_ids);
        let mut followed = MovedMessages::default();
        let unavailable = |error: io::Error| EnterFault::unavailable(path, &error);
        for round in 0..ROUNDS {
            let mut names = self.names(path, parts, before.as_deref(), noted)?;
            if let (Some(odd), false, 0) = (&names.odd, told, round) {
                tracing::warn!(maildrop = %path, first = %odd.display(), "left out what is no regular file");
            }
            followed.leave_out_gone(&mut names.found);
            let known = PriorSizes::new(earlier.as_deref(), noted.mends, noted.removed).and(noted.index);
            let kinship = SharedNames::new(parts, sources.pins, noted.removed).with(&known);
            let (found, resolved) = kinship.resolve(std::mem::take(&mut names.found)).map_err(unavailable)?;
            let since = |found: &MessageFile| waits_since(parts, found, earlier.as_deref());
            let settlement = sources.settle(found, |found| known.unique_id(found).cloned(), since);
            if round == 0 {
                sought.tell_faults(path, &sources, &settlement, earlier.as_deref());
            }
            let ids = sought.ids(&sources, &settlement);
            let (contents, largest) = (resolved.contents.clone(), self.settings.largest_message);
            let measuring = Measurement { path, parts, known: &known, contents: &contents, largest };
            let (snapshot, moved) = Snapshot::build(&names, settlement, ids, &known, resolved, |found| {
                followed.size(found).map_or_else(|| measuring.size(found), |size| Ok(Some(size)))
            })?;
            if moved.is_empty() {
                return self.with_surrogates(path, parts, snapshot, before.as_deref());
            }
            followed.follow(&measuring, &moved)?;
            earlier = Some(Arc::new(snapshot));
        }
        Err(EnterFault::Unavailable(format!("{path}: messages moved whenever they were looked for")))
    }

    /// The names, with all that are still there of those that an earlier snapshot had.
    fn names(
        &self,
        path: &MaildropPath,
        parts: &Parts,
        earlier: Option<&Snapshot>,
        noted: &PriorState<'_>,
    ) -> Result<FileList, EnterFault> {
        let unavailable = |error: io::Error| EnterFault::unavailable(path, &error);
        let mut names = parts.names(self.settling).map_err(unavailable)?;
        let known = earlier.iter().flat_map(|snapshot| snapshot.entries.iter()).map(|entry| &entry.found);
        let known = known.filter(|found| !noted.removed.has(found));
        let inodes = noted.index.into_iter().flat_map(SizeIndex::inodes);
        parts.look_again(&mut names, known, inodes).map_err(unavailable)?;
        Ok(names)
    }
}

/// What a new snapshot is made from, besides an earlier one.
struct PriorState<'a> {
    mends: &'a Corrections,
    removed: &'a RemovedFiles,
    index: Option<&'a SizeIndex<'a>>,
}

impl StoreInner {
    fn with_surrogates(
        &self,
        path: &MaildropPath,
        parts: &Parts,
        snapshot: Snapshot,
        before: Option<&Snapshot>,
    ) -> Result<Snapshot, EnterFault> {
        if self.settings.eight_bit_headers == EightBitHeaders::AsTheyAre {
            return Ok(snapshot);
        }
        let largest = self.settings.largest_message;
        let surrogates = Surrogates::look(&snapshot, &KnownHeaders::of(before), largest, parts);
        let surrogates = surrogates.map_err(|error| EnterFault::unavailable(path, &error))?;
        Ok(Snapshot { surrogates: Some(surrogates), ..snapshot })
    }
}

/// The index that these octets are; what is none is put aside.
pub(super) fn usable<'a>(root: &OpenRoot<'_>, path: &MaildropPath, octets: &'a [u8]) -> Option<SizeIndex<'a>> {
    SizeIndex::read(octets).map_err(|why| index_file::put_aside(root, path, why)).ok()
}

/// Writes the index. A Maildir that may not be written, or a full disk, costs the index and nothing else.
fn note(root: &OpenRoot<'_>, path: &MaildropPath, kept: &CachedMaildrop, snapshot: &mut Snapshot) {
    match index_file::write(root, path, &snapshot.index()) {
        Ok(()) => snapshot.set_noted(),
        Err(error) if kept.complain() => {
            tracing::warn!(maildrop = %path, %error, "no index can be written: messages are counted again after a restart");
        }
        Err(_) => {}
    }
}

/// An empty maildrop, unless it held messages when it was last seen, or clients were told of some: then something fell
/// away.
fn missing(path: &MaildropPath, kept: &CachedMaildrop, sought: &UidSources) -> Result<Arc<Snapshot>, EnterFault> {
    match kept.messages() {
        0 if sought.know_pins() || kept.holds_pins() => {
            Err(EnterFault::Unavailable(format!("{path} has neither new nor cur, and clients know messages of it")))
        }
        0 => Ok(Arc::new(Snapshot::empty())),
        held => Err(EnterFault::Unavailable(format!("{path} is missing, and held {held} messages when last seen"))),
    }
}

/// Since when a message may wait for another server: whoever renames it makes it no younger than it was when it was first
/// left out. After a restart it begins anew.
fn waits_since(parts: &Parts, found: &MessageFile, earlier: Option<&Snapshot>) -> Option<Moment> {
    let first = earlier.and_then(|earlier| earlier.ids.waits_since(found));
    changed(parts, found).map(|changed| first.map_or(changed, |first| first.min(changed)))
}

/// When a message's file was last touched; none if it is gone.
pub(super) fn changed(parts: &Parts, found: &MessageFile) -> Option<Moment> {
    let stat = statat(parts.get(found.place)?, &*found.name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
    Some(Moment::changed(&stat))
}

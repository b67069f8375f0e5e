//! Taking snapshots, and caching them for the next session.

use std::io;
use std::sync::Arc;

use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use rustix::fs::{AtFlags, statat};

use super::cache::CachedMaildrop;
use super::corrections::{Corrections, RemovedFiles};
use super::index::SizeIndex;
use super::index_file;
use super::measure::{Measurement, MovedMessages};
use super::messages::Snapshot;
use super::prior_sizes::PriorSizes;
use super::shared_names::SharedNames;
use super::surrogates::{KnownHeaders, Surrogates};
use crate::maildir::fault::EnterFault;
use crate::maildir::files::{FileList, MessageFile, Moment, Parts, Stamps};
use crate::maildir::mail_root::{MaildropPath, OpenRoot};
use crate::maildir::missing;
use crate::maildir::settings::EightBitHeaders;
use crate::maildir::site::Site;
use crate::maildir::unique_ids::UidSources;

/// How often the names are read again because a message moved before it was counted.
pub(in crate::maildir) const ROUNDS: usize = 20;

/// Takes snapshots of maildrops, and caches the last one of each.
pub(in crate::maildir) struct Snapshots {
    site: Site,
    cache: Cache<MaildropPath, Arc<CachedMaildrop>>,
}

/// What a new snapshot is made from, in addition to an earlier one.
struct PriorState<'a> {
    corrections: &'a Corrections,
    removed: &'a RemovedFiles,
    index: Option<&'a SizeIndex<'a>>,
}

impl Snapshots {
    pub(in crate::maildir) fn new(site: Site) -> Self {
        let weight =
            |_: &MaildropPath, cached: &Arc<CachedMaildrop>| u32::try_from(cached.memory()).unwrap_or(u32::MAX);
        let cache = Cache::builder()
            .max_capacity(site.settings().kept_octets)
            .weigher(weight)
            .eviction_policy(EvictionPolicy::lru())
            .build();
        Self { site, cache }
    }

    pub(in crate::maildir) fn site(&self) -> &Site {
        &self.site
    }

    /// What is cached of a maildrop; empty if it was not seen before.
    pub(in crate::maildir) fn cached(&self, path: &MaildropPath) -> Arc<CachedMaildrop> {
        self.cache.get_with_by_ref(path, Arc::default)
    }

    /// What is cached of a maildrop, if anything is.
    pub(in crate::maildir) fn cached_already(&self, path: &MaildropPath) -> Option<Arc<CachedMaildrop>> {
        self.cache.get(path)
    }

    /// Whether a maildrop that was on this machine still is: nothing was mounted since.
    pub(in crate::maildir) fn is_local_still(&self, cached: &CachedMaildrop) -> bool {
        cached.is_local_at(self.site.mounts_generation())
    }

    /// Whether there were messages when the maildrop was last seen, as far as that is cached.
    pub(in crate::maildir) fn had_messages(&self, path: &MaildropPath) -> bool {
        let cached = self.cached_already(&path.with_lists_of(path));
        cached.is_some_and(|cached| cached.messages() > 0)
    }

    /// The current snapshot of a maildrop: the last one if nothing has changed, or else a new one. Blocks while the
    /// disk answers.
    ///
    /// # Errors
    /// See [`EnterFault`].
    pub(in crate::maildir) fn take(
        &self,
        path: &MaildropPath,
        cached: &Arc<CachedMaildrop>,
    ) -> Result<Arc<Snapshot>, EnterFault> {
        match self.unchanged(path, cached) {
            Some(snapshot) => Ok(snapshot),
            None => self.renewed(path, cached),
        }
    }

    /// The cached snapshot, if `new` and `cur` are unchanged.
    pub(in crate::maildir) fn unchanged(&self, path: &MaildropPath, cached: &CachedMaildrop) -> Option<Arc<Snapshot>> {
        let (site, snapshot) = (&self.site, cached.reusable()?);
        let is_same = Stamps::at(site.root(), path.as_ref()) == Some(snapshot.stamps);
        (is_same && snapshot.ids.are_current(site.root(), path, site.unique_ids())).then_some(snapshot)
    }

    /// A new snapshot; of several sessions that want one at the same moment, one makes it.
    fn renewed(&self, path: &MaildropPath, cached: &Arc<CachedMaildrop>) -> Result<Arc<Snapshot>, EnterFault> {
        let _building = cached.building();
        if let Some(snapshot) = self.unchanged(path, cached) {
            return Ok(snapshot);
        }
        let site = &self.site;
        let root = site.root().open()?;
        // Before `new` and `cur` are opened: a login should need few descriptors at once.
        let sources = UidSources::read(&root, site.lists(), path, site.unique_ids(), &site.settings().mount_table)?;
        let parts = Parts::open(&root, path.as_ref())?;
        missing::check(&root, path, &parts, site.settings())?;
        if parts.are_missing() {
            return empty_unless_known(path, cached, &sources);
        }
        let (earlier, corrections, removed) = cached.known();
        let octets = if earlier.is_none() { index_file::read(&root, path) } else { None };
        let index = octets.as_deref().and_then(|octets| parse_index(&root, path, octets));
        let prior = PriorState { corrections: &corrections, removed: &removed, index: index.as_ref() };
        let mut snapshot = self.scan(path, &parts, &sources, earlier, &prior)?;
        if snapshot.is_worth_indexing() || (!corrections.is_empty() && snapshot.has_unindexed()) {
            write_index(&root, path, cached, &mut snapshot);
        }
        let snapshot = Arc::new(snapshot);
        cached.replace(Arc::clone(&snapshot), &corrections, &removed);
        // The cache weighs a value when it is inserted, so it is inserted again now that it has the messages.
        self.cache.insert(path.clone(), Arc::clone(cached));
        Ok(snapshot)
    }

    /// Reads the names, and opens new files. A message that moves before it is counted is followed, and the names are
    /// read again; files that were counted are not opened twice.
    fn scan(
        &self,
        path: &MaildropPath,
        parts: &Parts,
        sources: &UidSources,
        mut earlier: Option<Arc<Snapshot>>,
        prior: &PriorState<'_>,
    ) -> Result<Snapshot, EnterFault> {
        let was_logged = earlier.as_ref().is_some_and(|snapshot| snapshot.odd);
        let before = earlier.clone();
        let assigner = sources.assigner(self.site.unique_ids());
        let mut moved_messages = MovedMessages::default();
        let unavailable = |error: io::Error| EnterFault::unavailable(path, &error);
        for round in 0..ROUNDS {
            let mut names = self.names(path, parts, before.as_deref(), prior)?;
            if let (Some(odd), false, 0) = (&names.odd, was_logged, round) {
                tracing::warn!(
                    name: "ignored_not_a_regular_file",
                    maildrop = path.to_string(),
                    first = odd.display().to_string(),
                    "ignored: not a regular file"
                );
            }
            moved_messages.leave_out_gone(&mut names.found);
            let known = PriorSizes::new(earlier.as_deref(), prior.corrections, prior.removed).and(prior.index);
            let shared_names = SharedNames::new(parts, assigner.pins, prior.removed).with(&known);
            let (found, resolved) = shared_names.resolve(std::mem::take(&mut names.found)).map_err(unavailable)?;
            let since = |found: &MessageFile| waits_since(parts, found, earlier.as_deref());
            let assignment = assigner.assign(found, |found| known.unique_id(found).cloned(), since);
            if round == 0 {
                sources.log_faults(path, &assigner, &assignment, earlier.as_deref().map(|earlier| &earlier.ids));
            }
            let ids = sources.ids(&assigner, &assignment);
            let (contents, largest) = (resolved.contents.clone(), self.site.settings().largest_message);
            let measurement = Measurement { path, parts, known: &known, contents: &contents, largest };
            let (snapshot, moved) = Snapshot::build(&names, assignment, ids, &known, resolved, |found| {
                moved_messages.size(found).map_or_else(|| measurement.size(found), |size| Ok(Some(size)))
            })?;
            if moved.is_empty() {
                return self.with_surrogates(path, parts, snapshot, before.as_deref());
            }
            moved_messages.follow(&measurement, &moved)?;
            earlier = Some(Arc::new(snapshot));
        }
        Err(EnterFault::Unavailable(format!("{path}: messages moved whenever they were looked for")))
    }

    /// The names, including all files of an earlier snapshot that still exist.
    fn names(
        &self,
        path: &MaildropPath,
        parts: &Parts,
        earlier: Option<&Snapshot>,
        prior: &PriorState<'_>,
    ) -> Result<FileList, EnterFault> {
        let unavailable = |error: io::Error| EnterFault::unavailable(path, &error);
        let mut names = parts.names(self.site.timestamp_granularity()).map_err(unavailable)?;
        let known = earlier.iter().flat_map(|snapshot| snapshot.entries.iter()).map(|entry| &entry.found);
        let known = known.filter(|found| !prior.removed.has(found));
        let inodes = prior.index.into_iter().flat_map(SizeIndex::inodes);
        parts.look_again(&mut names, known, inodes).map_err(unavailable)?;
        Ok(names)
    }

    fn with_surrogates(
        &self,
        path: &MaildropPath,
        parts: &Parts,
        snapshot: Snapshot,
        before: Option<&Snapshot>,
    ) -> Result<Snapshot, EnterFault> {
        if self.site.settings().eight_bit_headers == EightBitHeaders::AsTheyAre {
            return Ok(snapshot);
        }
        let largest = self.site.settings().largest_message;
        let known = before.and_then(|before| Some((&*before.entries, before.surrogates.as_ref()?)));
        let known = KnownHeaders::of(known);
        let surrogates = Surrogates::look((&snapshot.entries, &snapshot.listed), &known, largest, parts);
        let surrogates = surrogates.map_err(|error| EnterFault::unavailable(path, &error))?;
        Ok(Snapshot { surrogates: Some(surrogates), ..snapshot })
    }
}

/// Parses an index; a file that is not one is put aside.
pub(in crate::maildir) fn parse_index<'a>(
    root: &OpenRoot<'_>,
    path: &MaildropPath,
    octets: &'a [u8],
) -> Option<SizeIndex<'a>> {
    SizeIndex::read(octets).map_err(|why| index_file::put_aside(root, path, why)).ok()
}

/// Writes the index. If the Maildir may not be written, or the disk is full, only the index is lost.
fn write_index(root: &OpenRoot<'_>, path: &MaildropPath, cached: &CachedMaildrop, snapshot: &mut Snapshot) {
    match index_file::write(root, path, &snapshot.index()) {
        Ok(()) => snapshot.set_indexed(),
        Err(error) if cached.is_first_failure() => {
            tracing::warn!(
                name: "index_cannot_be_written",
                maildrop = path.to_string(),
                reason = error.to_string(),
                "the index cannot be written: message sizes are determined again after a restart"
            );
        }
        Err(_) => {}
    }
}

/// An empty maildrop; but if it had messages when it was last seen, or clients know some, a disk may be missing.
fn empty_unless_known(
    path: &MaildropPath,
    cached: &CachedMaildrop,
    sources: &UidSources,
) -> Result<Arc<Snapshot>, EnterFault> {
    match cached.messages() {
        0 if sources.has_pins() || cached.has_pins() => {
            Err(EnterFault::Unavailable(format!("{path} has neither new nor cur, and clients know messages of it")))
        }
        0 => Ok(Arc::new(Snapshot::empty())),
        held => Err(EnterFault::Unavailable(format!("{path} is missing, and held {held} messages when last seen"))),
    }
}

/// The time from which a message may wait for another server. Renaming does not change it; after a restart it begins
/// anew.
fn waits_since(parts: &Parts, found: &MessageFile, earlier: Option<&Snapshot>) -> Option<Moment> {
    let first = earlier.and_then(|earlier| earlier.ids.waits_since(found));
    last_change(parts, found).map(|changed| first.map_or(changed, |first| first.min(changed)))
}

/// When a message's file was last touched; none if it is gone.
pub(in crate::maildir) fn last_change(parts: &Parts, found: &MessageFile) -> Option<Moment> {
    let stat = statat(parts.get(found.place)?, &*found.name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
    Some(Moment::changed(&stat))
}

//! Building the index of a Maildir before the first login.

use std::io;

use crate::maildir::fault::EnterFault;
use crate::maildir::files::Parts;
use crate::maildir::mail_root::{MaildropPath, OpenRoot};
use crate::maildir::missing;
use crate::maildir::snapshot::{
    ContentDigests, Corrections, Measurement, PriorSizes, ROUNDS, RemovedFiles, SharedNameFiles, Size, Snapshot,
    index_file, parse_index,
};
use crate::maildir::store::Store;
use crate::maildir::unique_ids::{Pins, UidAssigner, UidState, UniqueIdSettings};

/// Octets of messages that are read before the index is written: at most this much work is lost if the command is
/// interrupted.
const AT_ONCE: u64 = 256 << 20;

/// Messages that are read before that: with small ones, opening takes the time.
const MESSAGES_AT_ONCE: u64 = 20_000;

/// The result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Indexed {
    /// Messages in the maildrop.
    pub messages: usize,
    /// Messages that were read, because neither their names nor an earlier index had their octets.
    pub read: u64,
}

/// How much may still be read before the index is written.
struct Allowance {
    octets: u64,
    messages: u64,
}

impl Store {
    /// Counts the messages that a first login to a maildrop would have to count, and writes the index piece by piece,
    /// so that it continues after an interruption. `read` gets the octets of each message that was read. A Maildir
    /// whose names have all sizes gets no index. Blocks while the disk answers.
    ///
    /// # Errors
    /// See [`EnterFault`]; an index that cannot be written is one that is unavailable.
    pub fn index(&self, path: &MaildropPath, read: &mut dyn FnMut(u64)) -> Result<Indexed, EnterFault> {
        let path = &*self.choose(path)?;
        self.site().require_markers(path)?;
        let root = self.site().root().open()?;
        let parts = Parts::open(&root, path.as_ref())?;
        missing::check(&root, path, &parts, self.site().settings())?;
        if parts.are_missing() {
            return Ok(Indexed::default());
        }
        let octets = index_file::read(&root, path);
        let index = octets.as_deref().and_then(|octets| parse_index(&root, path, octets));
        let corrections = Corrections::new();
        let (settings, pins) = (UniqueIdSettings::default(), Pins::default());
        let own = UidAssigner { settings: &settings, pins: &pins, lists: None };
        let (mut earlier, mut indexed, mut idle) = (None::<Snapshot>, Indexed::default(), 0);
        loop {
            let mut names = parts
                .names(self.site().timestamp_granularity())
                .map_err(|error| EnterFault::unavailable(path, &error))?;
            let removed = RemovedFiles::default();
            let known = PriorSizes::new(earlier.as_ref(), &corrections, &removed).and(index.as_ref());
            let mut allowance = Allowance { octets: AT_ONCE, messages: MESSAGES_AT_ONCE };
            let largest = self.site().settings().largest_message;
            let contents = ContentDigests::default();
            let measurement = Measurement { path, parts: &parts, known: &known, contents: &contents, largest };
            // Only octets matter here, not unique-ids.
            let assignment = own.assign(std::mem::take(&mut names.found), |_| None, |_| None);
            let (mut snapshot, left) = Snapshot::build(
                &names,
                assignment,
                UidState::default(),
                &known,
                SharedNameFiles::default(),
                |found| {
                    if allowance.is_used_up() {
                        return Ok(None);
                    }
                    let size = measurement.size(found)?;
                    if let Some(read_octets) = size.and_then(Size::read) {
                        allowance.use_up(read_octets);
                        read(read_octets);
                    }
                    Ok(size)
                },
            )?;
            write(&root, path, &mut snapshot)?;
            indexed.messages = snapshot.entries.len();
            indexed.read += MESSAGES_AT_ONCE - allowance.messages;
            // Messages that are left although they could have been read have moved, and are searched for again.
            idle = if allowance.is_used_up() { 0 } else { idle + 1 };
            if left.is_empty() || idle == ROUNDS {
                return Ok(indexed);
            }
            earlier = Some(snapshot);
        }
    }
}

impl Allowance {
    fn is_used_up(&self) -> bool {
        self.octets == 0 || self.messages == 0
    }

    fn use_up(&mut self, octets: u64) {
        self.octets = self.octets.saturating_sub(octets);
        self.messages = self.messages.saturating_sub(1);
    }
}

fn write(root: &OpenRoot<'_>, path: &MaildropPath, snapshot: &mut Snapshot) -> Result<(), EnterFault> {
    if !snapshot.has_unindexed() {
        return Ok(());
    }
    let failed = |error: io::Error| EnterFault::Unavailable(format!("{path}: its index cannot be written: {error}"));
    index_file::write(root, path, &snapshot.index()).map_err(failed)?;
    snapshot.set_indexed();
    Ok(())
}

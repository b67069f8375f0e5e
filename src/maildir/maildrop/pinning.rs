//! Pinning: a unique-id is written to disk before a client sees it.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;

use super::session::Maildrop;
use crate::maildir::clock::ClockFault;
use crate::maildir::files::{KEY_SEPARATOR, MessageFile};
use crate::maildir::unique_ids::{Day, LockedPins, PendingPin, Pin, PinLine, Pins, Retrieval, UidState, day, unique};
use crate::pop3::UniqueId;

/// The unique-ids of messages cannot be written to disk, although they must be because of another server's list: no
/// client may see them now.
#[derive(Debug)]
pub enum PinFault {
    /// That list cannot be used: an administrator must put it right. Why, for the log.
    List(String),
    /// The pins cannot be written now.
    Io(io::Error),
}

impl fmt::Display for PinFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::List(why) => f.write_str(why),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for PinFault {}

impl Maildrop {
    /// Pins the unique-ids of the messages at these indices, if they must be, before a client sees them. Then a new
    /// listing is valid: if another node was first, its unique-id is used. Blocks while the disk answers.
    ///
    /// A client may ask for one message after the other, so as many further messages are pinned as were pinned before
    /// in this session. That needs few writes, and pins nothing more for a client that asks for one only.
    ///
    /// # Errors
    /// See [`PinFault`]. If no other server's list is known, the unique-ids can be shown without pins, which is logged.
    pub fn pin(&mut self, indices: &[usize]) -> Result<(), PinFault> {
        let wanted: Vec<usize> =
            self.places(indices).into_iter().filter(|index| self.snapshot.ids.pending_pin(*index).is_some()).collect();
        if wanted.is_empty() {
            return Ok(());
        }
        if let Some(why) = self.snapshot.ids.unusable_list() {
            return Err(PinFault::List(why.to_owned()));
        }
        let mut wanted = self.with_further(indices, wanted);
        // Of several messages of one name all are pinned, or none.
        wanted.extend(self.unpinned_namesakes_of(&self.sharing_names_among(&wanted), &wanted));
        match self.pin_all(&wanted) {
            Ok(()) => self.pinned += wanted.len(),
            Err(error) if self.snapshot.ids.has_list() => return Err(PinFault::Io(error)),
            Err(error) => tracing::warn!(
                name: "unique_ids_shown_without_pins",
                maildrop = self.path.to_string(),
                reason = error.to_string(),
                "unique-ids are shown without being pinned"
            ),
        }
        Ok(())
    }

    /// Pins other messages that share names with messages that are about to be removed: once those are gone, nothing
    /// else shows that these are other mail.
    pub(super) fn pin_others_named_like(&mut self, places: &[usize]) {
        let removed = self.sharing_names_among(places);
        self.pin_namesakes_of(&removed, places);
    }

    /// Pins the messages that share names with these, except those in `places`.
    pub(super) fn pin_namesakes_of(&mut self, removed: &[MessageFile], places: &[usize]) {
        let wanted = self.unpinned_namesakes_of(removed, places);
        if !wanted.is_empty()
            && let Err(error) = self.pin_all(&wanted)
        {
            tracing::warn!(
                name: "unique_ids_of_shared_names_not_pinned",
                maildrop = self.path.to_string(),
                reason = error.to_string(),
                "unique-ids of messages that share a name with a deleted one are not pinned"
            );
        }
    }

    fn unpinned_namesakes_of(&self, removed: &[MessageFile], places: &[usize]) -> Vec<usize> {
        if removed.is_empty() {
            return Vec::new();
        }
        let places: HashSet<usize> = places.iter().copied().collect();
        let names: HashSet<Cow<'_, [u8]>> = removed.iter().map(MessageFile::identity).collect();
        let is_namesake = |sharer: &usize| {
            !places.contains(sharer)
                && self.snapshot.ids.pending_pin(*sharer).is_some()
                && self.entry(*sharer).is_some_and(|entry| names.contains(&entry.found.identity()))
        };
        self.snapshot.ids.name_sharers.iter().copied().filter(is_namesake).collect()
    }

    /// Those of the messages in these places that share their names with others.
    fn sharing_names_among(&self, places: &[usize]) -> Vec<MessageFile> {
        let found = places.iter().filter_map(|place| self.entry(*place)).map(|entry| &entry.found);
        found.filter(|found| found.shared_name.is_some()).cloned().collect()
    }

    /// Adds the places of further messages that must be pinned: after these indices, and then before them.
    fn with_further(&self, indices: &[usize], mut wanted: Vec<usize>) -> Vec<usize> {
        let (first, last) = (indices.first().copied().unwrap_or(0), indices.last().map_or(0, |last| last + 1));
        let all = self.offered.as_ref().map_or(self.snapshot.entries.len(), |offered| offered.len());
        let further = (last..all).chain((0..first).rev()).map(|index| self.place(index));
        wanted.extend(further.filter(|place| self.snapshot.ids.pending_pin(*place).is_some()).take(self.pinned));
        wanted
    }

    /// Records that a person has retrieved the messages at these indices; earlier records stay. Blocks while
    /// the disk answers. A lost record means "not retrieved".
    ///
    /// # Errors
    /// The marks cannot be written.
    pub fn note_retrieved(&mut self, indices: &[usize], by: &str) -> io::Result<()> {
        let at = self.site().clock().time_to_record().as_secs();
        let places = self.places(indices);
        self.write_marks(|maildrop, locked| {
            let is_new = |key: &[u8]| locked.pins.retrievals(key).iter().all(|earlier| *earlier.by != *by);
            let retrieval = || Retrieval { by: by.into(), at };
            let keys = places.into_iter().filter_map(|place| maildrop.key(place, &locked.pins));
            let new = keys.filter(|key| is_new(key));
            new.map(|key| PinLine::Retrieved(key, retrieval())).collect()
        })
    }

    /// Records how many days a person's mail stays, or that it stays for ever: mail that several people share is
    /// removed only when it is old enough for each of them. Blocks while the disk answers.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn note_term(&mut self, by: &str, days: Option<u64>) -> io::Result<()> {
        self.write_marks(|_, locked| {
            let is_noted = locked.pins.terms().get(by) == Some(&days);
            if is_noted { Vec::new() } else { vec![PinLine::Term(by.into(), days)] }
        })
    }

    fn write_marks(&mut self, lines: impl FnOnce(&Self, &LockedPins<'_>) -> Vec<PinLine>) -> io::Result<()> {
        let present = self.snapshot.entries.len();
        let stamp = self.with_pins(|locked| {
            let lines = lines(self, locked);
            if !lines.is_empty() {
                locked.append(lines)?;
            }
            self.tidy(locked, present);
            Ok(locked.pins.stamp)
        })?;
        if self.snapshot.ids.has_pins() {
            self.renew(self.snapshot.ids.after_pinning(&[], stamp), &HashMap::new());
        }
        Ok(())
    }

    /// The next session gets this snapshot with the new pins, and need not read them again.
    fn renew(&mut self, ids: UidState, changed: &HashMap<usize, UniqueId>) {
        let before = Arc::clone(&self.snapshot);
        self.snapshot = Arc::new(before.with_pins(ids, changed));
        self.cached.renew(&before, &self.snapshot);
    }

    /// The key of a message's retrievals: its own base name if the name without `,U=<n>` is, or was, another message's
    /// key.
    fn key(&self, index: usize, pins: &Pins) -> Option<Box<[u8]>> {
        let found = &self.entry(index)?.found;
        let is_ambiguous = self.shares_name(index) || pins.get_exactly(found.base()).is_some();
        Some(if is_ambiguous { found.key().into() } else { found.identity().into() })
    }

    fn pin_all(&mut self, wanted: &[usize]) -> io::Result<()> {
        let snapshot = Arc::clone(&self.snapshot);
        let pending_pins = wanted.iter().filter_map(|index| {
            let listed = snapshot.listed.get(*index)?;
            Some((
                *index,
                snapshot.ids.pending_pin(*index)?,
                &listed.unique_id,
                snapshot.entries.get(*index)?.found.key(),
            ))
        });
        let (changed, stamp) = self.with_pins(|locked| {
            let (lines, changed) = first_pins(locked, pending_pins);
            locked.append(lines)?;
            self.tidy(locked, snapshot.entries.len());
            Ok((changed, locked.pins.stamp))
        })?;
        let own = wanted
            .iter()
            .filter_map(|index| snapshot.ids.pending_pin(*index))
            .filter(|pending_pin| pending_pin.is_own)
            .count();
        if own > 0 && snapshot.ids.has_list() {
            tracing::info!(
                name: "unique_ids_by_own_rule",
                maildrop = self.path.to_string(),
                messages = own,
                "messages missing from the old server's list get unique-ids by our own rule"
            );
        }
        self.renew(snapshot.ids.after_pinning(wanted, stamp), &changed);
        Ok(())
    }

    fn with_pins<T>(&self, act: impl FnOnce(&mut LockedPins<'_>) -> io::Result<T>) -> io::Result<T> {
        let root = self.site().root().open().map_err(io::Error::other)?;
        let maildir = root.directory(self.path.as_ref()).map_err(io::Error::other)?;
        let maildir = maildir.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        act(&mut LockedPins::take(maildir.as_fd())?)
    }

    /// Rewrites the file of pins if that makes it smaller. If that fails, the old file stays: pins are safe even on a
    /// disk that has no room for two files.
    fn tidy(&self, locked: &mut LockedPins<'_>, present: usize) {
        if locked.pins.want_rewriting(present)
            && let Some(today) = self.today()
            && let Err(error) = self.names_now().and_then(|names| locked.rewrite(&names, today))
        {
            tracing::warn!(
                name: "pins_cannot_be_rewritten",
                maildrop = self.path.to_string(),
                reason = error.to_string(),
                "the pins cannot be rewritten"
            );
        }
    }

    /// The day by which pins outlive their messages; none while the clock is not plausible.
    fn today(&self) -> Option<Day> {
        let clock = self.site().clock();
        match clock.now() {
            Ok(moment) => Some(day(moment)),
            Err(ClockFault::Jumped { .. }) => None,
            Err(ClockFault::NotNoted(_)) => Some(day(clock.time_to_record())),
        }
    }

    /// The keys of all messages that have a file now.
    fn names_now(&self) -> io::Result<HashSet<Box<[u8]>>> {
        let parts = self.parts().map_err(io::Error::other)?;
        self.require_parts(&parts)?;
        let names = parts.names(self.site().timestamp_granularity())?;
        let known_by = names.found.iter().flat_map(|found| [found.base().into(), found.identity().into()]);
        let listed = self.snapshot.entries.iter().map(|entry| &entry.found);
        let shared_name = listed
            .filter(|found| found.shared_name.is_some() && names.has(found))
            .filter_map(MessageFile::shared_name_key);
        Ok(known_by.chain(shared_name.map(Into::into)).collect())
    }
}

/// Whether this is the end of the key of one of several messages that share a name.
fn is_behind_name(rest: &[u8]) -> bool {
    rest.first() == Some(&KEY_SEPARATOR)
}

/// The lines to be written, and the unique-ids that differ from ours: another node was first.
fn first_pins<'a>(
    locked: &LockedPins<'_>,
    pending_pins: impl Iterator<Item = (usize, &'a PendingPin, &'a UniqueId, &'a [u8])>,
) -> (Vec<PinLine>, HashMap<usize, UniqueId>) {
    let (mut lines, mut changed) = (Vec::new(), HashMap::new());
    let owners = locked.pins.owners();
    for (index, pending_pin, unique_id, base) in pending_pins {
        let earlier = locked.pins.get_exactly(&pending_pin.key);
        // The first of several messages of one name may so far be pinned by its name alone.
        let is_own = |owner: &[u8]| {
            *owner == *pending_pin.key || pending_pin.key.strip_prefix(owner).is_some_and(is_behind_name)
        };
        let is_taken = || owners.get(unique_id.as_str()).is_some_and(|owner| !is_own(owner));
        let right = match earlier {
            Some((_, pin)) => pin.unique_id.clone(),
            None if is_taken() => unique::hashed(base),
            None => unique_id.clone(),
        };
        if right != *unique_id {
            changed.insert(index, right.clone());
        }
        if earlier.is_none_or(|(_, pin)| pin.gone.is_some()) {
            lines.push(PinLine::Pin(
                pending_pin.key.clone(),
                Pin { unique_id: right, rank: pending_pin.rank, gone: None },
            ));
        }
    }
    (lines, changed)
}

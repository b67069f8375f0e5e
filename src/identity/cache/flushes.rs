//! What was flushed or reported as changed: no answer that was asked for before is used afterwards, not even one that
//! was still to come.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use crate::directory::{Change, EntryId};
use crate::identity::person::Identity;
use crate::identity::question::NameOwner;
use crate::names::{LoginName, fold};

/// The generation in which something was asked for. Every flush begins a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Generation(u64);

/// The person that a flush is about.
#[derive(Debug)]
pub(crate) struct FlushTarget {
    /// The name that was given, folded: as login name and as canonical name.
    name: String,
    /// The entries that the name leads to.
    ids: Vec<EntryId>,
}

/// The number of cached items that were dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flushed {
    /// Login names with their owners.
    pub names: u64,
    /// Verified passwords.
    pub verified: u64,
    /// Refused passwords.
    pub refused: u64,
}

/// The flushes so far.
#[derive(Default)]
pub(crate) struct Flushes {
    now: AtomicU64,
    past: RwLock<PastFlushes>,
    changes: RwLock<ReportedChanges>,
}

/// What followed directories have reported.
#[derive(Default)]
struct ReportedChanges {
    /// Names that led to nobody, or to several people, are invalid if they were asked for in an earlier generation.
    last: u64,
    /// Every name that was asked for in an earlier generation is invalid.
    every_name_before: u64,
    /// The generation that each change of an entry began. It stays when following is lost, so that a later outage does
    /// not bridge what was reported.
    entries: HashMap<EntryId, u64>,
    /// A change that may be about anybody was reported in this generation: nothing from an earlier one bridges an
    /// outage.
    anybody_changed: u64,
}

#[derive(Default)]
struct PastFlushes {
    /// Everything that was asked for in an earlier generation is invalid.
    all_before: u64,
    /// Flushes of one person each, with the generation that each began.
    people: VecDeque<(u64, FlushTarget)>,
}

/// Changed entries remembered at most; with one more, every name is looked up anew.
const MOST_CHANGES: usize = 10_000;

/// Flushes of one person each remembered at most; with one more, the oldest becomes a flush of everybody.
const MOST_PEOPLE: usize = 64;

impl Flushes {
    /// Invalidates what a change in a followed directory may have made wrong.
    pub(crate) fn on_directory_change(&self, directory: &str, change: Change) {
        match change {
            Change::Entry(id) => {
                tracing::debug!(
                    name: "entry_changed",
                    directory, id = id.to_string(),
                    "an entry has changed: its person is looked up anew"
                );
                self.entry_changed(id);
            }
            // Only a look-up shows whose membership it affects, since groups can be nested.
            Change::Groups => {
                self.anybody_changed();
                tracing::debug!(name: "group_changed", directory, "a group has changed: everybody is looked up anew");
            }
            Change::Following => {
                self.every_name();
                tracing::info!(
                    name: "directory_followed",
                    directory,
                    "the directory is followed: cached data about a person is dropped when their entry changes"
                );
            }
            Change::Lost(reason) => {
                self.every_name();
                tracing::warn!(
                    name: "directory_not_followed",
                    directory, reason,
                    "the directory is not followed: cached data lasts for its lifetime"
                );
            }
        }
    }

    /// The generation of what is asked for from here on.
    pub(crate) fn now(&self) -> Generation {
        Generation(self.now.load(Ordering::Acquire))
    }

    /// Invalidates everything that was asked for before.
    pub(crate) fn everybody(&self) {
        let mut past = self.past.write().unwrap_or_else(PoisonError::into_inner);
        past.all_before = self.now.fetch_add(1, Ordering::AcqRel) + 1;
        past.people.clear();
    }

    /// Invalidates everything about one person that was asked for before.
    pub(crate) fn person(&self, target: FlushTarget) {
        let mut past = self.past.write().unwrap_or_else(PoisonError::into_inner);
        let began = self.now.fetch_add(1, Ordering::AcqRel) + 1;
        past.people.push_back((began, target));
        if past.people.len() > MOST_PEOPLE
            && let Some((began, _)) = past.people.pop_front()
        {
            past.all_before = past.all_before.max(began);
        }
    }

    /// Invalidates every name that was asked for before and led to an entry which has changed now, or that did not lead
    /// to one person. Cached passwords stay: the look-up that follows compares the change stamp.
    pub(crate) fn entry_changed(&self, id: EntryId) {
        let mut changes = self.changes.write().unwrap_or_else(PoisonError::into_inner);
        let began = self.now.fetch_add(1, Ordering::AcqRel) + 1;
        changes.last = began;
        if changes.entries.len() >= MOST_CHANGES {
            changes.entries.clear();
            (changes.every_name_before, changes.anybody_changed) = (began, began);
        }
        changes.entries.insert(id, began);
    }

    /// Invalidates every name that was asked for before: the reported change may be about anybody.
    fn anybody_changed(&self) {
        let mut changes = self.changes.write().unwrap_or_else(PoisonError::into_inner);
        let began = self.now.fetch_add(1, Ordering::AcqRel) + 1;
        (changes.every_name_before, changes.anybody_changed) = (began, began);
    }

    /// Invalidates every name that was asked for before: changes may have been missed. Nothing was reported, so an
    /// outage is bridged as before.
    fn every_name(&self) {
        let mut changes = self.changes.write().unwrap_or_else(PoisonError::into_inner);
        changes.every_name_before = self.now.fetch_add(1, Ordering::AcqRel) + 1;
    }

    /// Whether the owner of a name is still valid.
    pub(crate) fn believes(&self, asked: Generation, login: &LoginName, found: &NameOwner) -> bool {
        self.stands(asked, |target| target.is_about(login, found)) && self.is_unchanged(asked, found)
    }

    fn is_unchanged(&self, asked: Generation, found: &NameOwner) -> bool {
        let changes = self.changes.read().unwrap_or_else(PoisonError::into_inner);
        let void_before = match found {
            NameOwner::One(person, _) => {
                person.ids().filter_map(|id| changes.entries.get(id)).max().copied().unwrap_or_default()
            }
            NameOwner::Nobody | NameOwner::OutsidePolicy | NameOwner::OutsideLimits(_) | NameOwner::Ambiguous(_) => {
                changes.last
            }
        };
        asked.0 >= void_before.max(changes.every_name_before)
    }

    /// Whether the owner of a certificate or a challenge is still valid.
    pub(crate) fn believes_owner(&self, asked: Generation, person: &Arc<Identity>) -> bool {
        self.believes_of(asked, person) && self.is_unchanged(asked, &NameOwner::One(person.clone(), None))
    }

    /// Whether an answer about a person bridges an outage: no change of them was reported since it was asked for.
    pub(crate) fn bridges(&self, asked: Generation, person: &Identity) -> bool {
        self.believes_of(asked, person) && self.is_unreported(asked, person)
    }

    /// Whether no change of a person was reported since something was asked for.
    pub(crate) fn is_unreported(&self, asked: Generation, person: &Identity) -> bool {
        let changes = self.changes.read().unwrap_or_else(PoisonError::into_inner);
        let latest = person.ids().filter_map(|id| changes.entries.get(id).copied()).max().unwrap_or_default();
        asked.0 >= latest.max(changes.anybody_changed)
    }

    /// Whether what is known about a person is still valid: no flush was about them.
    pub(crate) fn believes_of(&self, asked: Generation, person: &Identity) -> bool {
        self.stands(asked, |target| target.is(person))
    }

    fn stands(&self, asked: Generation, is_about: impl Fn(&FlushTarget) -> bool) -> bool {
        if asked == self.now() {
            return true;
        }
        let past = self.past.read().unwrap_or_else(PoisonError::into_inner);
        let mut later = past.people.iter().rev().take_while(|(began, _)| asked.0 < *began);
        asked.0 >= past.all_before && !later.any(|(_, target)| is_about(target))
    }
}

impl FlushTarget {
    pub(crate) fn new(name: &str, ids: Vec<EntryId>) -> Self {
        Self { name: fold(name), ids }
    }

    /// The entries that the name leads to.
    pub(crate) fn ids(&self) -> &[EntryId] {
        &self.ids
    }

    fn is(&self, person: &Identity) -> bool {
        self.ids.contains(&person.id) || fold(&person.canonical_name) == self.name
    }

    pub(crate) fn is_about(&self, login: &LoginName, found: &NameOwner) -> bool {
        fold(login.as_str()) == self.name || found.people().iter().any(|person| self.is(person))
    }
}

impl Flushed {
    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            names: self.names + other.names,
            verified: self.verified + other.verified,
            refused: self.refused + other.refused,
        }
    }
}

impl fmt::Display for Flushed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counted = |count: u64, one: &str| format!("{count} {one}{}", if count == 1 { "" } else { "s" });
        let names = counted(self.names, "login name");
        let verified = counted(self.verified, "verified password");
        let refused = counted(self.refused, "refused password");
        write!(f, "{names}, {verified}, {refused}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(name: &str) -> LoginName {
        LoginName::new(name.as_bytes()).unwrap()
    }

    #[test]
    fn what_was_asked_before_a_flush_is_void() {
        let flushes = Flushes::default();
        let before = flushes.now();
        flushes.everybody();
        assert!(!flushes.believes(before, &login("ajones"), &NameOwner::Nobody));
        assert!(flushes.believes(flushes.now(), &login("ajones"), &NameOwner::Nobody));
    }

    #[test]
    fn a_flush_of_one_leaves_the_others() {
        let flushes = Flushes::default();
        let before = flushes.now();
        flushes.person(FlushTarget::new(" AJones", Vec::new()));
        assert!(!flushes.believes(before, &login("ajones"), &NameOwner::Nobody));
        assert!(flushes.believes(before, &login("alamb"), &NameOwner::Nobody));
        assert!(flushes.believes(flushes.now(), &login("ajones"), &NameOwner::Nobody));
    }

    #[test]
    fn none_of_many_flushes_is_forgotten() {
        let flushes = Flushes::default();
        let before = flushes.now();
        for number in 0..=MOST_PEOPLE {
            flushes.person(FlushTarget::new(&format!("person{number}"), Vec::new()));
        }
        assert!(
            (0..=MOST_PEOPLE)
                .all(|number| { !flushes.believes(before, &login(&format!("person{number}")), &NameOwner::Nobody) })
        );
    }
}

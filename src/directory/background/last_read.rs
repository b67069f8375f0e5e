//! What was last read of each entry, so that a follower can tell whether a reported change concerns its person.
//!
//! With a password policy, slapd records each refused bind in the entry (`pwdFailureTime`), and removes the records at
//! the next successful one. Both are reported like any other change, so a stranger's guess would end the owner's outage
//! grace.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use crate::directory::entries::{Entry, EntryId, Stamp};

/// Entries remembered at most; with one more, all are forgotten, and the next change of each concerns its person.
const MOST: usize = 65_536;

/// What a refused bind changes in the entry, and a successful one after it.
const OF_REFUSED_BINDS: [&str; 4] = ["pwdfailuretime", "entrycsn", "modifytimestamp", "whenchanged"];

/// The entries that logins read recently.
#[derive(Default)]
pub(crate) struct LastRead {
    key: RandomState,
    entries: Mutex<HashMap<EntryId, LastReading>>,
}

/// What was read of one of them.
struct LastReading {
    /// Of everything that was read, except what refused binds change.
    digest: u64,
    /// Every login since the last change has read the same; the stamp shows each later change of the password; and no
    /// certificate was compared with the entry, since certificates are not part of the digest.
    is_comparable: bool,
    /// Refused binds were recorded in it, and no report has shown yet that they were removed.
    has_failures: bool,
}

impl LastRead {
    /// Notes that a login has read these entries.
    pub(crate) fn note(&self, entries: &[Entry], by_certificate: bool) {
        let mut known = self.entries();
        for entry in entries {
            if known.len() >= MOST && !known.contains_key(&entry.id) {
                known.clear();
            }
            let digest = self.digest(entry);
            let first = LastReading { digest, is_comparable: true, has_failures: false };
            let reading = known.entry(entry.id.clone()).or_insert(first);
            reading.is_comparable &= reading.digest == digest && is_settled(entry) && !by_certificate;
            reading.has_failures |= has_failures(entry);
        }
    }

    /// Whether a reported change does not concern the entry's person: only refused binds were recorded or removed, and
    /// the password is the same. After any other change, what was read before is dropped.
    pub(crate) fn is_unchanged(&self, reported: &Entry) -> bool {
        let (digest, is_refused_bind) = (self.digest(reported), reported.was_refused_last());
        let mut known = self.entries();
        let reading = known.get_mut(&reported.id).filter(|reading| reading.is_comparable && reading.digest == digest);
        match reading {
            Some(reading) if is_refused_bind || reading.has_failures && are_forgotten(reported) => {
                reading.has_failures = is_refused_bind;
                true
            }
            _ => {
                known.remove(&reported.id);
                false
            }
        }
    }

    /// Drops what was read of an entry that was changed.
    pub(crate) fn forget(&self, id: &EntryId) {
        self.entries().remove(id);
    }

    fn digest(&self, entry: &Entry) -> u64 {
        self.key.hash_one((entry.dn.as_str(), entry.values_without(&OF_REFUSED_BINDS)))
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<EntryId, LastReading>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn has_failures(entry: &Entry) -> bool {
    !entry.values("pwdFailureTime").is_empty()
}

/// Whether a successful bind has removed the records of refused ones. A new password removes them as well, which only
/// its date shows.
fn are_forgotten(entry: &Entry) -> bool {
    !has_failures(entry) && entry.stamp.as_ref().is_some_and(Stamp::is_of_password)
}

/// Whether the password's date is older than its own granularity: within that, a password may be changed twice. The
/// first date that an entry gets changes the digest.
fn is_settled(entry: &Entry) -> bool {
    entry.stamp.as_ref().is_none_or(|stamp| !stamp.is_of_password() || stamp.is_settled_at(SystemTime::now()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: [(&str, &str); 3] =
        [("uid", "ajones"), ("pwdChangedTime", "20260101000000Z"), ("modifyTimestamp", "20260201000000Z")];
    const GUESS: &str = "20261123191500.5Z";

    /// The same entry, with other values or further ones.
    fn changed(pairs: &[(&str, &str)]) -> Entry {
        let kept = BEFORE.into_iter().filter(|(name, _)| !pairs.iter().any(|(other, _)| other == name));
        Entry::with(&kept.chain(pairs.iter().copied()).collect::<Vec<_>>())
    }

    fn guessed(further: &[(&str, &str)]) -> Entry {
        changed(&[&[("pwdFailureTime", GUESS), ("modifyTimestamp", "20261123191500Z")], further].concat())
    }

    #[test]
    fn a_refused_bind_concerns_nobody() {
        let last_read = LastRead::default();
        assert!(!last_read.is_unchanged(&guessed(&[])), "nothing was read");
        last_read.note(&[changed(&[])], false);
        for _ in 0..2 {
            assert!(last_read.is_unchanged(&guessed(&[])));
        }
        last_read.note(&[guessed(&[])], false);
        assert!(last_read.is_unchanged(&guessed(&[("entryCSN", "20261123191500.6Z")])));
        assert!(
            last_read.is_unchanged(&changed(&[("modifyTimestamp", "20261123191501Z")])),
            "forgotten by a right one"
        );
        // What is not read by every login, such as a certificate.
        assert!(!last_read.is_unchanged(&changed(&[("modifyTimestamp", "20261123191502Z")])), "nothing was forgotten");
    }

    #[test]
    fn any_other_change_concerns_the_person() {
        for change in [
            ("uid", "alan"),
            ("pwdChangedTime", "20261123191500Z"),
            ("pwdAccountLockedTime", "20261123191500Z"),
            ("memberOf", "cn=pop3"),
        ] {
            let last_read = LastRead::default();
            last_read.note(&[changed(&[])], false);
            assert!(!last_read.is_unchanged(&guessed(&[change])), "{change:?}");
            assert!(!last_read.is_unchanged(&guessed(&[])), "{change:?}: what was read before is forgotten");
            // Read between the change and its report, which then finds nothing new.
            last_read.note(&[changed(&[])], false);
            last_read.note(&[guessed(&[change])], false);
            assert!(!last_read.is_unchanged(&guessed(&[change])), "{change:?}");
        }
    }

    /// Without dates of passwords, only what was written of a refused bind itself is known to change none.
    #[test]
    fn an_entry_without_date_may_have_another_password() {
        let last_read = LastRead::default();
        let entry = |pairs: &[(&str, &str)]| Entry::with(pairs);
        last_read.note(&[entry(&[("modifyTimestamp", "20260201000000Z")])], false);
        let guess = entry(&[("pwdFailureTime", GUESS), ("modifyTimestamp", "20261123191500Z")]);
        assert!(last_read.is_unchanged(&guess));
        assert!(!last_read.is_unchanged(&entry(&[("modifyTimestamp", "20261123191500Z")])));
    }

    #[test]
    fn a_young_date_and_a_certificate_settle_nothing() {
        let last_read = LastRead::default();
        let young = [("pwdChangedTime", "20991123191500Z")];
        last_read.note(&[changed(&young)], false);
        assert!(!last_read.is_unchanged(&guessed(&young)));
        last_read.note(&[changed(&[])], true);
        last_read.note(&[changed(&[])], false);
        assert!(!last_read.is_unchanged(&guessed(&[])));
    }
}

//! What else is done after QUIT, apart from removing the marked messages.

use std::sync::Arc;

use super::latecomers::Latecomers;
use super::session::Maildrop;
use crate::maildir::fault::EnterFault;
use crate::maildir::removal::{self, DeletedMail, Expired, Expiry, ExpiryCheck, MessageFault, Removal};
use crate::maildir::settings::{Deletion, MarkSeen, Offer, Settings};

impl Settings {
    /// Whether retrievals must be recorded, since later decisions depend on them.
    fn notes_retrieved(&self) -> bool {
        self.ageing || self.offer == Offer::Unread && self.mark_seen == MarkSeen::None
    }
}

impl Maildrop {
    /// Whether [`Maildrop::leave`] would do anything for a session that retrieved something, or did not.
    #[must_use]
    pub fn leaves_something(&self, retrieved: bool) -> bool {
        let settings = self.site().settings();
        let marks = settings.mark_seen == MarkSeen::Retrieved || settings.notes_retrieved();
        settings.deletion != Deletion::Remove || settings.terms_differ || self.expiry.is_some() || retrieved && marks
    }

    /// Carries out what the settings require at the end of a session. `marked`: the messages that it marked as deleted,
    /// ascending; `retrieved`: those that its client received whole. A failure does not fail the QUIT, since everything
    /// can be done again; it is logged. Blocks while the disk answers.
    pub fn leave(&mut self, marked: &[usize], retrieved: &[usize]) {
        let left: Vec<usize> = retrieved.iter().copied().filter(|index| marked.binary_search(index).is_err()).collect();
        self.note_what_was_retrieved(&left);
        if self.site().settings().terms_differ
            && !self.person.is_empty()
            && !self.is_missing()
            && let Err(error) = self.note_term(&self.person.clone(), self.expiry.map(|expiry| expiry.days()))
        {
            tracing::warn!(
                name: "no_mail_removed_by_age_while_not_recorded",
                maildrop = self.path.to_string(),
                reason = error.to_string(),
                "no mail is removed by age: how long it stays cannot be recorded"
            );
            return;
        }
        self.remove_what_is_old(marked);
    }

    fn note_what_was_retrieved(&mut self, left: &[usize]) {
        if left.is_empty() {
            return;
        }
        if self.site().settings().notes_retrieved()
            && !self.person.is_empty()
            && let Err(error) = self.note_retrieved(left, &self.person.clone())
        {
            tracing::warn!(
                name: "retrievals_not_recorded",
                maildrop = self.path.to_string(), reason = error.to_string(),
                "retrievals are not recorded"
            );
        }
        if self.site().settings().mark_seen == MarkSeen::Retrieved {
            for reason in self.mark_seen(&self.places(left)) {
                tracing::warn!(
                    name: "message_not_marked_as_seen",
                    maildrop = self.path.to_string(), reason,
                    "message not marked as seen"
                );
            }
        }
    }

    fn remove_what_is_old(&mut self, marked: &[usize]) {
        let has_deleted = self.has_deleted();
        if (self.expiry.is_none() && !has_deleted) || !self.believes_clock() {
            return;
        }
        if let Some(expiry) = self.expiry {
            match self.expire(expiry, &self.places(marked)) {
                Ok(expired) => {
                    for reason in &expired.failed {
                        tracing::error!(
                            name: "expired_message_not_removed",
                            maildrop = self.path.to_string(), reason,
                            "expired message not removed"
                        );
                    }
                    if !expired.removed.is_empty() {
                        tracing::info!(
                            name: "expired_mail_removed",
                            person = &*self.person,
                            maildrop = self.path.to_string(),
                            messages = expired.removed.len(),
                            "expired mail removed"
                        );
                    }
                }
                Err(fault) => tracing::warn!(
                    name: "expired_mail_not_removed",
                    maildrop = self.path.to_string(),
                    reason = fault.to_string(),
                    "expired mail is not removed"
                ),
            }
        }
        if has_deleted && let Err(fault) = removal::clean_up(self.site(), &self.path) {
            self.warn_not_cleaned_up(&fault);
        }
    }

    /// Whether deleted mail is kept, by these settings or by earlier ones.
    fn has_deleted(&self) -> bool {
        match DeletedMail::open(self.site(), &self.path) {
            Ok(mail) => mail.is_some(),
            Err(fault) => {
                self.warn_not_cleaned_up(&fault);
                false
            }
        }
    }

    fn warn_not_cleaned_up(&self, fault: &EnterFault) {
        tracing::warn!(
            name: "deleted_mail_not_cleaned_up",
            maildrop = self.path.to_string(), reason = fault.to_string(),
            "deleted mail is not cleaned up"
        );
    }

    /// Whether mail may be removed by its age now; logged once an hour if not.
    fn believes_clock(&self) -> bool {
        let clock = self.site().clock();
        let Err(fault) = clock.now() else { return true };
        if clock.should_log() {
            tracing::error!(name: "no_mail_removed_by_age", reason = fault.to_string(), "no mail is removed by age");
        }
        false
    }

    /// Removes expired mail that the session has listed and not marked. `marked`: places in the snapshot, ascending.
    fn expire(&mut self, expiry: Expiry, marked: &[usize]) -> Result<Expired, EnterFault> {
        let (snapshots, path, person) = (Arc::clone(&self.snapshots), self.path.clone(), self.person.clone());
        let site = snapshots.site();
        let ageing = ExpiryCheck::new(expiry, &person, site.retrievals(&path)?, site.clock().now()?);
        let mut removal = Removal::begin(site, &path);
        let (mut expired, mut changed) = (Expired::default(), Vec::new());
        let mut reach = self.reach()?;
        for place in self.all_places() {
            let Some(entry) = self.entry(place) else { continue };
            if marked.binary_search(&place).is_ok() || !ageing.may_expire(&entry.found, self.shares_name(place)) {
                continue;
            }
            self.pin_others_named_like(&[place]);
            let latecomers = Latecomers::default();
            let removed = self.remove(place, &latecomers, &mut reach, &mut removal, |parts, found| {
                Ok(ageing.arrived_before(parts, found)?)
            });
            match removed {
                Ok(found) => expired.removed.extend(found.map(|found| found.path().display().to_string())),
                Err(fault) => {
                    changed.extend(matches!(fault, MessageFault::Changed | MessageFault::Elusive).then_some(place));
                    expired.failed.push(self.failure(place, &fault));
                }
            }
        }
        self.forget(&changed);
        expired.failed.extend(removal.sync().err().map(|errno| errno.to_string()));
        Ok(expired)
    }
}

//! What is done at the end of a session that ended by QUIT, besides removing what it marked.

use super::session::Maildrop;
use crate::maildir::removal;
use crate::maildir::settings::{Deletion, MarkSeen, Offer, Settings};

impl Settings {
    /// Whether anybody will ask who has retrieved a message.
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

    /// Does what the settings want done at the end of a session. `marked`: the messages that it marked as deleted,
    /// ascending; `retrieved`: those that its client got whole. No failure makes a failed QUIT, since all of it can be done
    /// again; the log tells. Blocks while the disk answers.
    pub fn leave(&mut self, marked: &[usize], retrieved: &[usize]) {
        let left: Vec<usize> = retrieved.iter().copied().filter(|index| marked.binary_search(index).is_err()).collect();
        self.note_what_was_retrieved(&left);
        if self.site().settings().terms_differ
            && !self.person.is_empty()
            && !self.is_missing()
            && let Err(error) = self.note_term(&self.person.clone(), self.expiry.map(|expiry| expiry.days()))
        {
            tracing::warn!(maildrop = %self.path, %error, "no mail is removed for its age: it is not noted how long it stays");
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
            tracing::warn!(maildrop = %self.path, %error, "what was retrieved is not noted");
        }
        if self.site().settings().mark_seen == MarkSeen::Retrieved {
            for reason in self.mark_seen(&self.places(left)) {
                tracing::warn!(maildrop = %self.path, reason, "message not marked as seen");
            }
        }
    }

    fn remove_what_is_old(&mut self, marked: &[usize]) {
        let clock = self.site().clock();
        if self.expiry.is_some()
            && let Err(fault) = clock.now()
        {
            if clock.should_log() {
                tracing::error!(%fault, "no mail is removed for its age");
            }
            return;
        }
        if let Some(expiry) = self.expiry {
            match self.expire(expiry, &self.places(marked)) {
                Ok(expired) => {
                    for reason in &expired.failed {
                        tracing::error!(maildrop = %self.path, reason, "aged message not removed");
                    }
                    if !expired.removed.is_empty() {
                        tracing::info!(person = &*self.person, maildrop = %self.path, messages = expired.removed.len(), "aged mail removed");
                    }
                }
                Err(fault) => tracing::warn!(maildrop = %self.path, %fault, "aged mail is not removed"),
            }
        }
        if let Err(fault) = removal::clean_up(self.site(), &self.path) {
            tracing::warn!(maildrop = %self.path, %fault, "what was deleted long ago is not cleaned up");
        }
    }
}

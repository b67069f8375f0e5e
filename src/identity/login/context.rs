//! What every way to log in works with.

use std::sync::Arc;
use std::time::Instant;

use crate::directory::EntryId;
use crate::identity::cache::Caches;
use crate::identity::open_sessions::OpenSessions;
use crate::identity::question::{Directories, NameQuery};
use crate::identity::settings::Settings;
use crate::identity::throttle::{LoginThrottle, ResetScope};
use crate::identity::verdict::Trace;
use crate::ledger::Ledger;
use crate::names::LoginName;

/// What every way to log in works with.
pub(crate) struct LoginContext {
    pub(crate) directories: Directories,
    pub(crate) settings: Settings,
    pub(crate) caches: Arc<Caches>,
    pub(crate) throttle: Arc<LoginThrottle>,
    pub(crate) sessions: Arc<OpenSessions>,
    pub(crate) ledger: Arc<Ledger>,
}

impl LoginContext {
    /// The query for the owner of a login name.
    pub(crate) fn query<'a>(&'a self, login: &'a LoginName, trace: &'a Trace) -> NameQuery<'a> {
        NameQuery { login, directories: &self.directories, settings: &self.settings, trace }
    }

    /// Logs the lock-outs that are over, and allows passwords that were refused before them to be tried again.
    pub(crate) fn end_lock_outs(&self) {
        self.retry_refused(&self.throttle.end_lock_outs(Instant::now()));
    }

    /// Resets counters, and ends lock-outs with them; returns how many counters there were.
    pub(crate) fn reset_counters(&self, scope: &ResetScope) -> usize {
        let (count, lifted) = self.throttle.reset(scope);
        self.retry_refused(&lifted);
        count
    }

    /// Counts by its own settings from now on; what was counted before stays.
    pub(crate) fn retune_throttle(&self) {
        let (lockout, people) = (self.settings.lockout.clone(), self.settings.cache.people);
        self.retry_refused(&self.throttle.retune(lockout, people));
    }

    /// Asks its own directories about people with open sessions from now on, where that is configured.
    pub(crate) fn retune_sessions(&self) {
        self.sessions.retune(self.directories.iter().cloned().collect(), self.settings.ends_sessions);
    }

    /// Passwords that were refused before a lock-out are tried again after it.
    fn retry_refused(&self, people: &[EntryId]) {
        for person in people {
            self.caches.passwords.drop_refused(person);
        }
    }
}

//! The open sessions of people, which end when their directory says that they may no longer log in.
//!
//! What is cached decides nothing here: a sign that somebody may be gone only causes a search for their entry, and its
//! answer ends their sessions. Without an answer they continue.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use super::person::Identity;
use super::verdict::{AccountReason, NameReason, Outcome, PasswordReason, Reason, RefusedLogin};
use crate::current::Current;
use crate::directory::{Directory, DirectoryRefusal, Entry, EntryId};
use crate::ledger::{Ledger, LiveSession, SessionEnding};
use crate::names::fold;

/// The sessions of everybody who is logged in.
pub(crate) struct OpenSessions {
    /// None if sessions of people who may no longer log in continue.
    directories: Current<Option<Vec<Directory>>>,
    ledger: Arc<Ledger>,
    /// By every id under which a followed directory may name the person.
    sessions: Mutex<HashMap<EntryId, Vec<Arc<PersonSession>>>>,
}

struct PersonSession {
    person: Arc<Identity>,
    /// The name by which the person logged in, folded.
    login: String,
    live: Arc<LiveSession>,
}

/// A session of a person, who is no longer logged in once this is dropped.
pub struct OpenSession {
    session: Arc<PersonSession>,
    among: Arc<OpenSessions>,
}

impl OpenSessions {
    pub(crate) fn new(directories: Vec<Directory>, ends_them: bool, ledger: Arc<Ledger>) -> Arc<Self> {
        let directories = Current::new(ends_them.then_some(directories));
        Arc::new(Self { directories, ledger, sessions: Mutex::default() })
    }

    /// Other directories are asked from now on, or none.
    pub(crate) fn retune(&self, directories: Vec<Directory>, ends_them: bool) {
        self.directories.replace(ends_them.then_some(directories));
    }

    /// A person has logged in.
    pub(crate) fn add(self: &Arc<Self>, person: &Arc<Identity>, login: &[u8], live: Arc<LiveSession>) -> OpenSession {
        let login = fold(&String::from_utf8_lossy(login));
        let session = Arc::new(PersonSession { person: person.clone(), login, live });
        for id in person.ids() {
            self.table().entry(id.clone()).or_default().push(session.clone());
        }
        OpenSession { session, among: self.clone() }
    }

    /// An entry has changed, or is gone.
    pub(crate) fn on_change(self: &Arc<Self>, id: &EntryId) {
        let person = self.table().get(id).and_then(|sessions| sessions.first()).map(|session| session.person.clone());
        self.check(person);
    }

    /// A login has ended: what it found may concern people who are logged in.
    pub(crate) fn on_login(self: &Arc<Self>, login: &str, outcome: &Outcome) {
        let Outcome::Refused(RefusedLogin { identity, reason, .. }) = outcome else { return };
        match (identity, reason) {
            (
                Some(person),
                Reason::Account(AccountReason::Refused(_) | AccountReason::Excluded(_))
                | Reason::Password(PasswordReason::Refused(DirectoryRefusal::NoSuchEntry)),
            ) => self.on_change(&person.id),
            (None, Reason::Name(NameReason::Unknown)) => self.check(self.people_called(login)),
            _ => {}
        }
    }

    /// Whoever logged in by a name, or has it as their canonical name.
    fn people_called(&self, login: &str) -> Vec<Arc<Identity>> {
        let name = fold(login);
        let mut people: Vec<Arc<Identity>> = Vec::new();
        for session in self.table().values().flatten() {
            let PersonSession { person, login, .. } = &**session;
            let is_called = *login == name || fold(&person.canonical_name) == name;
            if is_called && !people.iter().any(|other| other.id == person.id) {
                people.push(person.clone());
            }
        }
        people
    }

    /// Asks for the entries of people, and ends the sessions of those who may no longer log in. Nobody waits for that.
    fn check(self: &Arc<Self>, people: impl IntoIterator<Item = Arc<Identity>>) {
        if self.directories.get().is_none() {
            return;
        }
        for person in people {
            let sessions = self.clone();
            tokio::spawn(async move { sessions.check_one(&person).await });
        }
    }

    async fn check_one(&self, person: &Identity) {
        let directories = self.directories.get();
        let mut directories = directories.iter().flatten();
        let own = directories.find(|directory| *directory.settings().name == *person.id.directory());
        let Some(directory) = own else { return };
        let Ok(entry) = directory.entry_of(person.id.clone(), person.dn.clone()).await else { return };
        if let Some(reason) = withdrawn(entry.as_ref()) {
            self.end(person, &reason);
        }
    }

    fn end(&self, person: &Identity, reason: &str) {
        let ending = SessionEnding::Account(Arc::from(reason));
        let sessions = self.table().get(&person.id).cloned().unwrap_or_default();
        let count = sessions.iter().filter(|session| session.live.end(ending.clone())).count();
        if count > 0 {
            self.ledger.sessions.note_withdrawn(count);
            tracing::info!(
                name: "sessions_of_disabled_person_ended",
                person = person.canonical_name, count, reason,
                "open sessions ended: this person may no longer log in"
            );
        }
    }

    fn remove(&self, session: &Arc<PersonSession>) {
        let mut table = self.table();
        for id in session.person.ids() {
            let Some(sessions) = table.get_mut(id) else { continue };
            sessions.retain(|other| !Arc::ptr_eq(other, session));
            if sessions.is_empty() {
                table.remove(id);
            }
        }
    }

    fn table(&self) -> MutexGuard<'_, HashMap<EntryId, Vec<Arc<PersonSession>>>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a person may no longer log in, whatever their password; an entry that is gone says so, too.
fn withdrawn(entry: Option<&Entry>) -> Option<String> {
    let Some(entry) = entry else { return Some(DirectoryRefusal::NoSuchEntry.to_string()) };
    let excluded = entry.exclusion.as_ref().map(ToString::to_string);
    excluded.or_else(|| Some(entry.account().withdrawn(SystemTime::now())?.to_string()))
}

impl Drop for OpenSession {
    fn drop(&mut self) {
        self.among.remove(&self.session);
    }
}

//! The directory: who has a name, and whether a password is theirs. LDAP is the only implementation.
//!
//! "Yes", "no" and "nobody" are values; a [`Fault`] is the lack of an answer. Searches share one connection bound as
//! the service; binds as people have a connection pool of their own. Each request has a time limit, is retried once on
//! a fresh connection if the server closed an idle one, and fails over to the next server if this one is silent.
//!
//! # The rooms
//!
//! Each names only those above it.
//!
//! | room | what it is for |
//! |---|---|
//! | `fault`, `url`, `filter` | why there was no answer; what an administrator writes |
//! | `entries` | what an entry says; **a new schema: `entries/attributes.rs`**, and its name and filter in `config/schema.rs` |
//! | `settings` | the settings of a directory |
//! | `ldap` | connections, servers, searches, binds; **when a server is silent: `ldap/failover.rs`**; when all are: `identity::login` |
//! | `questions` | what a directory is asked: for people, groups, SCRAM credentials, everybody |
//! | `background` | keeping connections alive, following changes |
//! | `health` | when the directory last answered, and whether it has fallen silent since |

mod background;
mod entries;
mod fault;
mod filter;
mod health;
mod ldap;
mod questions;
mod settings;
mod url;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{OnceCell, Semaphore, SemaphorePermit};
use tokio::time::timeout;

pub use background::Change;
pub use entries::{
    Account, Admission, Attributes, Barred, DirectoryRefusal, Entry, EntryId, Exclusion, Group, NameLimits, OutOfScope,
    Source, Stamp,
};
pub use fault::Fault;
pub use filter::check_filter;
pub use ldap::{Distrust, PresentedChain, Verdict, system_authorities, trust, trust_showing};
pub use questions::{AttributeNeed, AttributeUse, RootDse, ServerVendor, StoredScram, SubjectNames, Walk, WalkEnd};
pub use settings::{CertificateMapping, DirectoryLimits, ServerTrust, ServiceBind, Settings};
pub use url::LdapUrl;

use self::background::{Follower, KeepAlive, LastRead};
use self::health::Health;
use self::ldap::{Binder, Question, Searcher, Servers, apart};
use crate::ledger::Ledger;
use crate::names::{Dn, LookUp};
use crate::secret::Password;

/// One directory, reached over any of its servers. Cheap to clone.
#[derive(Clone)]
pub struct Directory {
    inner: Arc<DirectoryParts>,
}

struct DirectoryParts {
    servers: Arc<Servers>,
    searcher: Arc<Searcher>,
    /// Permits for look-ups.
    places: Semaphore,
    binder: Arc<Binder>,
    /// Whether the service may read that a person is locked, once that is known.
    shows_locks: OnceCell<bool>,
    health: Health,
    last_read: Arc<LastRead>,
}

impl Directory {
    /// The most people that a certificate is compared with.
    pub const CANDIDATES: u8 = questions::CANDIDATES;

    /// Does not connect yet.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self::counted(settings, &Ledger::default())
    }

    /// The same, with its operations counted.
    #[must_use]
    pub fn counted(settings: Settings, ledger: &Ledger) -> Self {
        let places = Semaphore::new(settings.limits.concurrent_lookups.max(1));
        let servers = Arc::new(Servers::new(Arc::new(settings), &ledger.directories));
        let (searcher, binder) = (Searcher::new(servers.clone()), Binder::new(servers.clone()));
        let (searcher, binder) = (Arc::new(searcher), Arc::new(binder));
        let (shows_locks, health, last_read) = (OnceCell::new(), Health::default(), Arc::default());
        Self { inner: Arc::new(DirectoryParts { servers, searcher, places, binder, shows_locks, health, last_read }) }
    }

    /// Its settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        self.inner.servers.settings()
    }

    /// The people that match a look-up; if there are more than `most`, there may be others. The question is sent at the
    /// call, so that several directories are asked at the same time.
    ///
    /// # Errors
    /// No answer; see [`Fault`].
    pub fn look_up(&self, look_up: LookUp, most: u8) -> impl Future<Output = Result<Vec<Entry>, Fault>> + use<> {
        self.ask(move |inner| async move {
            inner.note_read(questions::look_up(&inner.searcher, &look_up, most).await, false)
        })
    }

    /// The people to whom a certificate may belong, with the certificates of their entries ([`Entry::octets`]). If
    /// there are more than [`Directory::CANDIDATES`], there may be others. The question is sent at the call.
    ///
    /// # Errors
    /// No answer; see [`Fault`].
    pub fn candidates(&self, claims: SubjectNames) -> impl Future<Output = Result<Vec<Entry>, Fault>> + use<> {
        self.ask(
            move |inner| async move { inner.note_read(questions::candidates(&inner.searcher, &claims).await, true) },
        )
    }

    /// The SCRAM credentials in a person's entry now; none if no person has that DN.
    ///
    /// # Errors
    /// No answer; see [`Fault`].
    pub async fn scram(&self, dn: Dn) -> Result<Option<StoredScram>, Fault> {
        self.ask(move |inner| async move { questions::scram(&inner.searcher, &dn).await }).await
    }

    /// The id of the person's entry at a DN now; none if no person has that DN.
    ///
    /// # Errors
    /// No answer; see [`Fault`].
    pub async fn id_at(&self, dn: Dn) -> Result<Option<EntryId>, Fault> {
        self.ask(move |inner| async move { questions::id_at(&inner.searcher, &dn).await }).await
    }

    /// A person's entry now, wherever it was moved; none if no person has it any more.
    ///
    /// # Errors
    /// No answer; see [`Fault`].
    pub async fn entry_of(&self, id: EntryId, dn: Dn) -> Result<Option<Entry>, Fault> {
        self.ask(move |inner| async move { questions::entry_of(&inner.searcher, &id, &dn).await }).await
    }

    /// Asks whether the directory answers, by a search for a name that nobody has. The question is sent at the call.
    ///
    /// # Errors
    /// No answer; see [`Fault`].
    pub fn confirm(&self) -> impl Future<Output = Result<(), Fault>> + use<> {
        self.ask(move |inner| async move {
            let question = Question::nobody(inner.searcher.settings());
            inner.searcher.ask(&question).await.map(drop)
        })
    }

    /// What the server says about itself; none if it shows nothing to the service.
    ///
    /// # Errors
    /// No answer; see [`Fault`].
    pub async fn root_dse(&self) -> Result<Option<RootDse>, Fault> {
        let searcher = self.inner.searcher.clone();
        apart(async move { questions::root_dse(&searcher).await }).await
    }

    /// The certificate chain that the first server presents, judged by the authorities in a PEM file, or by those of the
    /// system. Nothing is sent to a server that is not trusted.
    ///
    /// # Errors
    /// A sentence about the file, or why there is no connection or no TLS.
    pub async fn presented_chain(&self, ca: Option<&Path>) -> Result<PresentedChain, Fault> {
        let (settings, ca) = (self.settings().clone(), ca.map(Path::to_owned));
        apart(async move { ldap::presented(&settings, ca.as_deref()).await }).await
    }

    /// Whether the directory answers, accepts the service's bind, and has the search base.
    ///
    /// # Errors
    /// No answer; see [`Fault`].
    pub async fn probe(&self) -> Result<(), Fault> {
        let searcher = self.inner.searcher.clone();
        apart(async move { questions::probe(&searcher).await }).await
    }

    /// A sentence for each purpose for which the service needs attributes that it may not read, as far as can be known
    /// from a few people's entries: those given, and those that identify an entry, show changes or an account's state.
    ///
    /// # Errors
    /// No answer; see [`Fault`].
    pub async fn unreadable(&self, needs: Vec<AttributeNeed>) -> Result<Vec<String>, Fault> {
        let searcher = self.inner.searcher.clone();
        apart(async move { questions::unreadable(&searcher, &needs).await }).await
    }

    /// If nobody is found: what is below the search base instead, and what may be wrong.
    ///
    /// # Errors
    /// No answer; see [`Fault`].
    pub async fn instead_of_people(&self) -> Result<String, Fault> {
        let searcher = self.inner.searcher.clone();
        apart(async move { questions::instead_of_people(&searcher).await }).await
    }

    /// Every search that a look-up sends, as an administrator would type it: `-b BASE -s SCOPE 'FILTER'`. Nothing is
    /// asked. [`Self::look_up`] sends these searches and no other.
    #[must_use]
    pub fn searches(&self, look_up: &LookUp) -> Vec<String> {
        questions::searches(self.settings(), look_up)
    }

    /// Iterates over everybody below the search base, in the server's order.
    #[must_use]
    pub fn walk(&self) -> Walk {
        questions::walk(self.inner.searcher.clone())
    }

    /// Whether this is the password of the entry.
    ///
    /// # Errors
    /// No answer; see [`Fault`].
    pub async fn bind(&self, dn: Dn, password: Password) -> Result<Verdict, Fault> {
        let inner = self.inner.clone();
        apart(async move {
            let answer = inner.binder.bind(&dn, &password).await;
            inner.health.note_bind(&answer);
            match answer? {
                Verdict::Refused(DirectoryRefusal::WrongOrLocked) if inner.shows_locks().await => {
                    Ok(Verdict::Refused(DirectoryRefusal::WrongPassword))
                }
                verdict => Ok(verdict),
            }
        })
        .await
    }

    /// Whether the directory has answered a question of a login since a moment, and each later one.
    #[must_use]
    pub fn was_heard_since(&self, moment: Instant) -> bool {
        self.inner.health.was_heard_since(moment)
    }

    /// Whether the directory has fallen silent, after it last answered within this time.
    #[must_use]
    pub fn fell_silent_within(&self, time: Duration) -> bool {
        self.inner.health.fell_silent_within(time)
    }

    /// Whether the last search had no answer.
    #[must_use]
    pub fn finds_nobody(&self) -> bool {
        self.inner.health.are_searches_silent()
    }

    /// Each of its servers, and whether it is used: one that does not answer is not, until it answers again.
    #[must_use]
    pub fn servers(&self) -> Vec<(String, bool)> {
        let are_up = self.inner.servers.are_up();
        self.settings().urls.iter().map(ToString::to_string).zip(are_up).collect()
    }

    /// Maintains the connections for as long as the future is polled: servers that are down are tried again, idle
    /// connections are used.
    pub async fn maintain(&self) {
        let DirectoryParts { searcher, binder, .. } = &*self.inner;
        KeepAlive { searcher: searcher.clone(), binder: binder.clone() }.run().await;
    }

    /// Closes the connections that no operation uses. Later operations open others.
    pub async fn close_idle(&self) {
        self.inner.searcher.close_idle().await;
        drop(self.inner.binder.take_all_idle());
    }

    /// Follows the directory for as long as the future is polled, and reports every change as it comes. A failure to
    /// follow is reported once, until it is followed again; meanwhile cached data is kept for its lifetime.
    pub async fn follow(&self, report: impl Fn(Change) + Send + Sync + 'static) {
        let DirectoryParts { servers, last_read, .. } = &*self.inner;
        Follower { servers: servers.clone(), last_read: last_read.clone(), report: Arc::new(report) }.run().await;
    }

    /// Asks a question for a login, beginning at the call: no more than `concurrent_lookups` at once. The result shows
    /// whether the directory is silent.
    fn ask<T, Asking, Answer>(
        &self,
        question: Asking,
    ) -> impl Future<Output = Result<T, Fault>> + use<T, Asking, Answer>
    where
        T: Send + 'static,
        Asking: FnOnce(Arc<DirectoryParts>) -> Answer + Send + 'static,
        Answer: Future<Output = Result<T, Fault>> + Send,
    {
        let inner = self.inner.clone();
        apart(async move {
            let _place = inner.place().await?;
            let answer = question(inner.clone()).await;
            inner.health.note_search(&answer);
            answer
        })
    }
}

impl DirectoryParts {
    /// Notes what was read of people's entries, for the follower.
    fn note_read(&self, answer: Result<Vec<Entry>, Fault>, by_certificate: bool) -> Result<Vec<Entry>, Fault> {
        let entries = answer?;
        if self.servers.settings().follow {
            self.last_read.note(&entries, by_certificate);
        }
        Ok(entries)
    }

    /// Whether the service may read that a person is locked. Asked once, when it first matters.
    async fn shows_locks(&self) -> bool {
        let shown = self.shows_locks.get_or_try_init(|| questions::shows_locks(&self.searcher)).await;
        shown.copied().unwrap_or(false)
    }

    /// Waits for a permit for one more look-up. Too many at once would all be late, and the later ones even more so: a
    /// look-up that has waited too long fails instead.
    async fn place(&self) -> Result<SemaphorePermit<'_>, Fault> {
        let DirectoryLimits { operation, concurrent_lookups, .. } = self.servers.settings().limits;
        match timeout(operation, self.places.acquire()).await {
            Ok(Ok(place)) => Ok(place),
            _ => Err(Fault::silent(format!(
                "look-up not sent: concurrent_lookups ({concurrent_lookups}) were in progress for {operation:?}"
            ))),
        }
    }
}

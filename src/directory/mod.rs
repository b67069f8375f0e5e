//! The directory: who is behind a name, and is this their password. LDAP is the one implementation.
//!
//! "Yes", "no" and "nobody" are values; a [`Fault`] is the lack of an answer. Searches share one connection bound as the
//! service; binds as the people have a pool of their own. Each request has a limit of time, is repeated once on a fresh
//! connection if the server closed the old one while it idled, and moves on to the next server if this one is silent.

mod background;
mod entries;
mod fault;
mod filter;
mod health;
mod ldap;
mod questions;
mod settings;
mod url;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{OnceCell, Semaphore, SemaphorePermit};
use tokio::time::timeout;

pub use background::Change;
pub use entries::{Account, Attributes, Barred, Entry, EntryId, Misfit, NameLimits, Source, Stamp};
pub use fault::Fault;
pub use filter::check_filter;
pub use ldap::{Refusal, Verdict, system_authorities, trust};
pub use questions::{Access, Admission, CertificateMapping, Claims, Exclusion, Group, HeldScram, Need, Walk, WalkEnd};
pub use settings::{Limits, ServiceBind, Settings};
pub use url::LdapUrl;

use self::background::LastRead;
use self::health::Health;
use self::ldap::{Binder, Question, Searcher, Servers};
use crate::names::{Dn, LookUp};
use crate::secret::Password;

/// One directory, reached over any of its servers. Cheap to clone.
#[derive(Clone)]
pub struct Directory {
    inner: Arc<Inner>,
}

struct Inner {
    settings: Settings,
    servers: Servers,
    searcher: Searcher,
    /// For look-ups under way.
    places: Semaphore,
    binder: Binder,
    /// Whether the entry of a locked person says so to the service, once that is known.
    shows_locks: OnceCell<bool>,
    health: Health,
    last_read: LastRead,
}

impl Directory {
    /// The most people that a certificate is compared with.
    pub const CANDIDATES: u8 = questions::CANDIDATES;

    /// Connects nowhere yet.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let (servers, searcher, binder) = (Servers::new(&settings), Searcher::new(), Binder::new(&settings));
        let places = Semaphore::new(settings.limits.concurrent_lookups.max(1));
        let (shows_locks, health, last_read) = (OnceCell::new(), Health::default(), LastRead::default());
        let inner = Inner { settings, servers, searcher, places, binder, shows_locks, health, last_read };
        Self { inner: Arc::new(inner) }
    }

    /// What it was told.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// The people that answer a look-up: of more than `most` there may be others yet. Asked from the call on, so that
    /// several directories are asked at the same time.
    ///
    /// # Errors
    /// No answer; see [`Fault`].
    pub fn look_up(&self, look_up: LookUp, most: u8) -> impl Future<Output = Result<Vec<Entry>, Fault>> + use<> {
        let inner = self.inner.clone();
        apart(async move {
            let _place = inner.place().await?;
            let answer = inner.searcher.look_up(&inner.settings, &inner.servers, &look_up, most).await;
            inner.read(inner.heard(answer), false)
        })
    }

    /// The people whose a certificate may be, with the certificates of their entries ([`Entry::octets`]). More than
    /// [`Directory::CANDIDATES`] cannot be told apart: there may be others yet. Asked from the call on.
    ///
    /// # Errors
    /// No answer; see [`Fault`].
    pub fn candidates(&self, claims: Claims) -> impl Future<Output = Result<Vec<Entry>, Fault>> + use<> {
        let inner = self.inner.clone();
        apart(async move {
            let _place = inner.place().await?;
            let answer = inner.searcher.candidates(&inner.settings, &inner.servers, &claims).await;
            inner.read(inner.heard(answer), true)
        })
    }

    /// A sentence for each thing that attributes are needed for and that the service may not use them for, as far as can
    /// be told from a few people's entries: those given, and those that identify an entry, tell of changes or of an
    /// account's state.
    ///
    /// # Errors
    /// No answer; see [`Fault`].
    pub async fn unreadable(&self, needs: Vec<Need>) -> Result<Vec<String>, Fault> {
        let inner = self.inner.clone();
        apart(async move { inner.searcher.unreadable(&inner.settings, &inner.servers, &needs).await }).await
    }

    /// Where nobody is found below the search base: what is there, and what may be wrong.
    ///
    /// # Errors
    /// No answer; see [`Fault`].
    pub async fn instead_of_people(&self) -> Result<String, Fault> {
        let inner = self.inner.clone();
        apart(async move { inner.searcher.instead_of_people(&inner.settings, &inner.servers).await }).await
    }

    /// What a person's entry holds of SCRAM now; none if no person has that DN.
    ///
    /// # Errors
    /// No answer; see [`Fault`].
    pub async fn scram(&self, dn: Dn) -> Result<Option<HeldScram>, Fault> {
        let inner = self.inner.clone();
        apart(async move {
            let _place = inner.place().await?;
            let answer = inner.searcher.scram(&inner.settings, &inner.servers, &dn).await;
            inner.heard(answer)
        })
        .await
    }

    /// The id of the person's entry at a DN now; none if no person has that DN.
    ///
    /// # Errors
    /// No answer; see [`Fault`].
    pub async fn id_at(&self, dn: Dn) -> Result<Option<EntryId>, Fault> {
        let inner = self.inner.clone();
        apart(async move {
            let _place = inner.place().await?;
            let answer = inner.searcher.id_at(&inner.settings, &inner.servers, &dn).await;
            inner.heard(answer)
        })
        .await
    }

    /// Whether the directory answered a login's question since a moment, and none has been without an answer since.
    #[must_use]
    pub fn was_heard_since(&self, moment: Instant) -> bool {
        self.inner.health.was_heard_since(moment)
    }

    /// Whether the directory has fallen silent, and was heard so short a time ago.
    #[must_use]
    pub fn fell_silent_within(&self, time: Duration) -> bool {
        self.inner.health.fell_silent_within(time)
    }

    /// Whether the last search had no answer.
    #[must_use]
    pub fn finds_nobody(&self) -> bool {
        self.inner.health.are_searches_silent()
    }

    /// Asks whether the directory answers: for people under a name that nobody has, from the call on.
    ///
    /// # Errors
    /// No answer; see [`Fault`].
    pub fn confirm(&self) -> impl Future<Output = Result<(), Fault>> + use<> {
        let inner = self.inner.clone();
        apart(async move {
            let _place = inner.place().await?;
            let question = Question::nobody(&inner.settings);
            let answer = inner.searcher.ask(&inner.settings, &inner.servers, &question).await;
            inner.heard(answer).map(drop)
        })
    }

    /// Whether the directory answers, lets the service in, and has the search base.
    ///
    /// # Errors
    /// No answer; see [`Fault`].
    pub async fn probe(&self) -> Result<(), Fault> {
        let inner = self.inner.clone();
        apart(async move { inner.searcher.probe(&inner.settings, &inner.servers).await }).await
    }

    /// Whether this is the password of the entry.
    ///
    /// # Errors
    /// No answer; see [`Fault`].
    pub async fn bind(&self, dn: Dn, password: Password) -> Result<Verdict, Fault> {
        let inner = self.inner.clone();
        apart(async move {
            let answer = inner.binder.bind(&inner.settings, &inner.servers, &dn, &password).await;
            inner.health.note_bind(&answer);
            match answer? {
                Verdict::Refused(Refusal::WrongOrLocked) if inner.shows_locks().await => {
                    Ok(Verdict::Refused(Refusal::WrongPassword))
                }
                verdict => Ok(verdict),
            }
        })
        .await
    }
}

impl Inner {
    /// Notes what came of a search.
    fn heard<T>(&self, answer: Result<T, Fault>) -> Result<T, Fault> {
        self.health.note_search(&answer);
        answer
    }

    /// Notes what was read of people, for the follower.
    fn read(&self, answer: Result<Vec<Entry>, Fault>, by_certificate: bool) -> Result<Vec<Entry>, Fault> {
        let entries = answer?;
        if self.settings.follow {
            self.last_read.note(&entries, by_certificate);
        }
        Ok(entries)
    }

    /// Whether the entry of a locked person says so to the service. Asked once, when it first matters.
    async fn shows_locks(&self) -> bool {
        let shown = self.shows_locks.get_or_try_init(|| self.searcher.shows_locks(&self.settings, &self.servers)).await;
        shown.copied().unwrap_or(false)
    }

    /// Waits until one more look-up may be sent. Too many at once would be late all together, and those that come later
    /// later still: who has waited too long gets an answer instead.
    async fn place(&self) -> Result<SemaphorePermit<'_>, Fault> {
        let Limits { operation, concurrent_lookups, .. } = self.settings.limits;
        match timeout(operation, self.places.acquire()).await {
            Ok(Ok(place)) => Ok(place),
            _ => Err(Fault::silent(format!(
                "look-up not sent: concurrent_lookups ({concurrent_lookups}) were under way for {operation:?}"
            ))),
        }
    }
}

/// Runs a request in a task of its own, from the call on: the LDAP library panics on some odd answers, and a request that
/// was begun is finished even if the client that wanted it hangs up.
fn apart<T: Send + 'static, Request: Future<Output = Result<T, Fault>> + Send + 'static>(
    request: Request,
) -> impl Future<Output = Result<T, Fault>> + use<T, Request> {
    let task = tokio::spawn(request);
    async move {
        match task.await {
            Ok(answer) => answer,
            Err(_) => Err(Fault::silent("the directory's answer could not be understood")),
        }
    }
}

//! Who is connected, and how a session is ended from outside.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Instant, SystemTime};

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tokio::sync::Notify;

use super::families::CounterFamily;
use super::lock;

/// The sessions that are being served.
pub struct LiveSessions {
    table: Arc<SessionTable>,
    turned_away: CounterFamily<1>,
    withdrawn: Counter,
}

struct SessionTable {
    sessions: Mutex<BTreeMap<u64, Arc<LiveSession>>>,
    next: AtomicU64,
    total: Counter,
    authorization: Gauge,
    transaction: Gauge,
    update: Gauge,
}

/// The state of a session (RFC 1939 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LiveState {
    /// Nobody is logged in yet.
    Authorization,
    /// Somebody is, and their maildrop is open.
    Transaction,
    /// QUIT was sent: deletions are being carried out.
    Update,
}

/// A session that is being served.
pub struct LiveSession {
    id: String,
    peer: SocketAddr,
    listener: Arc<str>,
    since: (SystemTime, Instant),
    changing: Mutex<ChangingPart>,
    /// It is to end, and why.
    ending: OnceLock<SessionEnding>,
    kick: Notify,
}

/// Why a session is ended from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionEnding {
    /// An administrator's command.
    Administrator,
    /// The person may no longer log in; why.
    Account(Arc<str>),
}

/// What changes during a session.
struct ChangingPart {
    state: LiveState,
    person: Option<Arc<str>>,
    host: Option<Arc<str>>,
    protection: &'static str,
}

/// A session as reports show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionInfo {
    /// Its id, as in the log.
    pub id: String,
    /// The canonical name of the person who is logged in.
    pub person: Option<Arc<str>>,
    /// The host to which the session is passed on.
    pub host: Option<Arc<str>>,
    /// The client's address.
    pub peer: SocketAddr,
    /// The listener's address.
    pub listener: Arc<str>,
    /// When the client connected.
    pub since: SystemTime,
    /// For how many seconds it has been connected.
    pub seconds: u64,
    /// Its state.
    pub state: LiveState,
    /// Its protection, as in the log: `none`, `TLS 1.2` or `TLS 1.3`.
    pub protection: &'static str,
}

/// A session's place among the live ones, which it leaves when this is dropped.
pub struct RegisteredSession {
    session: Arc<LiveSession>,
    number: u64,
    table: Arc<SessionTable>,
}

impl LiveState {
    /// The word for it in reports and metrics.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Authorization => "authorization",
            Self::Transaction => "transaction",
            Self::Update => "update",
        }
    }
}

impl LiveSessions {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let by_state: Family<[(&'static str, &'static str); 1], Gauge> = Family::default();
        let gauge = |state: LiveState| by_state.get_or_create_owned(&[("state", state.word())]);
        let table = SessionTable {
            sessions: Mutex::default(),
            next: AtomicU64::default(),
            total: Counter::default(),
            authorization: gauge(LiveState::Authorization),
            transaction: gauge(LiveState::Transaction),
            update: gauge(LiveState::Update),
        };
        let turned_away = CounterFamily::default();
        registry.register("sessions", "Sessions since the start", table.total.clone());
        registry.register("sessions_current", "Sessions being served, by state", by_state.clone());
        let withdrawn = Counter::default();
        let help = "Sessions ended because the person may no longer log in";
        registry.register("sessions_of_disabled_people_ended", help, withdrawn.clone());
        let help = "Connections turned away because a limit was reached";
        registry.register("connections_turned_away", help, turned_away.clone());
        for limit in ["connections", "connections_per_address"] {
            drop(turned_away.get_or_create(&[("limit", limit)]));
        }
        Self { table: Arc::new(table), turned_away, withdrawn }
    }

    /// A client has connected. `id`: the session's id in the log.
    #[must_use]
    pub fn register(&self, id: String, peer: SocketAddr, listener: Arc<str>) -> RegisteredSession {
        let (state, table) = (LiveState::Authorization, Arc::clone(&self.table));
        let session = Arc::new(LiveSession {
            id,
            peer,
            listener,
            since: (SystemTime::now(), Instant::now()),
            changing: Mutex::new(ChangingPart { state, person: None, host: None, protection: "none" }),
            ending: OnceLock::new(),
            kick: Notify::new(),
        });
        let number = table.next.fetch_add(1, Ordering::Relaxed);
        lock(&table.sessions).insert(number, Arc::clone(&session));
        table.total.inc();
        table.gauge(state).inc();
        RegisteredSession { session, number, table }
    }

    /// A client was turned away, since this limit was reached.
    pub fn note_turned_away(&self, limit: &'static str) {
        self.turned_away.get_or_create(&[("limit", limit)]).inc();
    }

    /// Sessions were ended, since their person may no longer log in.
    pub fn note_withdrawn(&self, count: usize) {
        self.withdrawn.inc_by(u64::try_from(count).unwrap_or(u64::MAX));
    }

    /// Sessions being served, and sessions since the start.
    #[must_use]
    pub fn counts(&self) -> (u64, u64) {
        let current = lock(&self.table.sessions).len();
        (u64::try_from(current).unwrap_or(u64::MAX), self.table.total.get())
    }

    /// The sessions being served, from the oldest on.
    #[must_use]
    pub fn list(&self) -> Vec<SessionInfo> {
        self.all().iter().map(|session| session.info()).collect()
    }

    /// Ends the session with this id, or else all sessions of this person, whose canonical name is compared without regard
    /// to case. Returns those that are being ended.
    #[must_use]
    pub fn kick(&self, target: &str) -> Vec<SessionInfo> {
        let all = self.all();
        let mut meant: Vec<_> = all.iter().filter(|session| session.id == target).collect();
        if meant.is_empty() {
            meant = all.iter().filter(|session| session.is_of(target)).collect();
        }
        for session in &meant {
            session.end(SessionEnding::Administrator);
        }
        meant.into_iter().map(|session| session.info()).collect()
    }

    fn all(&self) -> Vec<Arc<LiveSession>> {
        lock(&self.table.sessions).values().cloned().collect()
    }
}

impl SessionTable {
    fn gauge(&self, state: LiveState) -> &Gauge {
        match state {
            LiveState::Authorization => &self.authorization,
            LiveState::Transaction => &self.transaction,
            LiveState::Update => &self.update,
        }
    }
}

impl LiveSession {
    /// The session's id in the log.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Completes once the session is ended from outside, with the reason.
    pub async fn kicked(&self) -> SessionEnding {
        loop {
            // Before the flag is read, so that no kick is missed between the two.
            let kick = self.kick.notified();
            if let Some(ending) = self.ending() {
                return ending.clone();
            }
            kick.await;
        }
    }

    /// Why the session is ended from outside, if it is.
    #[must_use]
    pub fn ending(&self) -> Option<&SessionEnding> {
        self.ending.get()
    }

    /// Ends the session: at once while it waits for the client, else after its current command. Returns whether it was
    /// not being ended before.
    pub fn end(&self, why: SessionEnding) -> bool {
        let is_first = self.ending.set(why).is_ok();
        self.kick.notify_waiters();
        is_first
    }

    fn is_of(&self, person: &str) -> bool {
        let changing = lock(&self.changing);
        changing.person.as_ref().is_some_and(|own| own.to_lowercase() == person.to_lowercase())
    }

    fn info(&self) -> SessionInfo {
        let changing = lock(&self.changing);
        SessionInfo {
            id: self.id.clone(),
            person: changing.person.clone(),
            host: changing.host.clone(),
            peer: self.peer,
            listener: Arc::clone(&self.listener),
            since: self.since.0,
            seconds: self.since.1.elapsed().as_secs(),
            state: changing.state,
            protection: changing.protection,
        }
    }
}

impl fmt::Display for SessionEnding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Administrator => f.write_str("ended by an administrator"),
            Self::Account(why) => write!(f, "no longer allowed to log in: {why}"),
        }
    }
}

impl RegisteredSession {
    /// The session, for whoever waits for its end.
    #[must_use]
    pub fn live(&self) -> Arc<LiveSession> {
        Arc::clone(&self.session)
    }

    /// Who is logged in, if anybody is.
    pub fn set_person(&self, person: Option<&str>) {
        lock(&self.session.changing).person = person.map(Arc::from);
    }

    /// The session is passed on to this host.
    pub fn set_host(&self, host: &str) {
        lock(&self.session.changing).host = Some(Arc::from(host));
    }

    /// The protection of the connection has changed.
    pub fn set_protection(&self, protection: &'static str) {
        lock(&self.session.changing).protection = protection;
    }

    /// The session is in another state.
    pub fn set_state(&self, state: LiveState) {
        let before = std::mem::replace(&mut lock(&self.session.changing).state, state);
        self.table.gauge(before).dec();
        self.table.gauge(state).inc();
    }
}

impl Drop for RegisteredSession {
    fn drop(&mut self) {
        lock(&self.table.sessions).remove(&self.number);
        let state = lock(&self.session.changing).state;
        self.table.gauge(state).dec();
    }
}

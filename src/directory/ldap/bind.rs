//! Binds as people: a bind changes the identity of a connection, so these binds have connections of their own.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::connect::Connection;
use super::failover::{Discarded, Request, Tried, TryOutcome};
use super::late::{LateBinds, answers_otherwise};
use super::password_policy;
use super::servers::{Purpose, Servers};
use super::verdict::{Verdict, judge};
use crate::directory::fault::{Fault, is_lost};
use crate::ledger::{OperationCounters, ServerCounters};
use crate::names::Dn;
use crate::secret::Password;

/// A bounded number of connections, each used by one bind at a time.
pub(crate) struct Binder {
    servers: Arc<Servers>,
    places: Semaphore,
    /// The most idle connections.
    most: usize,
    idle: Mutex<Vec<Connection>>,
    late: LateBinds,
}

/// The outcome of one bind on one connection.
enum BindOutcome {
    Tried(TryOutcome<Verdict>),
    /// No answer in time, from a server that answers others.
    Late,
}

/// Why a bind that is late has no answer.
const LATE: &str = "bind as the person: no answer in time";

impl Binder {
    pub(crate) fn new(servers: Arc<Servers>) -> Self {
        let most = servers.settings().limits.bind_connections.max(1);
        Self { servers, places: Semaphore::new(most), most, idle: Mutex::default(), late: LateBinds::default() }
    }

    /// Asks whether this is the entry's password: again on a fresh connection if this one was lost, and at the next
    /// server if this one is silent, but never at another server after one has said no.
    pub(crate) async fn bind(&self, dn: &Dn, password: &Password) -> Result<Verdict, Fault> {
        let limits = self.servers.settings().limits;
        let patience = limits.connect + limits.operation;
        let Ok(Ok(_place)) = timeout(patience, self.places.acquire()).await else {
            return Err(Fault::silent(format!("bind: no connection was free within {patience:?}")));
        };
        self.servers.ask(&BindRequest { binder: self, dn, password }).await
    }

    /// The connection used last, since it is the least likely to have been closed for idleness. Those to a server are
    /// dropped as soon as a preferred one answers.
    fn take_idle(&self) -> Option<Connection> {
        let mut idle = self.idle();
        idle.retain(|connection| connection.is_open() && !self.servers.has_better_than(connection.server));
        idle.pop()
    }

    fn forget_idle(&self, server: usize) {
        self.idle().retain(|connection| connection.server != server);
    }

    /// Takes all idle connections.
    pub(crate) fn take_all_idle(&self) -> Vec<Connection> {
        std::mem::take(&mut *self.idle())
    }

    /// Keeps a connection, unless others were opened in its place.
    fn keep(&self, connection: Connection) {
        let mut idle = self.idle();
        if idle.len() < self.most {
            idle.push(connection);
        }
    }

    /// Puts connections back, behind those that were used since, and closes as many as were opened in their place.
    pub(crate) fn put_back(&self, connections: Vec<Connection>) {
        let mut idle = self.idle();
        idle.splice(0..0, connections);
        let too_many = idle.len().saturating_sub(self.most);
        idle.drain(..too_many);
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One bind, as the loop of all requests tries it.
struct BindRequest<'a> {
    binder: &'a Binder,
    dn: &'a Dn,
    password: &'a Password,
}

impl Request for BindRequest<'_> {
    /// The server: the connection itself is kept or closed at once.
    type ConnectionRef = usize;
    type Answer = Verdict;

    fn counters(of: &ServerCounters) -> &OperationCounters {
        &of.binds
    }

    async fn attempt(&self) -> Result<Tried<usize, Verdict>, Fault> {
        let connection = match self.binder.take_idle() {
            Some(connection) => connection,
            None => self.binder.servers.connect(Purpose::Binds).await?,
        };
        let server = connection.server;
        let attempt = match self.try_on(connection).await {
            BindOutcome::Tried(TryOutcome::Answered(Err(fault))) if fault.is_silence() => TryOutcome::Down(fault),
            BindOutcome::Tried(attempt) => attempt,
            BindOutcome::Late => TryOutcome::Answered(self.bind_elsewhere(server).await),
        };
        Ok(Tried { server, connection: server, attempt })
    }

    /// Whatever cut one idle connection, such as a firewall, has cut the others as well.
    async fn discard(&self, server: &usize) -> Discarded {
        self.binder.forget_idle(*server);
        Discarded::Now
    }
}

impl BindRequest<'_> {
    /// Asks another server, once: the one that is late with this bind goes on answering others.
    async fn bind_elsewhere(&self, late: usize) -> Result<Verdict, Fault> {
        let fault = Fault::silent(LATE);
        let connection = self.binder.servers.connect_elsewhere(Purpose::Binds, late, fault.clone()).await?;
        match self.try_on(connection).await {
            BindOutcome::Tried(TryOutcome::Answered(answer)) => answer,
            BindOutcome::Tried(TryOutcome::Lost(fault)) => Err(fault),
            BindOutcome::Tried(TryOutcome::Down(_)) | BindOutcome::Late => Err(fault),
        }
    }

    /// Binds on a connection, which is kept only if the server answered: after silence its identity is unknown.
    async fn try_on(&self, connection: Connection) -> BindOutcome {
        let Binder { servers, late, .. } = self.binder;
        let (server, mut ldap) = (connection.server, connection.handle());
        let answered_before = late.answered(server);
        ldap.with_controls(password_policy::request());
        let settings = servers.settings();
        let bind = timeout(settings.limits.operation, ldap.simple_bind(self.dn.as_str(), self.password.expose()));
        match unless_late(bind, answers_otherwise(settings, server)).await {
            (Ok(Ok(result)), _) => {
                late.note_answer(server);
                self.binder.keep(connection);
                BindOutcome::Tried(TryOutcome::Answered(judge(&result)))
            }
            (Ok(Err(error)), _) => {
                let fault = Fault::silent(format!("bind as the person: {error}"));
                BindOutcome::Tried(if is_lost(&error) {
                    TryOutcome::Lost(fault)
                } else {
                    TryOutcome::Answered(Err(fault))
                })
            }
            (Err(_), true) if !late.note_late(server, self.dn, answered_before) => BindOutcome::Late,
            (Err(_), _) => BindOutcome::Tried(TryOutcome::Down(Fault::silent(LATE))),
        }
    }
}

/// The result of a request, and whether the server answers other requests; that is tried only while the request has no
/// answer.
async fn unless_late<T>(request: impl Future<Output = T>, answers_otherwise: impl Future<Output = bool>) -> (T, bool) {
    tokio::pin!(request);
    tokio::select! {
        biased;
        answer = &mut request => (answer, false),
        answers = answers_otherwise => (request.await, answers),
    }
}

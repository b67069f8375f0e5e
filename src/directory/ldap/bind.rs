//! Binds as the people: a bind changes who a connection is, so these have connections of their own.

use std::sync::{Mutex, MutexGuard, PoisonError};

use ldap3::LdapError;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::connect::Connection;
use super::late::{LateBinds, answers_otherwise};
use super::password_policy;
use super::servers::Servers;
use super::verdict::{Verdict, judge};
use crate::directory::fault::{Fault, is_lost};
use crate::directory::settings::Settings;
use crate::names::Dn;
use crate::secret::Password;

/// A bounded number of connections, each used by one bind at a time.
pub(crate) struct Binder {
    places: Semaphore,
    /// The most connections that idle.
    most: usize,
    idle: Mutex<Vec<Connection>>,
    late: LateBinds,
}

/// How one bind on one connection went.
enum Try {
    Answered(Result<Verdict, Fault>),
    Lost(LdapError),
    /// No answer in time, from a server that answers others.
    Late,
    /// The server answers nobody.
    Silent,
}

/// Why a bind that is late has no answer.
const LATE: &str = "bind as the person: no answer in time";

impl Binder {
    pub(crate) fn new(settings: &Settings) -> Self {
        let most = settings.limits.bind_connections.max(1);
        Self { places: Semaphore::new(most), most, idle: Mutex::default(), late: LateBinds::default() }
    }

    /// Asks whether this is the entry's password: on a fresh connection if this one was lost, of the next server if this
    /// one is silent, never of another once one has said no.
    pub(crate) async fn bind(
        &self,
        settings: &Settings,
        servers: &Servers,
        dn: &Dn,
        password: &Password,
    ) -> Result<Verdict, Fault> {
        let patience = settings.limits.connect + settings.limits.operation;
        let Ok(Ok(_place)) = timeout(patience, self.places.acquire()).await else {
            return Err(Fault::silent(format!("bind: no connection was free within {patience:?}")));
        };
        let (mut may_repeat, mut tried) = (true, Vec::new());
        loop {
            let connection = match self.take_idle(servers) {
                Some(connection) => connection,
                None => servers.connect(settings, None).await?,
            };
            let server = connection.server;
            let fault = match self.try_on(connection, settings, dn, password).await {
                Try::Answered(Err(fault @ Fault::Unavailable { silent: true, .. })) => fault,
                Try::Answered(answer) => return answer,
                Try::Lost(_) if std::mem::take(&mut may_repeat) => {
                    // What cut this one while it idled, such as a firewall, has cut the others as well.
                    self.forget_idle(server);
                    continue;
                }
                Try::Late => return self.bind_elsewhere(settings, servers, server, dn, password).await,
                Try::Lost(error) => Fault::silent(format!("bind as the person: {error}")),
                Try::Silent => Fault::silent(LATE),
            };
            servers.note_down(server);
            self.forget_idle(server);
            if tried.contains(&server) {
                return Err(fault);
            }
            tried.push(server);
            if !servers.has_other_than(&tried) {
                return Err(fault);
            }
            tracing::warn!(directory = %settings.name, %fault, "trying the next server");
        }
    }

    /// Asks another server, once: the one that is late with this bind goes on answering others.
    async fn bind_elsewhere(
        &self,
        settings: &Settings,
        servers: &Servers,
        late: usize,
        dn: &Dn,
        password: &Password,
    ) -> Result<Verdict, Fault> {
        let fault = Fault::silent(LATE);
        if !servers.has_other_than(&[late]) {
            return Err(fault);
        }
        tracing::warn!(directory = %settings.name, %fault, "trying the next server, for this bind alone");
        let connection = servers.connect_to_another(settings, None, late).await?;
        match self.try_on(connection, settings, dn, password).await {
            Try::Answered(answer) => answer,
            Try::Lost(error) => Err(Fault::silent(format!("bind as the person: {error}"))),
            Try::Late | Try::Silent => Err(fault),
        }
    }

    /// Binds on a connection, which is kept only if the server answered: after silence nobody knows who it is.
    async fn try_on(&self, connection: Connection, settings: &Settings, dn: &Dn, password: &Password) -> Try {
        let (server, mut ldap) = (connection.server, connection.handle());
        let answered_before = self.late.answered(server);
        ldap.with_controls(password_policy::request());
        let bind = timeout(settings.limits.operation, ldap.simple_bind(dn.as_str(), password.expose()));
        match unless_late(bind, answers_otherwise(settings, server)).await {
            (Ok(Ok(result)), _) => {
                self.late.note_answer(server);
                self.keep(connection);
                Try::Answered(judge(&result))
            }
            (Ok(Err(error)), _) if is_lost(&error) => Try::Lost(error),
            (Ok(Err(error)), _) => Try::Answered(Err(Fault::silent(format!("bind as the person: {error}")))),
            (Err(_), false) => Try::Silent,
            (Err(_), true) if self.late.note_late(server, dn, answered_before) => Try::Silent,
            (Err(_), true) => Try::Late,
        }
    }

    /// The connection used last, since it is the least likely to have been closed for idleness. Those to a server are left
    /// as soon as a better one answers.
    fn take_idle(&self, servers: &Servers) -> Option<Connection> {
        let mut idle = self.idle();
        idle.retain(|connection| connection.is_open() && !servers.has_better_than(connection.server));
        idle.pop()
    }

    fn forget_idle(&self, server: usize) {
        self.idle().retain(|connection| connection.server != server);
    }

    /// All connections that idle, taken out.
    pub(crate) fn take_all_idle(&self) -> Vec<Connection> {
        std::mem::take(&mut *self.idle())
    }

    /// Keeps a connection, unless others were made in its place.
    fn keep(&self, connection: Connection) {
        let mut idle = self.idle();
        if idle.len() < self.most {
            idle.push(connection);
        }
    }

    /// Puts connections back, behind those that were used since; and gives up as many as were made in place of them.
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

/// What comes of a request, and whether the server answers otherwise: that is asked only while the request is not answered.
async fn unless_late<T>(request: impl Future<Output = T>, answers_otherwise: impl Future<Output = bool>) -> (T, bool) {
    tokio::pin!(request);
    tokio::select! {
        biased;
        answer = &mut request => (answer, false),
        answers = answers_otherwise => (request.await, answers),
    }
}

//! The connection that all searches of a directory share: opened when it is first needed, replaced when it is dead.
//!
//! A search that is late says nothing about the connection as long as others are answered there; see [`Shared::is_silent`].

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ldap3::Ldap;
use tokio::sync::Mutex;

use super::connect::Connection;
use super::failover::Discarded;
use super::servers::{Purpose, Servers};
use crate::directory::fault::Fault;

/// Where the shared connection is kept.
#[derive(Default)]
pub(crate) struct SharedConnection {
    slot: Mutex<Slot>,
}

#[derive(Default)]
struct Slot {
    connection: Option<Connection>,
    answered: Arc<AtomicU64>,
    /// While the last failure to connect is this fresh, others do not wait for the next one.
    failed: Option<(Instant, Fault)>,
    /// Incremented with each connection, so that each is discarded only once.
    generation: u64,
}

/// How long a failure to connect is returned to other requests without a new try.
const BACK_OFF: Duration = Duration::from_secs(1);

/// The shared connection as one request uses it.
pub(crate) struct Shared {
    ldap: Ldap,
    /// Which of the settings' servers it leads to.
    pub(crate) server: usize,
    generation: u64,
    /// Requests that were answered on it so far.
    answered: Arc<AtomicU64>,
    answered_before: u64,
}

impl Shared {
    /// A handle for one operation.
    pub(crate) fn handle(&self) -> Ldap {
        self.ldap.clone()
    }

    /// The request was answered, whatever the answer was.
    pub(super) fn note_answer(&self) {
        self.answered.fetch_add(1, Ordering::AcqRel);
    }

    /// Whether no request was answered on this connection since this one began. Parts of an answer do not count: a
    /// search that never ends may keep a server from answering anything else.
    pub(crate) fn is_silent(&self) -> bool {
        self.answered.load(Ordering::Acquire) == self.answered_before
    }
}

impl SharedConnection {
    /// The connection, which is opened if there is no usable one.
    pub(crate) async fn get(&self, servers: &Servers) -> Result<Shared, Fault> {
        let mut slot = self.slot.lock().await;
        let is_good = |shared: &Connection| shared.is_open() && !servers.has_better_than(shared.server);
        if slot.connection.as_ref().is_some_and(is_good)
            && let Some(shared) = slot.shared()
        {
            return Ok(shared);
        }
        if let Some((at, fault)) = &slot.failed
            && at.elapsed() < BACK_OFF
        {
            return Err(fault.clone());
        }
        slot.connection = None;
        match servers.connect(Purpose::Searches).await {
            Ok(connection) => Ok(slot.fill(connection)),
            Err(fault) => {
                slot.failed = Some((Instant::now(), fault.clone()));
                Err(fault)
            }
        }
    }

    /// Takes over a connection that was opened in the background, unless the current one is as good. Searches in
    /// progress continue on the old one.
    pub(crate) async fn offer(&self, connection: Connection) {
        let mut slot = self.slot.lock().await;
        let is_as_good = |used: &Connection| used.is_open() && used.server <= connection.server;
        if !slot.connection.as_ref().is_some_and(is_as_good) {
            slot.fill(connection);
        }
    }

    /// The current connection, if there is one.
    pub(crate) async fn used(&self) -> Option<Shared> {
        self.slot.lock().await.shared()
    }

    /// Closes the connection once no request uses it.
    pub(super) async fn close(&self) {
        self.slot.lock().await.connection = None;
    }

    /// Discards a connection. Requests in progress continue on it.
    pub(crate) async fn discard(&self, shared: &Shared) -> Discarded {
        let mut slot = self.slot.lock().await;
        match &slot.connection {
            None => Discarded::Before,
            Some(_) if slot.generation != shared.generation => Discarded::Replaced,
            Some(_) => {
                slot.connection = None;
                Discarded::Now
            }
        }
    }
}

impl Slot {
    fn shared(&self) -> Option<Shared> {
        self.connection.as_ref().map(|connection| self.lend(connection))
    }

    fn lend(&self, connection: &Connection) -> Shared {
        Shared {
            ldap: connection.handle(),
            server: connection.server,
            generation: self.generation,
            answered: Arc::clone(&self.answered),
            answered_before: self.answered.load(Ordering::Acquire),
        }
    }

    fn fill(&mut self, connection: Connection) -> Shared {
        (self.failed, self.answered) = (None, Arc::default());
        self.generation += 1;
        let shared = self.lend(&connection);
        self.connection = Some(connection);
        shared
    }
}

//! Maintains connections in the background, so that no login has to wait for them: servers that failed are tried until
//! they answer again, and idle connections are used before they are closed for idleness.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ldap3::Ldap;
use tokio::time::sleep;

use crate::directory::fault::{Fault, is_lost};
use crate::directory::ldap::{Binder, Connection, Discarded, Purpose, Question, Searcher, sign_of_life};
use crate::directory::settings::Settings;

/// The interval between checks for something to do.
const TICK: Duration = Duration::from_millis(250);

/// The connections of one directory.
#[derive(Clone)]
pub(crate) struct KeepAlive {
    pub(crate) searcher: Arc<Searcher>,
    pub(crate) binder: Arc<Binder>,
}

impl KeepAlive {
    /// Maintains the connections for as long as the future is polled.
    pub(crate) async fn run(&self) {
        let mut last_signs = Instant::now();
        loop {
            sleep(TICK).await;
            let keep_alive = self.settings().limits.keep_alive;
            let wants_signs = !keep_alive.is_zero() && last_signs.elapsed() >= keep_alive;
            if wants_signs {
                last_signs = Instant::now();
            }
            let connections = self.clone();
            // A task of its own: the LDAP library panics on some odd answers.
            let _panicked = tokio::spawn(async move { connections.run_once(wants_signs).await }).await;
        }
    }

    fn settings(&self) -> &Settings {
        self.searcher.settings()
    }

    async fn run_once(&self, wants_signs: bool) {
        for server in self.searcher.servers().due() {
            self.try_again(server).await;
        }
        if wants_signs {
            self.use_search_connection().await;
            self.use_bind_connections().await;
        }
    }

    /// A server that was down is used again once it has answered a search: its connection is ready before the first
    /// login needs it.
    async fn try_again(&self, server: usize) {
        match self.prove(server).await {
            Ok(connection) => {
                self.searcher.offer(connection).await;
                self.searcher.servers().note_up(server);
                let url = self.settings().urls.get(server).map(ToString::to_string);
                tracing::info!(
                    name: "directory_server_answers_again",
                    directory = &*self.settings().name, url,
                    "directory server answers again"
                );
            }
            Err(fault) => {
                tracing::debug!(
                    name: "directory_server_still_down",
                    directory = &*self.settings().name,
                    reason = fault.to_string(),
                    "directory server is still down"
                );
                self.searcher.servers().postpone(server);
            }
        }
    }

    async fn prove(&self, server: usize) -> Result<Connection, Fault> {
        let settings = self.settings();
        let connection = self.searcher.servers().connect_to(server, Purpose::Searches).await?;
        Question::nobody(settings).ask_on(&connection, settings).await.map(|_| connection)
    }

    /// A dead connection is replaced by a fresh one at once.
    async fn use_search_connection(&self) {
        let Some(shared) = self.searcher.used_connection().await else { return };
        let sign = self.sign_of_life(shared.handle()).await;
        // A server may be late with this and go on answering others.
        if matches!(sign, SignOfLife::Alive) || matches!(sign, SignOfLife::Silent) && !shared.is_silent() {
            return;
        }
        if self.searcher.discard(&shared).await == Discarded::Now && matches!(sign, SignOfLife::Silent) {
            self.searcher.servers().note_down(shared.server);
        }
        if let Err(fault) = self.searcher.connection().await {
            tracing::debug!(
                name: "no_connection_for_searches",
                directory = &*self.settings().name,
                reason = fault.to_string(),
                "no connection for searches"
            );
        }
    }

    async fn use_bind_connections(&self) {
        let mut alive = Vec::new();
        for connection in self.binder.take_all_idle() {
            if matches!(self.sign_of_life(connection.handle()).await, SignOfLife::Alive) {
                alive.push(connection);
            }
        }
        self.binder.put_back(alive);
    }

    async fn sign_of_life(&self, ldap: Ldap) -> SignOfLife {
        let settings = self.settings();
        match sign_of_life(ldap, settings, settings.limits.operation).await {
            Ok(()) => SignOfLife::Alive,
            Err(error) if is_lost(&error) => SignOfLife::Closed,
            Err(_) => SignOfLife::Silent,
        }
    }
}

/// The result of using a connection.
enum SignOfLife {
    Alive,
    Closed,
    Silent,
}

//! Searches: one connection for each directory, shared by all, bound as the service.

use std::sync::Arc;

use super::connect::Connection;
use super::failover::{Discarded, Request, Tried, TryOutcome};
use super::question::Question;
use super::servers::{Purpose, Servers};
use super::shared::{Shared, SharedConnection};
use crate::directory::entries::Entry;
use crate::directory::fault::{Fault, failed, is_late, is_lost};
use crate::directory::settings::Settings;
use crate::ledger::{OperationCounters, ServerCounters};

/// Asks one directory, over the connection that all searches share.
pub(crate) struct Searcher {
    servers: Arc<Servers>,
    shared: SharedConnection,
}

/// The server's own time limit for a search was reached (timeLimitExceeded, RFC 4511 Appendix A).
const TIME_LIMIT_EXCEEDED: u32 = 3;

impl Searcher {
    pub(crate) fn new(servers: Arc<Servers>) -> Self {
        Self { servers, shared: SharedConnection::default() }
    }

    /// Closes the connection once no search uses it.
    pub(crate) async fn close_idle(&self) {
        self.shared.close().await;
    }

    pub(crate) fn settings(&self) -> &Settings {
        self.servers.settings()
    }

    pub(crate) fn servers(&self) -> &Servers {
        &self.servers
    }

    /// The entries that answer a question; see [`Servers::ask`].
    pub(crate) async fn ask(&self, question: &Question) -> Result<Vec<Entry>, Fault> {
        self.servers.ask(&SearchRequest { searcher: self, question }).await
    }

    /// The same, for a question that one entry answers.
    pub(crate) async fn ask_for_one(&self, question: &Question) -> Result<Option<Entry>, Fault> {
        Ok(self.ask(question).await?.into_iter().next())
    }

    /// The shared connection, which is opened if there is none.
    pub(crate) async fn connection(&self) -> Result<Shared, Fault> {
        self.shared.get(&self.servers).await
    }

    /// The shared connection, if there is one.
    pub(crate) async fn used_connection(&self) -> Option<Shared> {
        self.shared.used().await
    }

    /// Takes over a connection that was opened in the background, unless the current one is as good.
    pub(crate) async fn offer(&self, connection: Connection) {
        self.shared.offer(connection).await;
    }

    /// Discards the shared connection.
    pub(crate) async fn discard(&self, shared: &Shared) -> Discarded {
        self.shared.discard(shared).await
    }
}

/// One search, as the loop of all requests tries it.
struct SearchRequest<'a> {
    searcher: &'a Searcher,
    question: &'a Question,
}

impl Request for SearchRequest<'_> {
    type ConnectionRef = Shared;
    type Answer = Vec<Entry>;

    fn counters(of: &ServerCounters) -> &OperationCounters {
        &of.searches
    }

    async fn attempt(&self) -> Result<Tried<Shared, Vec<Entry>>, Fault> {
        let shared = self.searcher.connection().await?;
        let attempt = self.try_on(&shared).await;
        Ok(Tried { server: shared.server, connection: shared, attempt })
    }

    async fn discard(&self, shared: &Shared) -> Discarded {
        self.searcher.discard(shared).await
    }
}

impl SearchRequest<'_> {
    async fn try_on(&self, shared: &Shared) -> TryOutcome<Vec<Entry>> {
        let (question, settings) = (self.question, self.searcher.settings());
        match question.run(shared.handle(), settings, settings.limits.search).await {
            Ok((entries, result)) => {
                shared.note_answer();
                match question.judge(entries, &result, settings) {
                    Err(fault) if fault.is_silence() && result.rc == TIME_LIMIT_EXCEEDED => {
                        self.ask_elsewhere(shared.server, fault).await
                    }
                    Err(fault) if fault.is_silence() => TryOutcome::Down(fault),
                    answer => TryOutcome::Answered(answer),
                }
            }
            Err(error) if is_lost(&error) => TryOutcome::Lost(Fault::silent(format!("search: {error}"))),
            Err(error) if is_late(&error) && !shared.is_silent() => {
                self.ask_elsewhere(shared.server, failed(&error)).await
            }
            Err(error) => TryOutcome::Down(failed(&error)),
        }
    }

    /// This question has no answer in time, while others are answered: asks another server, over a connection of its
    /// own. The shared connection stays in use for the others.
    async fn ask_elsewhere(&self, late: usize, fault: Fault) -> TryOutcome<Vec<Entry>> {
        let servers = &self.searcher.servers;
        TryOutcome::Answered(match servers.connect_elsewhere(Purpose::Searches, late, fault).await {
            Ok(connection) => self.question.ask_on(&connection, servers.settings()).await,
            Err(fault) => Err(fault),
        })
    }
}

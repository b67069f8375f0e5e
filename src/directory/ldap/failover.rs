//! The one loop of all requests: try; if the connection was lost, try once more on a fresh one; if the server is silent, move
//! on to the next.

use std::mem::take;
use std::time::Instant;

use super::servers::Servers;
use crate::directory::fault::Fault;
use crate::ledger::{OperationCounters, OperationOutcome, ServerCounters};

/// The outcome of one try.
pub(super) enum TryOutcome<T> {
    /// There is an answer, or a fault that another server would not cure.
    Answered(Result<T, Fault>),
    /// The connection was lost, which is normal for one that was idle.
    Lost(Fault),
    /// The server answers nobody.
    Down(Fault),
}

impl<T> TryOutcome<T> {
    /// How it is counted.
    fn counted(&self) -> OperationOutcome {
        match self {
            Self::Answered(Ok(_)) => OperationOutcome::Answered,
            Self::Answered(Err(fault)) if fault.is_silence() => OperationOutcome::Silent,
            Self::Answered(Err(_)) => OperationOutcome::Failed,
            Self::Lost(_) => OperationOutcome::Lost,
            Self::Down(_) => OperationOutcome::Silent,
        }
    }
}

/// One try, and its connection.
pub(super) struct Tried<C, T> {
    /// Which of the settings' servers was asked.
    pub(super) server: usize,
    pub(super) connection: C,
    pub(super) attempt: TryOutcome<T>,
}

/// The result of discarding a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Discarded {
    /// It was in use; now there is none.
    Now,
    /// Another request discarded it, and there is none.
    Before,
    /// Another request discarded it, and there is a fresh one.
    Replaced,
}

/// A request that any server can answer.
pub(super) trait Request: Sync {
    /// The connection of a try, or what identifies it.
    type ConnectionRef: Send + Sync;
    type Answer: Send;

    /// The counters of this kind of request on a server.
    fn counters(of: &ServerCounters) -> &OperationCounters;

    /// Tries it once.
    ///
    /// # Errors
    /// No server could be connected to.
    fn attempt(&self) -> impl Future<Output = Result<Tried<Self::ConnectionRef, Self::Answer>, Fault>> + Send;

    /// Discards the connection of a try, and idle ones to the same server.
    fn discard(&self, connection: &Self::ConnectionRef) -> impl Future<Output = Discarded> + Send;
}

impl Servers {
    /// Asks: once more on a fresh connection if this one was lost, and the next server if this one is silent. A server that
    /// was tried twice is not tried again.
    pub(super) async fn ask<R: Request>(&self, request: &R) -> Result<R::Answer, Fault> {
        let (mut may_repeat, mut tried) = (true, Vec::new());
        loop {
            let began = Instant::now();
            let Tried { server, connection, attempt } = request.attempt().await?;
            if let Some(counters) = self.counters(server) {
                R::counters(counters).note(attempt.counted(), began.elapsed());
            }
            let fault = match attempt {
                TryOutcome::Answered(answer) => return answer,
                TryOutcome::Lost(_) if take(&mut may_repeat) => {
                    request.discard(&connection).await;
                    continue;
                }
                TryOutcome::Lost(fault) | TryOutcome::Down(fault) => fault,
            };
            match request.discard(&connection).await {
                Discarded::Now => self.note_down(server),
                Discarded::Replaced if take(&mut may_repeat) => continue,
                // Nothing more can be concluded from it about the server.
                Discarded::Before | Discarded::Replaced => {}
            }
            if tried.contains(&server) {
                return Err(fault);
            }
            tried.push(server);
            if !self.has_other_than(&tried) {
                return Err(fault);
            }
            tracing::warn!(
                name: "trying_next_server",
                directory = &*self.settings().name, reason = fault.to_string(),
                "trying the next server"
            );
        }
    }
}

//! The hosts as the running service knows them: how many sessions each has, whether it answers, and how somebody is logged
//! in there.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::time::{Instant as Moment, timeout_at};

use super::back_off::BackOff;
use super::connect::{Greeted, connect, greet};
use super::fault::RelayFault;
use super::hosts::RelayTarget;
use super::login::log_in;
use super::settings::{HostSettings, Settings};
use super::stream::HostStream;
use crate::ledger::{HostCounters, Ledger};
use crate::secret::Password;

/// All listed hosts, with what they are doing.
pub struct BackEnds {
    settings: Arc<Settings>,
    /// The name in our own greeting.
    hostname: String,
    counters: Vec<HostCounters>,
    back_off: BackOff,
    sessions: Arc<Mutex<HashMap<String, usize>>>,
}

/// The client whose session is passed on.
#[derive(Clone, Debug)]
pub struct RelayedClient {
    /// Its address.
    pub peer: SocketAddr,
    /// The session's id in the log.
    pub session: String,
}

/// A session at a host that is logged in.
pub struct RelayedSession {
    /// The connection.
    pub stream: Box<dyn HostStream>,
    /// The text of the host's `+OK`.
    pub reply: String,
    /// What the host sent behind it.
    pub read_ahead: Vec<u8>,
    /// What is counted.
    pub counters: HostCounters,
    /// One of the sessions that the host may have.
    pub slot: HostSlot,
}

/// One of the sessions that a host may have; given back when dropped.
pub struct HostSlot {
    host: String,
    sessions: Arc<Mutex<HashMap<String, usize>>>,
    counters: HostCounters,
}

/// A listed host, for reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackEndHealth {
    /// Its name or pattern, as the configuration has it.
    pub pattern: String,
    /// The sessions that it has.
    pub sessions: u64,
    /// Hosts of it that could not be reached last, each with the reason.
    pub failing: Vec<(String, String)>,
}

impl BackEnds {
    /// Nobody is connected yet. `hostname`: the name in our own greeting.
    #[must_use]
    pub fn new(settings: Arc<Settings>, hostname: String, ledger: &Ledger) -> Self {
        let counters = settings.hosts.iter().map(|host| ledger.relay.of_host(&host.pattern.to_string())).collect();
        Self { settings, hostname, counters, back_off: BackOff::default(), sessions: Arc::default() }
    }

    /// For other settings. Sessions that go on are counted, and hosts that failed are still not asked.
    #[must_use]
    pub fn renewed(&self, settings: Arc<Settings>, hostname: String, ledger: &Ledger) -> Self {
        let (back_off, sessions) = (self.back_off.clone(), self.sessions.clone());
        Self { back_off, sessions, ..Self::new(settings, hostname, ledger) }
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Logs a person in at their host.
    ///
    /// # Errors
    /// See [`RelayFault`]. It is counted.
    pub async fn log_in(
        &self,
        target: &RelayTarget,
        password: Option<&Password>,
        client: &RelayedClient,
    ) -> Result<RelayedSession, RelayFault> {
        let listed = self.settings.hosts.get(target.index).zip(self.counters.get(target.index));
        let (settings, counters) = listed.ok_or(RelayFault::Loop("the host is not listed any more"))?;
        let began = Instant::now();
        let session = self.try_log_in(target, settings, counters, password, client).await;
        counters.note_login(session.as_ref().map_or_else(RelayFault::word, |_| "accepted"), began.elapsed());
        session
    }

    /// The order of the checks: what is certain without the host comes first.
    async fn try_log_in(
        &self,
        target: &RelayTarget,
        settings: &HostSettings,
        counters: &HostCounters,
        password: Option<&Password>,
        client: &RelayedClient,
    ) -> Result<RelayedSession, RelayFault> {
        if settings.needs_client_password() && password.is_none() {
            return Err(RelayFault::NeedsPassword);
        }
        let (host, retry_after) = (target.host.as_str(), settings.limits.retry_after);
        let slot = self.slot(host, settings, counters)?;
        if let Some(why) = self.back_off.blocks(host, Instant::now(), retry_after) {
            return Err(RelayFault::BackingOff(why));
        }
        let mut greeted = self.reach(host, settings, client.peer).await.inspect_err(|fault| {
            if let RelayFault::Unreachable(why) = fault {
                self.back_off.failed(host, why, Instant::now(), retry_after);
            }
        })?;
        self.back_off.succeeded(host);
        let deadline = Moment::now() + settings.limits.login;
        let login = timeout_at(deadline, log_in(&mut greeted, target, settings, password, client)).await;
        let late = |_| RelayFault::Unanswered(format!("login: {}", RelayFault::late(settings.limits.login)));
        let reply = login.map_err(late)??;
        let (stream, read_ahead) = greeted.dialogue.into_parts();
        Ok(RelayedSession { stream, reply, read_ahead, counters: counters.clone(), slot })
    }

    /// A connection on which the host has sent its greeting.
    async fn reach(&self, host: &str, settings: &HostSettings, client: SocketAddr) -> Result<Greeted, RelayFault> {
        let stream = connect(host, settings).await?;
        let deadline = Moment::now() + settings.limits.login;
        let greeted = timeout_at(deadline, greet(stream, host, settings, client, &self.hostname)).await;
        let late = |_| RelayFault::Unreachable(format!("greeting: {}", RelayFault::late(settings.limits.login)));
        greeted.map_err(late)?
    }

    /// Connects to a host that is listed by its whole name, and reads its greeting. Nobody is logged in.
    ///
    /// # Errors
    /// The host cannot be reached, or leads back here.
    pub async fn try_host(&self, index: usize) -> Result<(), RelayFault> {
        let host = self.settings.hosts.get(index).and_then(|settings| Some((settings, settings.pattern.exact()?)));
        let Some((settings, name)) = host else { return Ok(()) };
        self.reach(name, settings, SocketAddr::from(([127, 0, 0, 1], 0))).await.map(drop)
    }

    fn slot(&self, host: &str, settings: &HostSettings, counters: &HostCounters) -> Result<HostSlot, RelayFault> {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let most = settings.limits.connections;
        let current = sessions.entry(host.to_owned()).or_default();
        if *current >= most {
            return Err(RelayFault::TooManySessions(most));
        }
        *current += 1;
        counters.note_session(true);
        let (sessions, counters) = (Arc::clone(&self.sessions), counters.clone());
        Ok(HostSlot { host: host.to_owned(), sessions, counters })
    }

    /// Every listed host, in the order of the configuration.
    #[must_use]
    pub fn health(&self) -> Vec<BackEndHealth> {
        let mut failing = self.back_off.list();
        let listed = self.settings.hosts.iter().zip(&self.counters);
        let of_host = |(settings, counters): (&HostSettings, &HostCounters)| {
            let (own, others) =
                std::mem::take(&mut failing).into_iter().partition(|(host, _)| settings.pattern.fits(host));
            failing = others;
            BackEndHealth { pattern: settings.pattern.to_string(), sessions: counters.sessions(), failing: own }
        };
        listed.map(of_host).collect()
    }
}

impl Drop for HostSlot {
    fn drop(&mut self) {
        self.counters.note_session(false);
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(current) = sessions.get_mut(&self.host) else { return };
        *current = current.saturating_sub(1);
        if *current == 0 {
            sessions.remove(&self.host);
        }
    }
}

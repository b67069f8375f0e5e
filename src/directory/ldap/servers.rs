//! The servers of one directory: any may be asked; the first one that answers is used.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ldap3::Ldap;
use tokio::time::timeout;

use super::connect::{Connection, connect};
use crate::directory::fault::{Fault, describe};
use crate::directory::settings::Settings;
use crate::ledger::{DirectoryCounters, ServerCounters};

/// Which servers answer, as far as is known.
pub(crate) struct Servers {
    settings: Arc<Settings>,
    states: Mutex<Vec<ServerState>>,
    counters: Vec<ServerCounters>,
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// It is bound as the service.
    Searches,
    /// Each bind as a person changes its identity, so it begins without one.
    Binds,
}

/// What is known about one server.
#[derive(Clone, Default)]
struct ServerState {
    /// If it is down: when it is tried again in the background.
    next_probe: Option<Instant>,
    /// The pause before that; longer after each failure, and kept until the server is known to be back for good.
    pause: Duration,
    up_since: Option<Instant>,
}

/// The pause before a server that is down is tried again: at first, and at most.
const PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// A server that fails again sooner than this has not come back for good.
const FOR_GOOD: Duration = Duration::from_secs(60);

impl Servers {
    pub(crate) fn new(settings: Arc<Settings>, counters: &DirectoryCounters) -> Self {
        let states = Mutex::new(vec![ServerState::default(); settings.urls.len()]);
        let counters = settings.urls.iter().map(|url| counters.of_server(&settings.name, &url.to_string())).collect();
        Self { settings, states, counters }
    }

    /// The counters of a server.
    pub(super) fn counters(&self, server: usize) -> Option<&ServerCounters> {
        self.counters.get(server)
    }

    /// Whether each server is used, as far as is known.
    pub(crate) fn are_up(&self) -> Vec<bool> {
        self.states().iter().map(|state| state.next_probe.is_none()).collect()
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Connects to the first server that answers.
    pub(crate) async fn connect(&self, purpose: Purpose) -> Result<Connection, Fault> {
        self.connect_to_first(purpose, self.order()).await
    }

    /// Connects to another server for a request that is late at one, which stays in use for other requests.
    ///
    /// # Errors
    /// The fault of the late request if there is no other server; otherwise why none of them could be connected to.
    pub(super) async fn connect_elsewhere(
        &self,
        purpose: Purpose,
        late: usize,
        fault: Fault,
    ) -> Result<Connection, Fault> {
        if !self.has_other_than(&[late]) {
            return Err(fault);
        }
        let (directory, reason) = (&*self.settings.name, fault.to_string());
        match purpose {
            Purpose::Searches => {
                tracing::warn!(
                    name: "trying_next_server_for_search",
                    directory, reason,
                    "trying the next server, for this search alone"
                );
            }
            Purpose::Binds => tracing::warn!(
                name: "trying_next_server_for_bind",
                directory, reason,
                "trying the next server, for this bind alone"
            ),
        }
        let others = self.order().into_iter().filter(|server| *server != late).collect();
        self.connect_to_first(purpose, others).await
    }

    async fn connect_to_first(&self, purpose: Purpose, servers: Vec<usize>) -> Result<Connection, Fault> {
        let mut last = Fault::Misconfigured("the directory has no server".to_owned());
        for server in servers {
            let fault = match self.connect_to(server, purpose).await {
                Ok(connection) => {
                    self.note_up(server);
                    return Ok(connection);
                }
                Err(fault @ Fault::Misconfigured(_)) => return Err(fault),
                Err(fault) => fault,
            };
            tracing::warn!(
                name: "directory_server_failed",
                directory = &*self.settings.name, reason = fault.to_string(),
                "directory server failed"
            );
            self.note_down(server);
            last = fault;
        }
        Err(last)
    }

    /// Connects to one server.
    pub(crate) async fn connect_to(&self, server: usize, purpose: Purpose) -> Result<Connection, Fault> {
        let connection = connect(&self.settings, server).await?;
        if purpose == Purpose::Searches {
            log_in(&connection, &self.settings).await?;
        }
        Ok(connection)
    }

    /// Skips a server until it answers again, unless all the others are down, too.
    pub(crate) fn note_down(&self, server: usize) {
        self.change(server, |state| {
            if state.next_probe.is_none() {
                let came_back = state.up_since.is_some_and(|since| since.elapsed() >= FOR_GOOD);
                state.postpone(if came_back { Duration::ZERO } else { state.pause });
            }
        });
    }

    /// A server that was tried is still down: the next try is postponed.
    pub(crate) fn postpone(&self, server: usize) {
        self.change(server, |state| state.postpone(state.pause));
    }

    /// A server answers.
    pub(crate) fn note_up(&self, server: usize) {
        self.change(server, |state| {
            state.next_probe = None;
            state.up_since.get_or_insert_with(Instant::now);
        });
    }

    /// Servers that are down and due for another try.
    pub(crate) fn due(&self) -> Vec<usize> {
        let (states, now) = (self.states(), Instant::now());
        let is_due = |state: &ServerState| state.next_probe.is_some_and(|at| at <= now);
        states.iter().enumerate().filter(|(_, state)| is_due(state)).map(|(server, _)| server).collect()
    }

    /// Whether a preferred server answers: one before this one in the configuration.
    pub(super) fn has_better_than(&self, server: usize) -> bool {
        self.states().iter().take(server).any(|state| state.next_probe.is_none())
    }

    /// Whether any server has not been tried yet.
    pub(super) fn has_other_than(&self, tried: &[usize]) -> bool {
        (0..self.states().len()).any(|server| !tried.contains(&server))
    }

    fn change(&self, server: usize, change: impl FnOnce(&mut ServerState)) {
        let mut states = self.states();
        let Some(state) = states.get_mut(server) else { return };
        change(state);
        if let Some(counters) = self.counters.get(server) {
            counters.set_up(state.next_probe.is_none());
        }
    }

    fn states(&self) -> MutexGuard<'_, Vec<ServerState>> {
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Those not known to be down, in the order of the configuration, then the others.
    fn order(&self) -> Vec<usize> {
        let states = self.states();
        let is_up = |server: &usize| states.get(*server).is_some_and(|state| state.next_probe.is_none());
        let (up, down): (Vec<usize>, Vec<usize>) = (0..states.len()).partition(is_up);
        up.into_iter().chain(down).collect()
    }
}

impl ServerState {
    fn postpone(&mut self, last_pause: Duration) {
        self.pause = (last_pause * 2).clamp(PAUSE.0, PAUSE.1);
        (self.next_probe, self.up_since) = (Some(Instant::now() + self.pause), None);
    }
}

/// Binds as the service, if it has an entry. A refusal is a misconfiguration, whatever the code.
async fn log_in(connection: &Connection, settings: &Settings) -> Result<(), Fault> {
    let Some(service) = &settings.bind else { return Ok(()) };
    let mut ldap: Ldap = connection.handle();
    let bind = ldap.simple_bind(service.dn.as_str(), service.password.expose());
    let result = match timeout(settings.limits.operation, bind).await {
        Ok(Ok(result)) => result,
        Ok(Err(fault)) => return Err(Fault::silent(format!("service bind: {fault}"))),
        Err(_) => return Err(Fault::silent("service bind: no answer in time")),
    };
    match result.rc {
        0 => Ok(()),
        1 | 3 | 51 | 52 | 80 => Err(Fault::of_result("service bind", &result)),
        _ => Err(Fault::Misconfigured(format!("service bind as {} refused: {}", service.dn, describe(&result)))),
    }
}

//! Log lines that anybody can cause without a password: those of one kind and reason from one network are summed up.

use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::identity::ReasonKind;
use crate::lockout::{self, Network, Pace, Sum};

/// What a log line is about. Reasons are counted separately, so that a rare one is not lost among others; details that
/// a client can choose are not distinguished.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum LogLine {
    /// A login was refused.
    Refused(ReasonKind),
    /// A login was refused before TLS.
    RefusedInClear,
    /// A login was not possible: the directory was unavailable.
    Unavailable,
    /// A login was not possible: something is misconfigured.
    Misconfigured,
    /// A connection ended without a login; why.
    NoLogin(String),
    /// A client's certificate was ignored; why.
    NoCertificate(String),
}

/// Lines and connections that are summed up. Logged by [`Self::log_sums`], which must be called regularly.
pub struct LogSummaries {
    lines: Mutex<lockout::Repeats<LogLine>>,
    turned_away: Mutex<lockout::Repeats<&'static str>>,
}

/// An attacker is throttled long before this, and a tool that bans addresses has seen enough. A whole office whose
/// directory is silent adds one line a minute.
const LINES: Pace = Pace { one_by_one: 20, within: Duration::from_secs(60) };

/// Nothing slows down clients that are turned away.
const TURNED_AWAY: Pace = Pace { one_by_one: 0, within: Duration::from_secs(10) };

/// Pairs of kind and network that are counted separately.
const MOST: usize = 10_000;

impl Default for LogSummaries {
    fn default() -> Self {
        Self {
            lines: Mutex::new(lockout::Repeats::new(LINES, MOST)),
            turned_away: Mutex::new(lockout::Repeats::new(TURNED_AWAY, MOST)),
        }
    }
}

impl LogSummaries {
    /// Whether a line about a client is to be logged. Else it is part of a sum.
    pub(super) fn admits(&self, line: LogLine, client: IpAddr) -> bool {
        lock(&self.lines).note(line, Network::of(client), Instant::now())
    }

    /// Counts a connection that was turned away, and why. Nothing is logged here, since the accept loop calls it.
    pub fn turned_away(&self, client: IpAddr, reason: &'static str) {
        lock(&self.turned_away).note(reason, Network::of(client), Instant::now());
    }

    /// Logs the sums that are due.
    pub fn log_sums(&self) {
        self.log_sums_due(Instant::now());
    }

    /// Logs all that is summed up so far, at the end.
    pub fn log_rest(&self) {
        self.log_sums_due(Instant::now() + LINES.within.max(TURNED_AWAY.within));
    }

    fn log_sums_due(&self, now: Instant) {
        let (lines, turned_away) = (lock(&self.lines).sums(now), lock(&self.turned_away).sums(now));
        for Sum { kind: reason, network, count: connections } in turned_away {
            tracing::warn!(
                name: "connections_turned_away",
                network = %name(network), reason, connections,
                "connections turned away"
            );
        }
        for Sum { kind, network, count } in lines {
            let network = name(network);
            match kind {
                LogLine::Refused(_) | LogLine::RefusedInClear => {
                    tracing::info!(name: "further_logins_refused", %network, count, "further logins refused");
                }
                LogLine::Unavailable | LogLine::Misconfigured => {
                    tracing::warn!(name: "further_logins_not_possible", %network, count, "further logins not possible");
                }
                LogLine::NoLogin(reason) => {
                    tracing::info!(
                        name: "further_connections_ended_without_login",
                        %network, count, reason,
                        "further connections ended without a login"
                    );
                }
                LogLine::NoCertificate(reason) => {
                    tracing::info!(
                        name: "further_client_certificates_ignored",
                        %network, count, reason,
                        "further client certificates ignored"
                    );
                }
            }
        }
    }
}

fn name(network: Option<Network>) -> String {
    network.map_or_else(|| "others".to_owned(), |network| network.to_string())
}

fn lock<T>(repeats: &Mutex<T>) -> MutexGuard<'_, T> {
    repeats.lock().unwrap_or_else(PoisonError::into_inner)
}

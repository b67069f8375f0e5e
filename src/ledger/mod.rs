//! The ledger: what the running service counts, and which sessions it serves. Every module writes to it; `admin` reads it.
//!
//! In go events; out come metrics for Prometheus, the list of live sessions, and the last hour in figures. Whoever counts in
//! a hot path takes the counter it needs once, and keeps it: counting is then one atomic addition. Labels are bounded: their
//! values come from this program and from the configuration, never from a client, and no person and no client's address is
//! among them. Only the last hour's figures name people and addresses; they are for the administrator, and bounded as well.
//!
//! | file | content |
//! |---|---|
//! | `families` | what a metric looks like, and the buckets of times |
//! | `counters` | **every metric, with its name and help text**; a new one begins here |
//! | `directory_counters` | the operations on each server of a directory |
//! | `mta_counters` | what mail transfer agents ask |
//! | `relay_counters` | sessions that are passed on to other hosts |
//! | `sessions` | who is connected, and how a session is ended from outside |
//! | `last_hour` | logins by minute, the slowest maildrops, the addresses with most refusals |
//! | `exposition` | the text formats that Prometheus reads |

mod counters;
mod directory_counters;
mod exposition;
mod families;
mod last_hour;
mod mta_counters;
mod relay_counters;
mod sessions;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime};

use prometheus_client::registry::Registry;

pub use counters::{CacheCounter, CacheCounters, LockOutCounters, LoginCounters, MailCounters, TlsCounters};
pub use directory_counters::{DirectoryCounters, OperationCounters, OperationOutcome, ServerCounters};
pub use exposition::ExpositionFormat;
pub use last_hour::{LastHour, MinuteOfLogins, NoisyAddress, SlowMaildrop};
pub use mta_counters::MtaCounters;
pub use relay_counters::{HostCounters, RelayCounters};
pub use sessions::{LiveSession, LiveSessions, LiveState, RegisteredSession, SessionEnding, SessionInfo};

/// A certificate that the service shows to clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnCertificate {
    /// Its file, as the configuration names it.
    pub file: String,
    /// The host names that it is for, or its subject.
    pub name: String,
    /// The last moment at which it is valid.
    pub valid_until: SystemTime,
}

/// Everything that is counted, and everybody who is connected.
pub struct Ledger {
    registry: Registry,
    /// Who is connected.
    pub sessions: LiveSessions,
    /// Logins.
    pub logins: LoginCounters,
    /// Operations on directories.
    pub directories: DirectoryCounters,
    /// Look-ups in caches, and their sizes.
    pub caches: CacheCounters,
    /// Lock-outs.
    pub lock_outs: LockOutCounters,
    /// TLS with clients.
    pub tls: TlsCounters,
    /// What is done to mail.
    pub mail: MailCounters,
    /// What mail transfer agents ask.
    pub mta: MtaCounters,
    /// Sessions that are passed on to other hosts.
    pub relay: RelayCounters,
    /// What happened within the last hour.
    pub last_hour: LastHour,
    began: (SystemTime, Instant),
    draining: AtomicBool,
    certificates: Mutex<Vec<OwnCertificate>>,
}

impl Default for Ledger {
    /// Nothing has happened yet.
    fn default() -> Self {
        let mut registry = Registry::with_prefix("restante");
        let began = (SystemTime::now(), Instant::now());
        counters::describe_process(&mut registry, began.0);
        Self {
            sessions: LiveSessions::new(&mut registry),
            logins: LoginCounters::new(&mut registry),
            directories: DirectoryCounters::new(&mut registry),
            caches: CacheCounters::new(&mut registry),
            lock_outs: LockOutCounters::new(&mut registry),
            tls: TlsCounters::new(&mut registry),
            mail: MailCounters::new(&mut registry),
            mta: MtaCounters::new(&mut registry),
            relay: RelayCounters::new(&mut registry),
            last_hour: LastHour::default(),
            registry,
            began,
            draining: AtomicBool::new(false),
            certificates: Mutex::default(),
        }
    }
}

impl Ledger {
    /// When the service began, and how long ago that was by a clock that nobody sets.
    #[must_use]
    pub fn began(&self) -> (SystemTime, std::time::Duration) {
        (self.began.0, self.began.1.elapsed())
    }

    /// The service shuts down: it accepts no more connections.
    pub fn begin_drain(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// Whether it shuts down.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// The certificates that clients are shown from now on.
    pub fn set_certificates(&self, certificates: Vec<OwnCertificate>) {
        *lock(&self.certificates) = certificates;
    }

    /// The certificates that clients are shown.
    #[must_use]
    pub fn certificates(&self) -> Vec<OwnCertificate> {
        lock(&self.certificates).clone()
    }

    /// All metrics as text.
    #[must_use]
    pub fn metrics(&self, format: ExpositionFormat) -> String {
        self.tls.note_certificates(&self.certificates(), SystemTime::now());
        format.encode(&self.registry)
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;

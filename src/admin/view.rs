//! What the running service says about itself: the one source of the status page, of `restante who` and of
//! `restante status`.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use serde_json::{Value, json};

use super::startup::Startup;
use crate::date::Date;
use crate::directory::Directory;
use crate::identity::IdentityMap;
use crate::ledger::{ExpositionFormat, Ledger, SessionInfo};
use crate::relay::{BackEndHealth, BackEnds};

/// The running service as administrators see it.
pub struct ServiceView {
    /// What is counted, and who is connected.
    pub ledger: Arc<Ledger>,
    /// Who may log in.
    pub identities: Arc<IdentityMap>,
    /// The directories.
    pub directories: Vec<Directory>,
    /// How it was started.
    pub startup: Arc<Startup>,
    /// The hosts to which sessions are passed on, if there are any.
    pub back_ends: Option<Arc<BackEnds>>,
}

/// Why no client should be sent here now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotReady {
    /// The service shuts down.
    Draining,
    /// No directory answers, and nobody's password is cached for an outage.
    NobodyCanLogIn,
}

impl fmt::Display for NotReady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Draining => "shutting down",
            Self::NobodyCanLogIn => "no directory server answers, and nobody is within the outage grace",
        })
    }
}

impl std::error::Error for NotReady {}

impl ServiceView {
    /// Whether clients can be served.
    ///
    /// # Errors
    /// Why not.
    pub fn readiness(&self) -> Result<(), NotReady> {
        if self.ledger.is_draining() {
            return Err(NotReady::Draining);
        }
        let answers = |directory: &Directory| directory.servers().iter().any(|(_, is_up)| *is_up);
        if !self.directories.iter().any(answers) && !self.identities.bridges_somebody() {
            return Err(NotReady::NobodyCanLogIn);
        }
        Ok(())
    }

    /// All metrics as text.
    pub(super) fn metrics(&self, format: ExpositionFormat) -> String {
        self.ledger.metrics(format)
    }

    /// The live sessions, those of one person only if a name is given.
    pub(super) fn sessions(&self, person: Option<&str>) -> Vec<SessionInfo> {
        let wanted = person.map(str::to_lowercase);
        let is_wanted = |session: &SessionInfo| {
            let own = session.person.as_ref().map(|own| own.to_lowercase());
            wanted.is_none() || own == wanted
        };
        self.ledger.sessions.list().into_iter().filter(is_wanted).collect()
    }

    /// The state of the service, for `restante status`.
    pub(super) fn status(&self) -> Value {
        let (ledger, now) = (&self.ledger, SystemTime::now());
        let ((began, up), (current, total)) = (ledger.began(), ledger.sessions.counts());
        let readiness = self.readiness();
        let hour = ledger.last_hour.logins();
        let sum = |of: fn(&crate::ledger::MinuteOfLogins) -> u32| {
            hour.iter().map(|minute| u64::from(of(minute))).sum::<u64>()
        };
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "since": Date::of(began).of_log(),
            "seconds": up.as_secs(),
            "ready": readiness.is_ok(),
            "reason": readiness.err().map(|why| why.to_string()),
            "sessions": { "current": current, "total": total },
            "last_hour": {
                "accepted": sum(|minute| minute.accepted),
                "refused": sum(|minute| minute.refused),
                "impossible": sum(|minute| minute.impossible),
            },
            "lockouts": ledger.lock_outs.current(),
            "directories": self.directories.iter().map(describe_directory).collect::<Vec<_>>(),
            "relay": self.back_ends.iter().flat_map(|hosts| hosts.health()).map(describe_host).collect::<Vec<_>>(),
            "certificates": ledger.certificates().iter().map(|certificate| json!({
                "file": certificate.file,
                "name": certificate.name,
                "valid_until": Date::of(certificate.valid_until).of_log(),
                "days": whole_days(certificate.days_left(now)),
            })).collect::<Vec<_>>(),
            "caches": self.caches(),
            "configuration": self.startup.configuration.describe(),
            "landlock": self.startup.describe_confinement(),
        })
    }

    /// The configuration in use, and since when, for `restante check`.
    pub(super) fn configuration(&self) -> Value {
        let keys = self.startup.configuration.keys();
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "since": Date::of(self.ledger.began().0).of_log(),
            "digest": keys.digest(),
            "keys": keys.to_json(),
        })
    }

    fn caches(&self) -> Vec<Value> {
        let caches = &self.ledger.caches;
        let describe = |(cache, counter): (&'static str, &crate::ledger::CacheCounter)| {
            let (hits, misses) = counter.counts();
            json!({ "cache": cache, "entries": caches.size(cache), "hits": hits, "misses": misses })
        };
        caches.all().into_iter().map(describe).collect()
    }
}

/// Days as people count them: a certificate with half a day left has none.
#[allow(clippy::cast_possible_truncation, reason = "a float beyond an i64 becomes the nearest one")]
pub(super) fn whole_days(days: f64) -> i64 {
    days.floor() as i64
}

/// A session, for `restante who`.
pub(super) fn describe_session(session: &SessionInfo) -> Value {
    json!({
        "session": session.id,
        "person": session.person.as_deref(),
        "host": session.host.as_deref(),
        "peer": session.peer.to_string(),
        "listener": &*session.listener,
        "since": Date::of(session.since).of_log(),
        "seconds": session.seconds,
        "state": session.state.word(),
        "tls": session.protection,
    })
}

fn describe_host(host: BackEndHealth) -> Value {
    let failing = host.failing.into_iter().map(|(name, reason)| json!({ "host": name, "reason": reason }));
    json!({ "host": host.pattern, "sessions": host.sessions, "failing": failing.collect::<Vec<_>>() })
}

fn describe_directory(directory: &Directory) -> Value {
    let servers = directory.servers();
    let servers: Vec<Value> = servers.into_iter().map(|(url, is_up)| json!({ "url": url, "up": is_up })).collect();
    json!({ "name": &*directory.settings().name, "servers": servers })
}

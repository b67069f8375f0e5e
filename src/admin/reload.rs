//! Reading the configuration again, as an administrator asks for it.

use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

/// How reading the configuration again ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReloadOutcome {
    /// It is in force for new connections and new logins.
    Applied {
        /// The keys that have changed, and what has changed in files that they name.
        changed: Vec<String>,
        /// The keys that have changed but are read at the start only.
        needs_restart: Vec<String>,
    },
    /// The file is wrong, with every mistake. The configuration before stays in force.
    Mistakes(Vec<String>),
    /// The file is right, but the system refuses something, such as a port. The configuration before stays in force.
    Impossible(Vec<String>),
}

/// Asks the running service to reload. Clones ask the same service.
#[derive(Clone, Debug)]
pub struct ReloadRequests(mpsc::Sender<oneshot::Sender<ReloadOutcome>>);

/// What is asked for, for the service: each request is answered by the outcome.
pub type RequestedReloads = mpsc::Receiver<oneshot::Sender<ReloadOutcome>>;

/// Requests that wait at most; further ones wait for a place.
const WAITING: usize = 8;

impl ReloadRequests {
    /// With the end at which the service receives them.
    #[must_use]
    pub fn channel() -> (Self, RequestedReloads) {
        let (asking, asked) = mpsc::channel(WAITING);
        (Self(asking), asked)
    }

    /// Asks, and waits for the outcome; none if the service ends before.
    pub(super) async fn ask(&self) -> Option<ReloadOutcome> {
        let (answer, answered) = oneshot::channel();
        self.0.send(answer).await.ok()?;
        answered.await.ok()
    }
}

impl ReloadOutcome {
    /// A few words for the log of commands.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Applied { .. } => "reloaded",
            Self::Mistakes(_) | Self::Impossible(_) => "not reloaded",
        }
    }

    /// For the administrator's program, which reads it by [`Self::read`].
    pub(super) fn data(&self) -> Value {
        match self {
            Self::Applied { changed, needs_restart } => json!({ "changed": changed, "needs_restart": needs_restart }),
            Self::Mistakes(faults) => json!({ "mistakes": faults }),
            Self::Impossible(faults) => json!({ "impossible": faults }),
        }
    }

    /// Reads the service's answer; none if it is none.
    #[must_use]
    pub fn read(data: &Value) -> Option<Self> {
        let texts = |key: &str| {
            let texts = data.get(key)?.as_array()?.iter();
            Some(texts.filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>())
        };
        if let Some(faults) = texts("mistakes") {
            return Some(Self::Mistakes(faults));
        }
        if let Some(faults) = texts("impossible") {
            return Some(Self::Impossible(faults));
        }
        Some(Self::Applied { changed: texts("changed")?, needs_restart: texts("needs_restart")? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_is_read_as_it_was_written() {
        let texts = |text: &str| vec![text.to_owned()];
        for outcome in [
            ReloadOutcome::Applied { changed: texts("cache.found"), needs_restart: Vec::new() },
            ReloadOutcome::Mistakes(texts("a: b\nc")),
            ReloadOutcome::Impossible(texts("[::]:110: in use")),
        ] {
            assert_eq!(ReloadOutcome::read(&outcome.data()), Some(outcome));
        }
        assert_eq!(ReloadOutcome::read(&json!({ "changed": [] })), None);
    }
}

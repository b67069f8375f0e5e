//! The operations on each server of a directory.

use std::borrow::Cow;
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::families::{Configured, seconds};

/// Operations on directories.
#[derive(Clone)]
pub struct DirectoryCounters {
    operations: Family<Configured<4>, Counter>,
    times: Family<Configured<3>, Histogram>,
    up: Family<Configured<2>, Gauge>,
}

/// The counters of one server.
#[derive(Clone)]
pub struct ServerCounters {
    /// Searches.
    pub searches: OperationCounters,
    /// Binds that check a password.
    pub binds: OperationCounters,
    up: Gauge,
}

/// The counters of one kind of operation on one server.
#[derive(Clone)]
pub struct OperationCounters {
    answered: Counter,
    failed: Counter,
    lost: Counter,
    silent: Counter,
    times: Histogram,
}

/// How one try of an operation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperationOutcome {
    /// The server gave an answer, and a no is one.
    Answered,
    /// It answered that it cannot or must not answer.
    Failed,
    /// The connection was lost, as idle ones are; the operation is tried again.
    Lost,
    /// It gave no answer.
    Silent,
}

impl DirectoryCounters {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let times = Family::new_with_constructor(seconds as fn() -> Histogram);
        let counters = Self { operations: Family::default(), times, up: Family::default() };
        let help = "Operations on directory servers, by outcome";
        registry.register("directory_operations", help, counters.operations.clone());
        let help = "How long operations on directory servers took, connecting included";
        registry.register_with_unit("directory_operation", help, Unit::Seconds, counters.times.clone());
        let help = "Whether a directory server is used: 0 while it is down, 1 otherwise";
        registry.register("directory_server_up", help, counters.up.clone());
        counters
    }

    /// The counters of a server of a directory, which are kept for as long as it is used.
    #[must_use]
    pub fn of_server(&self, directory: &str, server: &str) -> ServerCounters {
        let labels = [("directory", Cow::Owned(directory.to_owned())), ("server", Cow::Owned(server.to_owned()))];
        let up = self.up.get_or_create_owned(&labels);
        up.set(1);
        ServerCounters { searches: self.of(&labels, "search"), binds: self.of(&labels, "bind"), up }
    }

    /// A server is no longer configured: nothing is said about whether it is used. What was counted stays.
    pub fn forget_server(&self, directory: &str, server: &str) {
        let labels = [("directory", Cow::Owned(directory.to_owned())), ("server", Cow::Owned(server.to_owned()))];
        self.up.remove(&labels);
    }

    fn of(&self, server: &Configured<2>, kind: &'static str) -> OperationCounters {
        let [directory, server] = server.clone();
        let labels = [directory, server, ("kind", Cow::Borrowed(kind))];
        let counter = |outcome: &'static str| {
            let [directory, server, kind] = labels.clone();
            self.operations.get_or_create_owned(&[directory, server, kind, ("outcome", Cow::Borrowed(outcome))])
        };
        OperationCounters {
            answered: counter("answered"),
            failed: counter("failed"),
            lost: counter("lost"),
            silent: counter("silent"),
            times: self.times.get_or_create_owned(&labels),
        }
    }
}

impl ServerCounters {
    /// The server is down, or is used again.
    pub fn set_up(&self, is_up: bool) {
        self.up.set(i64::from(is_up));
    }
}

impl OperationCounters {
    /// A try has ended.
    pub fn note(&self, outcome: OperationOutcome, took: Duration) {
        match outcome {
            OperationOutcome::Answered => &self.answered,
            OperationOutcome::Failed => &self.failed,
            OperationOutcome::Lost => &self.lost,
            OperationOutcome::Silent => &self.silent,
        }
        .inc();
        self.times.observe(took.as_secs_f64());
    }
}

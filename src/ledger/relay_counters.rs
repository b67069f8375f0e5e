//! Sessions that are passed on, by the host as the configuration names it.

use std::borrow::Cow;
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::families::{Configured, seconds};

/// Sessions that are passed on to other hosts.
pub struct RelayCounters {
    logins: Family<Configured<2>, Counter>,
    times: Family<Configured<1>, Histogram>,
    sessions: Family<Configured<1>, Gauge>,
    octets: Family<Configured<2>, Counter>,
    retrieved: Family<Configured<1>, Counter>,
}

/// The counters of one host or pattern.
#[derive(Clone)]
pub struct HostCounters {
    host: Cow<'static, str>,
    logins: Family<Configured<2>, Counter>,
    times: Histogram,
    sessions: Gauge,
    to_client: Counter,
    from_client: Counter,
    retrieved: Counter,
}

impl RelayCounters {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let times = Family::new_with_constructor(seconds as fn() -> Histogram);
        let counters = Self {
            logins: Family::default(),
            times,
            sessions: Family::default(),
            octets: Family::default(),
            retrieved: Family::default(),
        };
        let help = "Logins at hosts to which sessions are passed on, by outcome";
        registry.register("relay_logins", help, counters.logins.clone());
        let help = "How long logins at hosts to which sessions are passed on took, connecting included";
        registry.register_with_unit("relay_login", help, Unit::Seconds, counters.times.clone());
        let help = "Sessions at hosts to which they are passed on, those that are logging in included";
        registry.register("relay_sessions_current", help, counters.sessions.clone());
        let help = "Octets passed on, by direction: to_client or from_client";
        registry.register("relay_octets", help, counters.octets.clone());
        let help = "RETR commands passed on";
        registry.register("relay_retrievals", help, counters.retrieved.clone());
        counters
    }

    /// The counters of a host or pattern, as the configuration has it.
    #[must_use]
    pub fn of_host(&self, host: &str) -> HostCounters {
        let host: Cow<'static, str> = Cow::Owned(host.to_owned());
        let label = [("host", host.clone())];
        let octets = |direction: &'static str| {
            self.octets.get_or_create_owned(&[("host", host.clone()), ("direction", Cow::Borrowed(direction))])
        };
        drop(self.logins.get_or_create(&[("host", host.clone()), ("outcome", Cow::Borrowed("accepted"))]));
        HostCounters {
            logins: self.logins.clone(),
            times: self.times.get_or_create_owned(&label),
            sessions: self.sessions.get_or_create_owned(&label),
            to_client: octets("to_client"),
            from_client: octets("from_client"),
            retrieved: self.retrieved.get_or_create_owned(&label),
            host,
        }
    }
}

impl HostCounters {
    /// A login ended, after this time.
    pub fn note_login(&self, outcome: &'static str, took: Duration) {
        let labels = [("host", self.host.clone()), ("outcome", Cow::Borrowed(outcome))];
        self.logins.get_or_create(&labels).inc();
        self.times.observe(took.as_secs_f64());
    }

    /// A session began, or ended.
    pub fn note_session(&self, begins: bool) {
        self.sessions.inc_by(if begins { 1 } else { -1 });
    }

    /// Sessions now.
    #[must_use]
    pub fn sessions(&self) -> u64 {
        u64::try_from(self.sessions.get()).unwrap_or_default()
    }

    /// Octets were sent to a client.
    pub fn note_octets_to_client(&self, octets: u64) {
        self.to_client.inc_by(octets);
    }

    /// Octets came from a client.
    pub fn note_octets_from_client(&self, octets: u64) {
        self.from_client.inc_by(octets);
    }

    /// A client sent RETR.
    pub fn note_retrieval(&self) {
        self.retrieved.inc();
    }
}

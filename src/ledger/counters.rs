//! Every metric but those of sessions and directories, with its name and help text. `_total` and the unit are added to the
//! name when it is written.

use std::borrow::Cow;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use super::OwnCertificate;
use super::families::{Configured, CounterFamily, seconds};

const SECONDS_OF_A_DAY: f64 = 86_400.0;

/// A gauge that can be negative and broken.
type FloatGauge = Gauge<f64, AtomicU64>;

/// The version, and when the process began.
pub(super) fn describe_process(registry: &mut Registry, began: SystemTime) {
    registry.register("build", "The version of the service", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
    let start = FloatGauge::default();
    start.set(since_1970(began).as_secs_f64());
    let help = "When the service began, in seconds since 1970";
    registry.register_with_unit("start_time", help, Unit::Seconds, start);
}

fn since_1970(moment: SystemTime) -> Duration {
    moment.duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Logins.
pub struct LoginCounters {
    ended: CounterFamily<3>,
}

impl LoginCounters {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let ended = CounterFamily::default();
        let help = "Logins by mechanism, kind of login name (none unless accepted) and outcome";
        registry.register("logins", help, ended.clone());
        Self { ended }
    }

    /// A login has ended.
    pub fn note(&self, mechanism: &'static str, kind: &'static str, outcome: &'static str) {
        self.ended.get_or_create(&[("mechanism", mechanism), ("kind", kind), ("outcome", outcome)]).inc();
    }
}

/// Look-ups in one cache.
#[derive(Clone, Debug, Default)]
pub struct CacheCounter {
    hits: Counter,
    misses: Counter,
}

impl CacheCounter {
    /// An answer was there, or was not.
    pub fn note(&self, is_hit: bool) {
        if is_hit {
            self.hits.inc()
        } else {
            self.misses.inc()
        };
    }

    /// Look-ups that were answered, and those that were not.
    #[must_use]
    pub fn counts(&self) -> (u64, u64) {
        (self.hits.get(), self.misses.get())
    }
}

/// Look-ups in caches, and their sizes.
pub struct CacheCounters {
    /// Login names.
    pub names: CacheCounter,
    /// Passwords.
    pub passwords: CacheCounter,
    /// Client certificates.
    pub certificates: CacheCounter,
    /// The claims of tokens.
    pub claims: CacheCounter,
    /// Mail addresses, asked for by mail transfer agents.
    pub addresses: CacheCounter,
    /// Snapshots of maildrops: whether one was still valid at a login.
    pub maildrops: CacheCounter,
    entries: Family<[(&'static str, &'static str); 1], Gauge>,
}

impl CacheCounters {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let (lookups, entries) = (CounterFamily::<2>::default(), Family::default());
        registry.register("cache_lookups", "Look-ups in each cache, by result", lookups.clone());
        registry.register("cache_entries", "Entries of each cache", Family::clone(&entries));
        let counter = |cache| {
            let of = |result| lookups.get_or_create_owned(&[("cache", cache), ("result", result)]);
            CacheCounter { hits: of("hit"), misses: of("miss") }
        };
        Self {
            names: counter("names"),
            passwords: counter("passwords"),
            certificates: counter("certificates"),
            claims: counter("claims"),
            addresses: counter("addresses"),
            maildrops: counter("maildrops"),
            entries,
        }
    }

    /// Each cache with its counter, in the order in which reports list them.
    #[must_use]
    pub fn all(&self) -> [(&'static str, &CacheCounter); 6] {
        [
            ("names", &self.names),
            ("passwords", &self.passwords),
            ("certificates", &self.certificates),
            ("claims", &self.claims),
            ("addresses", &self.addresses),
            ("maildrops", &self.maildrops),
        ]
    }

    /// How many entries a cache had when they were last counted; none if they are not.
    #[must_use]
    pub fn size(&self, cache: &'static str) -> Option<i64> {
        self.entries.get(&[("cache", cache)]).map(|entries| entries.get())
    }

    /// A cache has so many entries.
    pub fn note_size(&self, cache: &'static str, entries: u64) {
        self.entries.get_or_create(&[("cache", cache)]).set(i64::try_from(entries).unwrap_or(i64::MAX));
    }
}

/// Lock-outs by whom they keep out.
pub struct LockOutCounters {
    begun: CounterFamily<1>,
    current: Gauge,
}

impl LockOutCounters {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let (begun, current) = (CounterFamily::default(), Gauge::default());
        registry.register("lockouts", "Lock-outs that have begun, by whom they keep out", begun.clone());
        registry.register("lockouts_current", "Lock-outs in force", current.clone());
        for subject in ["person", "name", "network"] {
            drop(begun.get_or_create(&[("subject", subject)]));
        }
        Self { begun, current }
    }

    /// A lock-out of a person, a name that leads to nobody or to several people, or a network has begun.
    pub fn note_begin(&self, subject: &'static str) {
        self.begun.get_or_create(&[("subject", subject)]).inc();
    }

    /// So many are in force.
    pub fn set_current(&self, count: usize) {
        self.current.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// How many are in force.
    #[must_use]
    pub fn current(&self) -> i64 {
        self.current.get()
    }
}

/// TLS with clients.
pub struct TlsCounters {
    handshakes: CounterFamily<2>,
    failures: CounterFamily<1>,
    expiry: Family<Configured<2>, FloatGauge>,
}

impl TlsCounters {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let (handshakes, failures, expiry) = (CounterFamily::default(), CounterFamily::default(), Family::default());
        let help = "TLS handshakes that succeeded, by version and by whether a session was resumed";
        registry.register("tls_handshakes", help, handshakes.clone());
        registry.register("tls_handshake_failures", "TLS handshakes that failed, by reason", failures.clone());
        let help = "Seconds until each of the service's own certificates expires; negative once it has";
        registry.register_with_unit("certificate_expiry", help, Unit::Seconds, Family::clone(&expiry));
        Self { handshakes, failures, expiry }
    }

    /// A handshake has succeeded.
    pub fn note_handshake(&self, version: &'static str, resumed: bool) {
        let resumed = if resumed { "yes" } else { "no" };
        self.handshakes.get_or_create(&[("version", version), ("resumed", resumed)]).inc();
    }

    /// A handshake has failed.
    pub fn note_failure(&self, reason: &'static str) {
        self.failures.get_or_create(&[("reason", reason)]).inc();
    }

    /// Replaces the times of all certificates.
    pub(super) fn note_certificates(&self, certificates: &[OwnCertificate], now: SystemTime) {
        self.expiry.clear();
        for certificate in certificates {
            let labels =
                [("file", Cow::Owned(certificate.file.clone())), ("name", Cow::Owned(certificate.name.clone()))];
            self.expiry.get_or_create(&labels).set(certificate.days_left(now) * SECONDS_OF_A_DAY);
        }
    }
}

impl OwnCertificate {
    /// Days until it expires; negative once it has.
    #[must_use]
    pub fn days_left(&self, now: SystemTime) -> f64 {
        let days = |time: Duration| time.as_secs_f64() / SECONDS_OF_A_DAY;
        match self.valid_until.duration_since(now) {
            Ok(left) => days(left),
            Err(over) => -days(over.duration()),
        }
    }
}

/// What is done to mail.
pub struct MailCounters {
    /// Octets of messages sent, as LIST counts them.
    pub octets: Counter,
    /// Messages sent whole (RETR).
    pub retrieved: Counter,
    /// Messages of which the top was sent (TOP).
    pub tops: Counter,
    /// Messages removed at QUIT.
    pub deleted: Counter,
    /// Unique-ids written to disk before they were sent.
    pub pinned: Counter,
    /// How long it takes to read a maildrop that has changed since it was last read.
    pub scans: Histogram,
}

impl MailCounters {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let mail = Self {
            octets: Counter::default(),
            retrieved: Counter::default(),
            tops: Counter::default(),
            deleted: Counter::default(),
            pinned: Counter::default(),
            scans: seconds(),
        };
        let help = "Octets of messages sent, line ends counted as CRLF, byte-stuffing not counted";
        registry.register("message_octets_sent", help, mail.octets.clone());
        registry.register("messages_retrieved", "Messages sent whole (RETR)", mail.retrieved.clone());
        registry.register("message_tops_sent", "Messages of which the top was sent (TOP)", mail.tops.clone());
        registry.register("messages_deleted", "Messages removed at QUIT", mail.deleted.clone());
        let help = "Unique-ids written to disk before they were sent (UIDL)";
        registry.register("unique_ids_pinned", help, mail.pinned.clone());
        let help = "How long it took to read a maildrop that had changed since it was last read";
        registry.register_with_unit("maildrop_scan", help, Unit::Seconds, mail.scans.clone());
        mail
    }
}

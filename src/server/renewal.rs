//! Renewed certificates: a new pair of chain and key is used for new handshakes as soon as it is complete.
//!
//! Programs that renew certificates replace chain and key one after the other (certbot), both by one rename of a folder
//! that a link leads to (Kubernetes), or write them in place. So a pair that does not fit together is not an error yet:
//! the previous one stays in force, and only if the new one is still unusable after [`PATIENCE`], that is logged. The files
//! are examined through links, and by their stamps: notifications (inotify(7)) end at the first swap of a link.

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime};

use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;

use super::Certificates;
use super::abilities::Abilities;
use super::certificates::ServerCertificate;
use crate::certificate::{CertificateFinding, is_in_order};
use crate::date::Date;
use crate::ledger::OwnCertificate;

/// How long a new pair may be unusable before that is logged: a program that renews certificates may be replacing them.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often the end of a certificate is logged once it is near.
const DAY: Duration = Duration::from_secs(86_400);

/// The certificates in force. Resumed sessions are unaffected by a renewal, since no certificate is sent in them.
#[derive(Debug)]
pub(super) struct CurrentCertificates {
    in_force: RwLock<Arc<Certificates>>,
    /// The name under which clients reach the server, if it is configured.
    hostname: Option<String>,
    /// By the file of the chain: changed pairs that cannot be used yet.
    waiting: Mutex<HashMap<PathBuf, Waiting>>,
    /// By the file of the chain: when the end of the certificate was last logged.
    announced: Mutex<HashMap<PathBuf, Instant>>,
}

/// A changed pair that cannot be used.
#[derive(Debug)]
struct Waiting {
    since: Instant,
    /// The reason that was logged.
    logged: Option<String>,
}

/// Why a new pair is worse than the one in force.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Unfitness {
    /// A certificate of the chain has expired, or is not valid yet.
    Time(String),
    /// The certificates are in the wrong order.
    Order,
    /// Signatures of the chain are wrong.
    Chain(String),
    /// It is not for the configured host name.
    Host(String),
}

/// How near the end of a certificate is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Far,
    /// Within 14 days.
    Near,
    /// Within 3 days, or over.
    Close,
}

impl CurrentCertificates {
    pub(super) fn new(certificates: Certificates, hostname: Option<String>) -> Self {
        Self {
            in_force: RwLock::new(Arc::new(certificates)),
            hostname,
            waiting: Mutex::default(),
            announced: Mutex::default(),
        }
    }

    /// Uses pairs that were renewed; returns whether there were any. Blocks while the disk answers.
    pub(super) fn reload_changed(&self) -> bool {
        let now = SystemTime::now();
        let current = self.in_force();
        let renewed: Vec<(usize, ServerCertificate)> =
            current.keys.iter().enumerate().filter_map(|(place, old)| Some((place, self.renewed(old, now)?))).collect();
        if renewed.is_empty() {
            return false;
        }
        let mut certificates = Certificates::clone(&current);
        for (place, new) in renewed {
            self.announced.lock().unwrap_or_else(PoisonError::into_inner).remove(&new.chain);
            let chain = new.chain.display().to_string();
            tracing::info!(name: "certificate_reloaded", chain, until = new.until(), "certificate reloaded");
            if let Some(old) = certificates.keys.get_mut(place) {
                *old = new;
            }
        }
        *self.in_force.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(certificates);
        true
    }

    /// Each certificate that clients may be shown, for reports.
    pub(super) fn own(&self) -> Vec<OwnCertificate> {
        self.in_force().own()
    }

    /// The new pair, if the files have changed and it can be used.
    fn renewed(&self, old: &ServerCertificate, now: SystemTime) -> Option<ServerCertificate> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if !old.is_outdated() {
            waiting.remove(&old.chain);
            return None;
        }
        let reason = match self.read(old, now) {
            Ok(new) => {
                waiting.remove(&old.chain);
                return Some(new);
            }
            Err(reason) => reason,
        };
        let entry = waiting.entry(old.chain.clone()).or_insert_with(|| Waiting { since: Instant::now(), logged: None });
        if entry.since.elapsed() >= PATIENCE && entry.logged.as_ref() != Some(&reason) {
            tracing::error!(
                name: "certificate_files_cannot_be_used",
                chain = old.chain.display().to_string(),
                reason,
                "a certificate's files changed but cannot be used: the previous certificate stays in force"
            );
            entry.logged = Some(reason);
        }
        None
    }

    fn read(&self, old: &ServerCertificate, now: SystemTime) -> Result<ServerCertificate, String> {
        let new = old.read_anew().map_err(|(file, fault)| format!("{}: {fault}", file.display()))?;
        let before = self.unfitness(old, now);
        let is_worse = |fault: &Unfitness| !before.iter().any(|before| before.is_like(fault));
        match self.unfitness(&new, now).into_iter().find(is_worse) {
            Some(fault) => Err(format!("{}: {fault}", new.chain.display())),
            None => Ok(new),
        }
    }

    fn unfitness(&self, pair: &ServerCertificate, now: SystemTime) -> Vec<Unfitness> {
        let chain = match pair.fields() {
            Ok(chain) => chain,
            Err(fault) => return vec![Unfitness::Chain(fault)],
        };
        let text = |finding| match finding {
            CertificateFinding::Fault(text) => Some(text),
            CertificateFinding::Note(_) => None,
        };
        let mut found: Vec<Unfitness> = Vec::new();
        let validity = chain.iter().filter_map(|certificate| certificate.inspect_validity(now)).find_map(text);
        found.extend(validity.map(Unfitness::Time));
        if !is_in_order(&chain) {
            found.push(Unfitness::Order);
        }
        // The signature of a certificate that is sent without its issuer's is verified by clients only.
        if chain.len() > 1 && found.is_empty() {
            found.extend(pair.rejected(&chain, &[]).and_then(text).map(Unfitness::Chain));
        }
        let is_for = |host: &str| chain.first().is_some_and(|own| own.is_for_host(host));
        if let Some(host) = self.hostname.as_deref().filter(|host| !is_for(host)) {
            found.push(Unfitness::Host(host.to_owned()));
        }
        found
    }

    /// Logs once a day which certificates expire soon.
    pub(super) fn announce_ends(&self, now: SystemTime) {
        let mut announced = self.announced.lock().unwrap_or_else(PoisonError::into_inner);
        for pair in &self.in_force().keys {
            let Some(left) = pair.left(now) else { continue };
            if announced.get(&pair.chain).is_some_and(|at| at.elapsed() < DAY) {
                continue;
            }
            let (chain, days, until) = (pair.chain.display().to_string(), days(left), pair.until());
            match End::of(left) {
                End::Far => continue,
                End::Near => tracing::warn!(
                    name: "certificate_expires_soon",
                    chain, days, until,
                    "certificate expires soon"
                ),
                End::Close => tracing::error!(
                    name: "certificate_expires_within_three_days",
                    chain, days, until,
                    "certificate expires within three days"
                ),
            }
            announced.insert(pair.chain.clone(), Instant::now());
        }
    }

    /// Logs until when each certificate is valid.
    pub(super) fn log_all(&self, now: SystemTime) {
        for pair in &self.in_force().keys {
            let days = pair.left(now).map(days);
            tracing::info!(
                name: "certificate_in_use",
                chain = pair.chain.display().to_string(), days, until = pair.until(),
                "certificate in use"
            );
        }
    }

    fn in_force(&self) -> Arc<Certificates> {
        self.in_force.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ResolvesServerCert for CurrentCertificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.in_force().choose(hello.server_name(), &Abilities::of(&hello))
    }
}

impl ServerCertificate {
    fn until(&self) -> Option<String> {
        self.valid_until.map(|until| Date::of(until).of_log())
    }

    /// How long it is still valid; zero if it has expired.
    fn left(&self, now: SystemTime) -> Option<Duration> {
        Some(self.valid_until?.duration_since(now).unwrap_or_default())
    }
}

impl Unfitness {
    /// Whether both are of one kind.
    fn is_like(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

impl fmt::Display for Unfitness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(fault) | Self::Chain(fault) => f.write_str(fault),
            Self::Order => f.write_str(
                "the certificates are in the wrong order; expected the server's own first, each followed by its issuer's",
            ),
            Self::Host(host) => {
                write!(f, "it is not for {host}, the `hostname` of the configuration; expected one that is, as before")
            }
        }
    }
}

impl End {
    fn of(left: Duration) -> Self {
        match left {
            left if left <= 3 * DAY => Self::Close,
            left if left <= 14 * DAY => Self::Near,
            _ => Self::Far,
        }
    }
}

/// Whole days.
fn days(left: Duration) -> u64 {
    left.as_secs() / DAY.as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_near_for_two_weeks_and_close_for_three_days() {
        for (days, end) in [(15, End::Far), (14, End::Near), (4, End::Near), (3, End::Close), (0, End::Close)] {
            assert_eq!(End::of(days * DAY), end, "{days}");
        }
    }
}

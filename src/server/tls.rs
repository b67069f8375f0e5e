//! TLS as the listeners need it: one configuration for each policy of client certificates.
//!
//! A session may be resumed on any listener of the same policy, and on no other: rustls would resume one from a listener
//! that asks for no certificate on one that requires it. Each configuration has ticket keys and a store of its own, and
//! gets new ones when the authorities or the revocation lists change: a resumed session takes over the chain it was begun
//! with, and its certificate is verified in full handshakes only.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use rustls_pki_types::CertificateDer;
use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval};
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto;
use tokio_rustls::rustls::server::ServerSessionMemoryCache;
use tokio_rustls::rustls::server::danger::ClientCertVerifier;

use super::renewal::CurrentCertificates;
use super::{Certificates, ClientCertificate, ClientTrust};
use crate::connection::ClientCertificateFault;
use crate::ledger::{Ledger, OwnCertificate};

/// The configurations of TLS, one for each policy of client certificates.
pub struct TlsPolicies {
    certificates: Arc<CurrentCertificates>,
    asking_nobody: Arc<ServerConfig>,
    /// None if no authorities are configured.
    asking: Option<RwLock<Arc<RequestingConfigs>>>,
    /// The last error of the files, so that it is logged once.
    last_logged: Mutex<Option<String>>,
}

/// The configurations that ask for certificates, under the same trust.
struct RequestingConfigs {
    trust: ClientTrust,
    optional: Arc<ServerConfig>,
    required: Arc<ServerConfig>,
}

/// Sessions cached for TLS 1.2 clients that do not support tickets.
const KEPT_SESSIONS: usize = 4096;

/// How often the files of certificates, authorities and revocation lists are checked for changes.
const CHECK_EVERY: Duration = Duration::from_secs(2);

impl TlsPolicies {
    /// TLS 1.2 and 1.3 with these certificates; clients' certificates by that trust. `hostname`: that of the server, if it
    /// is configured.
    ///
    /// # Errors
    /// The crypto library cannot make keys for session tickets.
    pub fn new(
        certificates: Certificates,
        trust: Option<ClientTrust>,
        hostname: Option<String>,
    ) -> Result<Self, String> {
        let certificates = Arc::new(CurrentCertificates::new(certificates, hostname));
        let asking = trust.map(|trust| RequestingConfigs::new(&certificates, trust)).transpose()?;
        Ok(Self {
            asking_nobody: configuration(&certificates, None)?,
            asking: asking.map(|asking| RwLock::new(Arc::new(asking))),
            certificates,
            last_logged: Mutex::default(),
        })
    }

    /// The configuration of a listener with this policy; none if it asks for certificates but no authorities are configured.
    pub(super) fn configuration(&self, policy: ClientCertificate) -> Option<Arc<ServerConfig>> {
        match policy {
            ClientCertificate::None => Some(self.asking_nobody.clone()),
            ClientCertificate::Optional => Some(self.asking()?.optional.clone()),
            ClientCertificate::Required => Some(self.asking()?.required.clone()),
        }
    }

    /// The server's own certificates, for reports.
    pub(super) fn own_certificates(&self) -> Vec<OwnCertificate> {
        self.certificates.own()
    }

    /// Whether a chain is valid now; if not, why.
    pub(super) fn judge(&self, chain: &[CertificateDer<'_>]) -> Result<(), ClientCertificateFault> {
        self.asking().ok_or(ClientCertificateFault::NoAuthority)?.trust.judge(chain)
    }

    /// Checks the files for changes, and certificates for their end, for as long as it is polled. Ends only if a check
    /// panicked.
    pub(super) async fn stay_current(self: Arc<Self>, ledger: Arc<Ledger>) {
        self.certificates.log_all(SystemTime::now());
        let mut ticks = interval(CHECK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let (policies, ledger) = (self.clone(), ledger.clone());
            let check = move || {
                if policies.certificates.reload_changed() {
                    ledger.set_certificates(policies.own_certificates());
                }
                policies.certificates.announce_ends(SystemTime::now());
                policies.reload_changed();
            };
            if spawn_blocking(check).await.is_err() {
                return;
            }
        }
    }

    /// Reloads the files of client certificates if they changed. If they cannot be read, the previous contents stay in force.
    fn reload_changed(&self) {
        let Some(asking) = self.asking().filter(|asking| asking.trust.is_outdated()) else { return };
        let anew = asking.trust.read_anew().map_err(|(file, fault)| wrong(&file, &fault));
        match anew.and_then(|trust| RequestingConfigs::new(&self.certificates, trust)) {
            Ok(anew) => self.replace(anew),
            Err(fault) => self.log_once(&fault),
        }
    }

    fn replace(&self, anew: RequestingConfigs) {
        let Some(asking) = &self.asking else { return };
        *asking.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(anew);
        *self.last_logged.lock().unwrap_or_else(PoisonError::into_inner) = None;
        tracing::info!(
            name: "client_authorities_reloaded",
            "authorities and revocation lists for client certificates reloaded"
        );
    }

    fn log_once(&self, fault: &str) {
        let last = self.last_logged.lock().unwrap_or_else(PoisonError::into_inner).replace(fault.to_owned());
        if last.as_deref() != Some(fault) {
            tracing::error!(
                name: "client_authorities_cannot_be_read",
                reason = fault,
                "tls.client_ca or tls.crls changed but cannot be read: the previous contents stay in force"
            );
        }
    }

    fn asking(&self) -> Option<Arc<RequestingConfigs>> {
        let asking = self.asking.as_ref()?;
        Some(asking.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

impl RequestingConfigs {
    fn new(certificates: &Arc<CurrentCertificates>, trust: ClientTrust) -> Result<Self, String> {
        if let Some(note) = trust.names_left_out() {
            tracing::info!(name: "client_ca_note", "tls.client_ca: {note}");
        }
        let optional = configuration(certificates, Some(trust.optional()))?;
        let required = configuration(certificates, Some(trust.required()))?;
        Ok(Self { trust, optional, required })
    }
}

fn wrong(file: &Path, fault: &str) -> String {
    format!("{}: {fault}", file.display())
}

/// A configuration with ticket keys and a store of its own.
fn configuration(
    certificates: &Arc<CurrentCertificates>,
    clients: Option<Arc<dyn ClientCertVerifier>>,
) -> Result<Arc<ServerConfig>, String> {
    let describe = |fault: tokio_rustls::rustls::Error| fault.to_string();
    let builder = ServerConfig::builder_with_provider(Arc::new(crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(describe)?;
    let builder = match clients {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_cert_resolver(certificates.clone());
    config.ticketer = crypto::aws_lc_rs::Ticketer::new().map_err(describe)?;
    config.session_storage = ServerSessionMemoryCache::new(KEPT_SESSIONS);
    Ok(Arc::new(config))
}

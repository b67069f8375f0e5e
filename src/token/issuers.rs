//! All issuers, with their current keys.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use serde_json::{Map, Value};
use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval};

use super::key::VerificationKey;
use super::keys::{self, KeyFault};
use super::unverified::Unverified;
use super::{Bearer, RefusedToken, Settings, TokenRefusal, bearer};
use crate::file_stamps::FileStamps;
use crate::names::Kind;
use crate::pop3::Mechanism;
use crate::secret::Token;

/// The issuers whose tokens are accepted.
pub struct Issuers(Vec<Issuer>);

/// One issuer.
struct Issuer {
    settings: Settings,
    loaded: RwLock<Arc<LoadedKeys>>,
    /// The last error of the files, so that it is logged once.
    last_logged: Mutex<Option<KeyFault>>,
}

/// The keys, and the state of the files when they were read.
struct LoadedKeys {
    stamps: FileStamps,
    keys: Vec<VerificationKey>,
}

/// How often the key files are checked for changes.
const LOOK_EVERY: Duration = Duration::from_secs(2);

impl Issuers {
    /// Reads the keys of each.
    ///
    /// # Errors
    /// For each issuer, by its place in the list, the first file that is wrong.
    pub fn read(settings: Vec<Settings>) -> Result<Self, Vec<(usize, KeyFault)>> {
        let (mut issuers, mut faults) = (Vec::new(), Vec::new());
        for (place, settings) in settings.into_iter().enumerate() {
            match LoadedKeys::read(&settings) {
                Ok(loaded) => {
                    issuers.push(Issuer {
                        settings,
                        loaded: RwLock::new(Arc::new(loaded)),
                        last_logged: Mutex::default(),
                    });
                }
                Err(fault) => faults.push((place, fault)),
            }
        }
        if faults.is_empty() { Ok(Self(issuers)) } else { Err(faults) }
    }

    /// The bearer of a token, if it is valid now. The issuer that the token names decides which keys are tried; that
    /// name is verified with the rest of the token.
    ///
    /// # Errors
    /// Why it is rejected.
    pub fn verify(&self, token: &Token, now: SystemTime) -> Result<Bearer, RefusedToken> {
        let unverified = Unverified::read(token)?;
        let named = unverified.issuer();
        let Some(issuer) = self.0.iter().find(|issuer| named == Some(&*issuer.settings.issuer)) else {
            return Err(TokenRefusal::Issuer(named.map(str::to_owned)).into());
        };
        let loaded = issuer.loaded();
        bearer::judge(token, &unverified, &issuer.settings, &loaded.keys, now)
    }

    /// The kinds of name that tokens hold.
    pub fn kinds(&self) -> impl Iterator<Item = Kind> {
        self.0.iter().map(|issuer| issuer.settings.kind)
    }

    /// Their key files, which are read again while the service runs.
    pub fn key_files(&self) -> impl Iterator<Item = &Path> {
        self.0.iter().flat_map(|issuer| &issuer.settings.keys).map(PathBuf::as_path)
    }

    /// The JSON challenge after a rejected token. Its `openid_configuration` is that of the first issuer that has one.
    #[must_use]
    pub fn challenge(&self, mechanism: Mechanism) -> String {
        let has_configuration = |issuer: &&Issuer| issuer.settings.openid_configuration.is_some();
        let first = self.0.iter().find(has_configuration).or(self.0.first()).map(|issuer| &issuer.settings);
        let scope = first.and_then(|settings| settings.required_scope.as_deref());
        let configuration = first.and_then(|settings| settings.openid_configuration.as_deref());
        let status = match mechanism {
            // As Google's servers send it.
            Mechanism::Xoauth2 => [("status", Some("401")), ("schemes", Some("bearer"))],
            // "status (REQUIRED): The authorization error code" (RFC 7628 §3.2.2), the same whatever the reason.
            _ => [("status", Some("invalid_token")), ("schemes", None)],
        };
        let members = status.into_iter().chain([("scope", scope), ("openid-configuration", configuration)]);
        let object: Map<String, Value> =
            members.filter_map(|(name, value)| Some((name.to_owned(), value?.into()))).collect();
        Value::Object(object).to_string()
    }

    /// Checks the key files for changes for as long as it is polled. Ends only if a check panicked.
    pub async fn stay_current(self: Arc<Self>) {
        let mut ticks = interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let issuers = self.clone();
            if spawn_blocking(move || issuers.reload_changed()).await.is_err() {
                return;
            }
        }
    }

    /// Reloads the key files that changed. If one cannot be read, the previous keys stay in force.
    pub fn reload_changed(&self) {
        self.0.iter().for_each(Issuer::reload_changed);
    }
}

impl Issuer {
    fn loaded(&self) -> Arc<LoadedKeys> {
        self.loaded.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn reload_changed(&self) {
        if !self.loaded().stamps.are_outdated(&self.settings.keys) {
            return;
        }
        let issuer = &*self.settings.issuer;
        match LoadedKeys::read(&self.settings) {
            Ok(loaded) => {
                let keys = loaded.keys.len();
                *self.loaded.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(loaded);
                self.is_news(None);
                tracing::info!(name: "token_keys_reloaded", issuer, keys, "token keys reloaded");
            }
            Err(fault) if self.is_news(Some(&fault)) => {
                let (file, reason) = (fault.file.display().to_string(), &*fault.what);
                tracing::error!(
                    name: "token_keys_cannot_be_read",
                    issuer,
                    file,
                    reason,
                    "token keys changed but cannot be read: the previous keys stay in force"
                );
            }
            Err(_) => {}
        }
    }

    /// Whether another fault was logged last.
    fn is_news(&self, fault: Option<&KeyFault>) -> bool {
        let mut last = self.last_logged.lock().unwrap_or_else(PoisonError::into_inner);
        let is_news = last.as_ref() != fault;
        *last = fault.cloned();
        is_news
    }
}

impl LoadedKeys {
    /// The stamps are taken first: a file that is replaced while it is read is read once more.
    fn read(settings: &Settings) -> Result<Self, KeyFault> {
        let stamps = FileStamps::of(&settings.keys);
        Ok(Self { stamps, keys: keys::read(&settings.keys, &settings.algorithms)? })
    }
}

//! All issuers, with their keys as they are now.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use serde_json::{Map, Value};
use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval};

use super::keys::{self, KeyFault, VerificationKey};
use super::unverified::Unverified;
use super::{Bearer, Refusal, Refused, Settings, bearer};
use crate::file_stamps::FileStamps;
use crate::names::Kind;
use crate::pop3::Mechanism;
use crate::secret::Token;

/// Whose tokens count.
pub struct Issuers(Vec<Issuer>);

/// One issuer.
struct Issuer {
    settings: Settings,
    held: RwLock<Arc<LoadedKeys>>,
    /// What was last wrong with the files, so that it is told once.
    told: Mutex<Option<KeyFault>>,
}

/// The keys, and the files as they were when these were read.
struct LoadedKeys {
    stamps: FileStamps,
    keys: Vec<VerificationKey>,
}

/// How often the files of keys are looked at.
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
                Ok(held) => {
                    issuers.push(Issuer { settings, held: RwLock::new(Arc::new(held)), told: Mutex::default() });
                }
                Err(fault) => faults.push((place, fault)),
            }
        }
        if faults.is_empty() { Ok(Self(issuers)) } else { Err(faults) }
    }

    /// Whom a token is about, if it counts now. The issuer that it names says by which keys that is judged; what it names
    /// is proven with the rest of it.
    ///
    /// # Errors
    /// Why it does not count.
    pub fn verify(&self, token: &Token, now: SystemTime) -> Result<Bearer, Refused> {
        let unverified = Unverified::read(token)?;
        let named = unverified.issuer();
        let Some(issuer) = self.0.iter().find(|issuer| named == Some(&*issuer.settings.issuer)) else {
            return Err(Refusal::Issuer(named.map(str::to_owned)).into());
        };
        let held = issuer.held();
        bearer::judge(token, &unverified, &issuer.settings, &held.keys, now)
    }

    /// The kinds of name that tokens hold.
    pub fn kinds(&self) -> impl Iterator<Item = Kind> {
        self.0.iter().map(|issuer| issuer.settings.kind)
    }

    /// The files of their keys, which are looked at for as long as the service runs.
    pub fn key_files(&self) -> impl Iterator<Item = &Path> {
        self.0.iter().flat_map(|issuer| &issuer.settings.keys).map(PathBuf::as_path)
    }

    /// The JSON that tells a client that its token does not count: of the issuers, the first that is configured to say
    /// where tokens come from is the one to go to.
    #[must_use]
    pub fn challenge(&self, mechanism: Mechanism) -> String {
        let told = |issuer: &&Issuer| issuer.settings.openid_configuration.is_some();
        let first = self.0.iter().find(told).or(self.0.first()).map(|issuer| &issuer.settings);
        let scope = first.and_then(|settings| settings.required_scope.as_deref());
        let configuration = first.and_then(|settings| settings.openid_configuration.as_deref());
        let status = match mechanism {
            // As Google's servers have it.
            Mechanism::Xoauth2 => [("status", Some("401")), ("schemes", Some("bearer"))],
            // "status (REQUIRED): The authorization error code" (RFC 7628 §3.2.2), the same whatever the reason.
            _ => [("status", Some("invalid_token")), ("schemes", None)],
        };
        let members = status.into_iter().chain([("scope", scope), ("openid-configuration", configuration)]);
        let object: Map<String, Value> =
            members.filter_map(|(name, value)| Some((name.to_owned(), value?.into()))).collect();
        Value::Object(object).to_string()
    }

    /// Looks at the files of keys again and again, for as long as it is polled. Ends only if a look panicked.
    pub async fn stay_current(self: Arc<Self>) {
        let mut ticks = interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let issuers = self.clone();
            if spawn_blocking(move || issuers.look()).await.is_err() {
                return;
            }
        }
    }

    /// Reads the files anew that changed. What cannot be read leaves everything as it was.
    pub fn look(&self) {
        self.0.iter().for_each(Issuer::look);
    }
}

impl Issuer {
    fn held(&self) -> Arc<LoadedKeys> {
        self.held.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn look(&self) {
        if !self.held().stamps.are_outdated(&self.settings.keys) {
            return;
        }
        let issuer = &*self.settings.issuer;
        match LoadedKeys::read(&self.settings) {
            Ok(held) => {
                let keys = held.keys.len();
                *self.held.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(held);
                self.is_news(None);
                tracing::info!(issuer, keys, "keys of tokens were read anew");
            }
            Err(fault) if self.is_news(Some(&fault)) => {
                let (file, why) = (fault.file.display(), &*fault.what);
                tracing::error!(issuer, %file, why, "keys of tokens changed and cannot be read: those read before hold");
            }
            Err(_) => {}
        }
    }

    /// Whether another fault was logged last.
    fn is_news(&self, fault: Option<&KeyFault>) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let is_news = told.as_ref() != fault;
        *told = fault.cloned();
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

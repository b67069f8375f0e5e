//! What the service was started with: its configuration, key by key, and its confinement.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Value, json};

use crate::confinement::Confinement;

/// A configuration as text for each key whose value differs from the default, such as `listeners[1].address`. Items are
/// counted from 1. Secrets are in files of their own, of which only the paths appear.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfigurationKeys(BTreeMap<String, String>);

/// Reads the configuration file again, without the files that it names.
pub type ReadAgain = Box<dyn Fn() -> Result<ConfigurationKeys, Box<dyn Error + Send + Sync>> + Send + Sync>;

/// The configuration that the service runs with.
pub struct RunningConfiguration {
    file: PathBuf,
    keys: Mutex<ConfigurationKeys>,
    read_again: ReadAgain,
}

/// How the service was started.
pub struct Startup {
    /// The configuration that is in use.
    pub configuration: RunningConfiguration,
    /// Which files the process can reach.
    pub confinement: Confinement,
}

impl ConfigurationKeys {
    /// The keys that do not have the same value in both, in order.
    #[must_use]
    pub fn differences<'k>(&'k self, other: &'k Self) -> BTreeSet<&'k str> {
        let is_other = |key: &&String| self.0.get(*key) != other.0.get(*key);
        self.0.keys().chain(other.0.keys()).filter(is_other).map(String::as_str).collect()
    }

    /// The keys with their values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// SHA-256 over all keys and values, in hexadecimal digits: the same on nodes that are configured alike.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut all = String::new();
        for (key, value) in &self.0 {
            let _ = writeln!(all, "{key}={value:?}");
        }
        digest(&SHA256, all.as_bytes())
            .as_ref()
            .iter()
            .fold(String::new(), |text, octet| text + &format!("{octet:02x}"))
    }

    /// As a JSON object.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!(self.0)
    }

    /// From what [`Self::to_json`] makes; values that are no text are left out.
    #[must_use]
    pub fn from_json(value: &Value) -> Self {
        let pairs = value.as_object().into_iter().flatten();
        pairs.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
    }
}

impl FromIterator<(String, String)> for ConfigurationKeys {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}

impl RunningConfiguration {
    /// The keys that were read from a file, and how it is read again.
    #[must_use]
    pub fn new(file: PathBuf, keys: ConfigurationKeys, read_again: ReadAgain) -> Self {
        Self { file, keys: Mutex::new(keys), read_again }
    }

    /// The service uses other keys from now on.
    pub fn replace(&self, keys: ConfigurationKeys) {
        *self.keys.lock().unwrap_or_else(PoisonError::into_inner) = keys;
    }

    /// The keys in use.
    #[must_use]
    pub fn keys(&self) -> ConfigurationKeys {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// For `restante status`: whether the file has changed since it was read, in which keys, or why that is not known.
    /// The file is read, so it may block.
    pub(super) fn describe(&self) -> Value {
        let keys = self.keys();
        let (file, digest) = (self.file.display().to_string(), keys.digest());
        match (self.read_again)() {
            Ok(now) => json!({ "file": file, "digest": digest, "changed": keys.differences(&now), "reason": null }),
            Err(fault) => json!({ "file": file, "digest": digest, "changed": null, "reason": fault.to_string() }),
        }
    }
}

impl Startup {
    /// The confinement, for `restante status`.
    pub(super) fn describe_confinement(&self) -> Value {
        json!({ "enforced": self.confinement.level().to_string(), "reason": self.confinement.reason() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(pairs: &[(&str, &str)]) -> ConfigurationKeys {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn keys_differ_where_one_has_another_value_or_none() {
        let one = keys(&[("hostname", "a"), ("log.level", "warn"), ("user", "vmail")]);
        let other = keys(&[("cache.found", "1m"), ("hostname", "b"), ("user", "vmail")]);
        assert_eq!(one.differences(&other), BTreeSet::from(["cache.found", "hostname", "log.level"]));
        assert_eq!(one.differences(&one), BTreeSet::new());
        assert_eq!(ConfigurationKeys::from_json(&one.to_json()), one);
        assert_eq!(one.digest(), one.clone().digest());
        assert_ne!(one.digest(), other.digest());
        assert_eq!(one.digest().len(), 64);
    }

    #[test]
    fn a_file_that_has_changed_or_cannot_be_read_is_reported() {
        let running = |read_again: ReadAgain| RunningConfiguration::new("/x".into(), keys(&[("a", "1")]), read_again);
        let changed = running(Box::new(|| Ok(keys(&[("a", "2")]))));
        assert_eq!(changed.describe()["changed"], json!(["a"]));
        changed.replace(keys(&[("a", "2")]));
        assert_eq!(changed.describe()["changed"], json!([]));
        let lost = running(Box::new(|| Err("it is gone".into())));
        assert_eq!((&lost.describe()["changed"], &lost.describe()["reason"]), (&Value::Null, &json!("it is gone")));
    }
}

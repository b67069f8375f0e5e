//! The running service, asked over its admin socket: is it there, and does it use this configuration?

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use serde_json::{Value, json};

use crate::admin::{self, AdminCommand, ConfigurationKeys};
use crate::cli::admin_client::{AskFault, ask};
use crate::config;

/// The listeners of a configuration that names none.
const USUAL: [&str; 2] = ["[::]:110", "[::]:995"];

/// Keys named in one sentence.
const NAMED: usize = 10;

/// What is known about the running service.
pub(super) enum FoundService {
    /// It cannot be asked: the configuration has no admin socket.
    NoSocket,
    /// Nobody answers at the admin socket.
    NotRunning,
    /// It did not answer, for a reason.
    Unknown(String),
    /// It answered.
    Answered { pid: Option<u32>, version: String, since: String, keys: ConfigurationKeys },
}

impl FoundService {
    pub(super) fn ask(settings: Option<&admin::Settings>) -> Self {
        let Some(settings) = settings else { return Self::NoSocket };
        let answer = match ask(&settings.socket, &AdminCommand::Configuration) {
            Ok(answer) => answer,
            Err(AskFault::NotRunning(_)) => return Self::NotRunning,
            Err(fault) => return Self::Unknown(fault.to_string()),
        };
        let Ok(told) = serde_json::from_str::<Value>(&answer.sentence) else {
            return Self::Unknown("its answer cannot be read".to_owned());
        };
        let text = |key: &str| told.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let keys = told.get("keys").map(ConfigurationKeys::from_json).unwrap_or_default();
        Self::Answered { pid: answer.pid, version: text("version"), since: text("since"), keys }
    }

    /// Its process.
    pub(super) fn pid(&self) -> Option<u32> {
        match self {
            Self::Answered { pid, .. } => *pid,
            _ => None,
        }
    }

    /// Its limit of open files; none if unknown or unlimited.
    pub(super) fn open_files(&self) -> Option<u64> {
        let limits = fs::read_to_string(format!("/proc/{}/limits", self.pid()?)).ok()?;
        let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
        line.split_ascii_whitespace().nth(1)?.parse().ok()
    }

    /// Whether it has a listener with this address, or answers HTTP there.
    pub(super) fn listens_at(&self, address: SocketAddr) -> bool {
        let Self::Answered { keys, .. } = self else { return false };
        let own = |(key, value): (&str, &str)| {
            let names_address = key == "admin.http" || key.starts_with("listeners[") && key.ends_with("].address");
            value.trim_matches('"').parse().ok().filter(|_| names_address)
        };
        let mut all: Vec<SocketAddr> = keys.iter().filter_map(own).collect();
        if !keys.iter().any(|(key, _)| key.starts_with("listeners[")) {
            all.extend(USUAL.iter().filter_map(|address| address.parse::<SocketAddr>().ok()));
        }
        all.contains(&address)
    }

    /// The keys whose values differ from those of a file; none if it does not run, or cannot be asked.
    fn changed(&self, file: &Path) -> Option<Vec<String>> {
        let Self::Answered { keys, .. } = self else { return None };
        let own = config::keys(file).ok()?;
        Some(keys.differences(&own).into_iter().map(str::to_owned).collect())
    }

    /// What to note about it, and what is in order.
    pub(super) fn describe(&self, file: &Path) -> (Vec<String>, Option<String>) {
        let Self::Answered { version, since, .. } = self else { return self.describe_absence() };
        let mut notes = Vec::new();
        if version != env!("CARGO_PKG_VERSION") {
            notes.push(format!(
                "service: version {version} is running, and this is version {}: restart the service",
                env!("CARGO_PKG_VERSION")
            ));
        }
        let changed = self.changed(file).unwrap_or_default();
        if changed.is_empty() {
            return (notes, Some(format!("service: running since {since} with this configuration")));
        }
        let named = changed.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
        let more = if changed.len() > NAMED { format!(" and {} more", changed.len() - NAMED) } else { String::new() };
        notes.push(format!(
            "service: running since {since} with another configuration, which differs in {named}{more}: restart the \
             service to use this one"
        ));
        (notes, None)
    }

    fn describe_absence(&self) -> (Vec<String>, Option<String>) {
        match self {
            Self::Unknown(why) => (vec![format!("service: it cannot be asked for its configuration: {why}")], None),
            Self::NotRunning => (Vec::new(), Some("service: not running".to_owned())),
            _ => (Vec::new(), Some("service: not asked, since the configuration has no admin.socket".to_owned())),
        }
    }

    /// For JSON.
    pub(super) fn to_json(&self, file: &Path) -> Value {
        match self {
            Self::NoSocket => Value::Null,
            Self::NotRunning => json!({ "running": false }),
            Self::Unknown(reason) => json!({ "running": null, "reason": reason }),
            Self::Answered { pid, version, since, .. } => json!({
                "running": true, "process": pid, "version": version, "since": since, "changed": self.changed(file),
            }),
        }
    }
}

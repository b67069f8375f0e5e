//! `restante status`: the state of the running service.

use std::fmt::Write as _;

use serde_json::Value;

use super::admin_client::AdminClient;
use super::layout::columns_of;
use super::{ExitStatus, sanitized};
use crate::admin::AdminCommand;

#[allow(clippy::print_stdout, reason = "the result of the command")]
pub(super) fn status(service: &AdminClient, json: bool) -> ExitStatus {
    let status = match service.send_for_data(&AdminCommand::Status) {
        Ok(status) => status,
        Err(ended) => return ended,
    };
    if json {
        println!("{status:#}");
    } else {
        print!("{}", text(&status));
    }
    let is_ready = status.get("ready").and_then(Value::as_bool).unwrap_or(false);
    if is_ready { ExitStatus::Success } else { ExitStatus::ProblemFound }
}

fn text(status: &Value) -> String {
    let of = |path: &str| shown(status.pointer(path));
    let mut text = String::new();
    let readiness = match status.get("reason").and_then(Value::as_str) {
        None => "ready".to_owned(),
        Some(reason) => format!("not ready: {}", sanitized(reason)),
    };
    let _ = writeln!(text, "{readiness}; version {}, running since {}", of("/version"), of("/since"));
    let _ = writeln!(text, "sessions: {} now, {} since the start", of("/sessions/current"), of("/sessions/total"));
    let _ = writeln!(
        text,
        "last hour: {} logins, {} refused, {} not possible; lock-outs in force: {}",
        of("/last_hour/accepted"),
        of("/last_hour/refused"),
        of("/last_hour/impossible"),
        of("/lockouts")
    );
    let _ = writeln!(text, "configuration: {}", configuration(status));
    let _ = writeln!(text, "confinement by Landlock: {}", confinement(status));
    let mut rows = Vec::new();
    for directory in items(status, "directories") {
        for server in items(directory, "servers") {
            let is_up = server.get("up").and_then(Value::as_bool).unwrap_or(false);
            let state = if is_up { "in use" } else { "does not answer" };
            rows.push([
                format!("directory {}", shown(directory.get("name"))),
                shown(server.get("url")),
                state.to_owned(),
            ]);
        }
    }
    for host in items(status, "relay") {
        let (name, sessions) = (shown(host.get("host")), shown(host.get("sessions")));
        rows.push([format!("host {name}"), format!("sessions: {sessions}"), String::new()]);
        for failing in items(host, "failing") {
            rows.push([
                format!("host {}", shown(failing.get("host"))),
                "failed".to_owned(),
                shown(failing.get("reason")),
            ]);
        }
    }
    for certificate in items(status, "certificates") {
        let days = format!("days left: {}", shown(certificate.get("days")));
        rows.push([format!("certificate {}", shown(certificate.get("name"))), shown(certificate.get("file")), days]);
    }
    for cache in items(status, "caches") {
        let (hits, misses) = (shown(cache.get("hits")), shown(cache.get("misses")));
        let entries = cache.get("entries").and_then(Value::as_i64);
        let entries = entries.map_or_else(|| "-".to_owned(), |entries| format!("entries: {entries}"));
        rows.push([format!("cache {}", shown(cache.get("cache"))), entries, format!("hits: {hits}, misses: {misses}")]);
    }
    text + &columns_of(&rows)
}

/// Whether the configuration file is the one that the service uses.
fn configuration(status: &Value) -> String {
    let file = shown(status.pointer("/configuration/file"));
    if let Some(reason) = status.pointer("/configuration/reason").and_then(Value::as_str) {
        return format!("the service cannot read {file} any more: {}", sanitized(reason));
    }
    let changed = status.pointer("/configuration/changed").and_then(Value::as_array);
    let keys: Vec<String> = changed.into_iter().flatten().map(|key| shown(Some(key))).collect();
    match (changed, keys.is_empty()) {
        (None, _) => "unknown: the service is of another version".to_owned(),
        (_, true) => format!("as in {file}"),
        (_, false) => format!("{file} has changed since the service read it: {}", keys.join(", ")),
    }
}

fn confinement(status: &Value) -> String {
    let enforced = shown(status.pointer("/landlock/enforced"));
    match status.pointer("/landlock/reason").and_then(Value::as_str) {
        Some(reason) => format!("{enforced} ({})", sanitized(reason)),
        None => enforced,
    }
}

fn items<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn shown(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => sanitized(text),
        Some(value) => value.to_string(),
        None => "-".to_owned(),
    }
}

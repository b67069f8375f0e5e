//! `restante who`: the sessions of the running service.

use std::io::{self, Write};
use std::time::Duration;

use serde_json::Value;

use super::admin_client::AdminClient;
use super::layout::{columns_of, counted};
use super::{ExitStatus, report_error, sanitized};
use crate::admin::AdminCommand;

/// What `restante who` lists, and how.
pub(super) struct WhoOptions<'o> {
    pub(super) person: Option<&'o str>,
    pub(super) json: bool,
    pub(super) watch: bool,
}

/// How often the list is renewed.
const EVERY: Duration = Duration::from_secs(2);

/// Clears a terminal, and begins at its top.
const CLEAR: &str = "\u{1b}[2J\u{1b}[H";

const HEADS: [&str; 8] = ["SESSION", "PERSON", "ADDRESS", "LISTENER", "SECONDS", "STATE", "TLS", "HOST"];

pub(super) fn who(service: &AdminClient, options: &WhoOptions<'_>) -> ExitStatus {
    let command = match AdminCommand::parse(&format!("who {}", options.person.unwrap_or_default())) {
        Ok(command) => command,
        Err(fault) => {
            report_error(&fault);
            return ExitStatus::UsageError;
        }
    };
    loop {
        let sessions = match service.send_for_data(&command) {
            Ok(sessions) => sessions,
            Err(ended) => return ended,
        };
        // A reader that is gone has seen enough.
        if show(&sessions, options).is_err() || !options.watch {
            return ExitStatus::Success;
        }
        std::thread::sleep(EVERY);
    }
}

fn show(sessions: &Value, options: &WhoOptions<'_>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if options.json {
        // One line for each list, where there are several.
        return if options.watch { writeln!(out, "{sessions}") } else { writeln!(out, "{sessions:#}") };
    }
    if options.watch && rustix::termios::isatty(&out) {
        write!(out, "{CLEAR}")?;
    }
    out.write_all(table(sessions.as_array().map_or(&[], Vec::as_slice)).as_bytes())
}

fn table(sessions: &[Value]) -> String {
    let mut rows = vec![HEADS.map(str::to_owned)];
    for session in sessions {
        let text = |key: &str| match session.get(key) {
            Some(Value::String(text)) => sanitized(text),
            Some(Value::Number(number)) => number.to_string(),
            _ => "-".to_owned(),
        };
        rows.push(["session", "person", "peer", "listener", "seconds", "state", "tls", "host"].map(text));
    }
    format!("{}{}\n", columns_of(&rows), counted(sessions.len(), "session"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::table;

    #[test]
    fn columns_are_as_wide_as_their_longest_value() {
        let session = |id: &str, person: Option<&str>| {
            json!({
                "session": id, "person": person, "peer": "192.0.2.7:40112", "listener": "[::]:995",
                "seconds": 7, "state": "transaction", "tls": "TLS 1.3",
            })
        };
        let shown = table(&[session("6a1b-1", Some("ajones\u{1b}[2J")), session("6a1b-20", None)]);
        let lines: Vec<&str> = shown.lines().collect();
        assert!(lines[0].starts_with("SESSION  PERSON      ADDRESS "), "{shown}");
        assert!(lines[1].starts_with("6a1b-1   ajones\u{fffd}[2J  192.0.2.7:40112  [::]:995  7 "), "{shown}");
        assert!(lines[2].starts_with("6a1b-20  -           192.0.2.7:40112"), "{shown}");
        assert_eq!(lines[3], "2 sessions");
    }
}

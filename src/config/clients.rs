//! `hostname`, `language`, `refusal_step`, `limits`, `log`: how one client is treated, and the log.

use std::time::Duration;

use rustix::system::uname;

use super::mailboxes;
use super::section::Section;
use super::tree::quoted;
use crate::connection;
use crate::identity::RetentionPolicy;
use crate::logging;
use crate::pop3::{Expire, Language};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);

/// The settings of a connection.
pub(super) fn connection(root: &Section<'_>, retention: &RetentionPolicy) -> connection::Settings {
    connection::Settings {
        hostname: hostname(root),
        refusal_step: root.duration("refusal_step", Duration::from_secs(1), Duration::ZERO..=MINUTE),
        file_deadline: root.section("mailboxes").duration(
            "deadline",
            Duration::from_secs(30),
            Duration::from_secs(1)..=10 * MINUTE,
        ),
        expire: expire(retention),
        sessions: mailboxes::sessions(&root.section("mailboxes")),
        limits: limits(&root.section("limits")),
        language: root.word("language", Language::English, &[("en", Language::English), ("de", Language::German)]),
    }
}

/// The EXPIRE capability before login.
fn expire(retention: &RetentionPolicy) -> Expire {
    match retention.shortest().map(|expiry| expiry.days()) {
        Some(days) if retention.by_person.is_some() => Expire::DaysByUser(days),
        days => Expire::after(days),
    }
}

/// The machine's own name if none is configured.
fn hostname(root: &Section<'_>) -> String {
    let configured = root.parsed("hostname", host);
    if root.get("hostname").is_some() {
        return configured.unwrap_or_default();
    }
    // Not from /proc/sys, which a hardened unit hides.
    let own = uname();
    host(&own.nodename().to_string_lossy()).unwrap_or_else(|_| {
        root.fault_at(
            root.place_of("hostname"),
            "hostname is missing, and the machine's own is not a host name; expected a name such as mail.example.org",
        );
        String::new()
    })
}

pub(super) fn host(name: &str) -> Result<String, String> {
    let is_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    if name.is_empty() || name.len() > 253 || !name.chars().all(is_host) {
        return Err(format!("{} is not a host name; expected a name such as mail.example.org", quoted(name)));
    }
    Ok(name.to_owned())
}

fn limits(section: &Section<'_>) -> connection::SessionLimits {
    let default = connection::SessionLimits::default();
    let seconds = Duration::from_secs;
    connection::SessionLimits {
        tls_handshake: section.duration("tls_handshake", default.tls_handshake, seconds(1)..=10 * MINUTE),
        login: section.duration("login", default.login, seconds(10)..=HOUR),
        // "Such a timer MUST be of at least 10 minutes' duration." (RFC 1939 §3)
        idle: section.duration("idle", default.idle, 10 * MINUTE..=24 * HOUR),
        slow_reader: section.duration("slow_reader", default.slow_reader, seconds(1)..=HOUR),
        wrong_commands: small(section, "wrong_commands", default.wrong_commands),
        refused_logins: small(section, "refused_logins", default.refused_logins),
        command_line: octets(section, "command_line", default.command_line),
    }
}

fn small(section: &Section<'_>, key: &str, default: u32) -> u32 {
    u32::try_from(section.count(key, u64::from(default), 1..=10_000)).unwrap_or(default)
}

/// RFC 2449 §4 requires room for command lines of 255 octets.
fn octets(section: &Section<'_>, key: &str, default: usize) -> usize {
    usize::try_from(section.octets(key, default as u64, 255..=65_536)).unwrap_or(default)
}

/// How the log is written.
pub(super) fn logging(root: &Section<'_>) -> logging::Settings {
    use tracing::Level;
    let log = root.section("log");
    let levels = [("error", Level::ERROR), ("warn", Level::WARN), ("info", Level::INFO), ("debug", Level::DEBUG)];
    logging::Settings {
        format: log.word(
            "format",
            logging::Format::Text,
            &[("text", logging::Format::Text), ("json", logging::Format::Json)],
        ),
        level: log.word("level", Level::INFO, &levels),
    }
}

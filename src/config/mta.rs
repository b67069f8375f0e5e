//! `sasl_service`, `socketmap`: the sockets on which mail transfer agents ask.

use std::time::Duration;

use super::admin::{mode, socket_path};
use super::paths::Base;
use super::section::Section;
use super::tree::quoted;
use crate::mta::{MtaSettings, SocketSettings, SocketmapSettings};

/// Its owner and its group.
const MODE: u32 = 0o660;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What mail transfer agents may ask.
pub(super) fn read(root: &Section<'_>, base: &Base) -> MtaSettings {
    let (sasl, socketmap) = (root.section("sasl_service"), root.section("socketmap"));
    let settings = MtaSettings { sasl: socket(&sasl, base), socketmap: self::socketmap(&socketmap, base) };
    if let (Some(sasl), Some(tables)) = (&settings.sasl, &settings.socketmap)
        && sasl.path == tables.socket.path
    {
        let what = "is the socket of sasl_service already; expected another path";
        socketmap.fault("socket", socketmap.place_of("socket"), what);
    }
    settings
}

/// The socket of a section; none if it has no path.
fn socket(section: &Section<'_>, base: &Base) -> Option<SocketSettings> {
    let path = section.parsed("socket", |path| socket_path(path, base));
    let mode = section.parsed("mode", mode).unwrap_or(MODE);
    if mode != MODE {
        needs_socket(section, "mode");
    }
    Some(SocketSettings { path: path?, mode })
}

fn socketmap(section: &Section<'_>, base: &Base) -> Option<SocketmapSettings> {
    let recipient_delimiter = section.parsed("recipient_delimiter", delimiters);
    if recipient_delimiter.is_some() {
        needs_socket(section, "recipient_delimiter");
    }
    let pop_before_smtp = section.duration("pop_before_smtp", Duration::ZERO, Duration::ZERO..=DAY);
    if !pop_before_smtp.is_zero() {
        needs_socket(section, "pop_before_smtp");
    }
    let recipient_delimiter = recipient_delimiter.unwrap_or_default();
    Some(SocketmapSettings { socket: socket(section, base)?, recipient_delimiter, pop_before_smtp })
}

fn needs_socket(section: &Section<'_>, key: &str) {
    if section.get("socket").is_none() {
        section.fault(
            key,
            section.place_of(key),
            "has no effect without socket; expected that key as well, or neither",
        );
    }
}

fn delimiters(text: &str) -> Result<String, String> {
    let is_delimiter = |c: char| c.is_ascii_punctuation() && !matches!(c, '@' | '"' | '\\');
    if text.len() > 4 || !text.chars().all(is_delimiter) {
        let right = "expected what recipient_delimiter of Postfix has, such as \"+\"";
        return Err(format!("{} is not a delimiter; {right}", quoted(text)));
    }
    Ok(text.to_owned())
}

//! How the log is written: to standard error, a line for each event, as text or JSON.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Form and depth of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// For people or for machines.
    pub format: Format,
    /// The least weighty line that is written.
    pub level: tracing::Level,
}

/// The form of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One line of text.
    Text,
    /// One JSON object a line.
    Json,
}

/// Begins to write the log. Panics are logged too, where they happened.
///
/// # Errors
/// A log is being written already.
pub fn start(settings: Settings) -> Result<(), String> {
    // The LDAP library's finer lines would hold what it sends, passwords among it.
    let filter = EnvFilter::new(format!("{},ldap3=error,lber=error,rustls=error", settings.level));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false);
    let started = match settings.format {
        Format::Text => lines.try_init(),
        Format::Json => lines.json().flatten_event(true).try_init(),
    };
    started.map_err(|fault| fault.to_string())?;
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        // Not the message: it may hold what a client sent.
        tracing::error!(place, "internal error: panic");
    }));
    Ok(())
}

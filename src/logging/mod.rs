//! How the log is written: to standard error, a line for each event, as text or JSON.

mod lines;

use std::io::IsTerminal;
use std::time::Duration;

use tracing_subscriber::EnvFilter;

use self::lines::LogQueue;

/// Format and minimum level of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// For people or for machines.
    pub format: Format,
    /// The minimum level.
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

/// The log. Dropping it writes the buffered lines.
#[must_use]
pub struct Log(LogQueue);

impl Log {
    /// Starts the thread that writes the log, so that nothing waits for its reader. Lines below a warning may be delayed by
    /// 50 ms, so that many are written with one system call, unless they go to a terminal. Call it after the user was
    /// changed, which affects the calling thread only.
    ///
    /// # Errors
    /// No thread can be started.
    pub fn gather(&self) -> std::io::Result<()> {
        self.0.gather(if std::io::stderr().is_terminal() { Duration::ZERO } else { LogQueue::KEEP })
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.0.flush();
    }
}

/// Begins to write the log. Panics are logged too, with their location.
///
/// # Errors
/// The log was started before.
pub fn start(settings: Settings) -> Result<Log, String> {
    // The LDAP library's debug lines would contain what it sends, including passwords.
    let filter = EnvFilter::new(format!("{},ldap3=error,lber=error,rustls=error", settings.level));
    let lines = LogQueue::to(std::io::stderr());
    let format = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(lines.clone())
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false);
    let started = match settings.format {
        Format::Text => format.try_init(),
        Format::Json => format.json().flatten_event(true).try_init(),
    };
    started.map_err(|fault| fault.to_string())?;
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        // Not the message, which may contain what a client sent.
        tracing::error!(place, "internal error: panic");
    }));
    Ok(Log(lines))
}

//! How the log is written: to standard error, a line for each event, as text or JSON.

mod journal;
mod json;
mod lines;
mod text;

use std::io::IsTerminal;
use std::time::Duration;

use tracing::{Dispatch, Event};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use self::journal::PriorityLine;
use self::json::JsonLine;
use self::lines::LogQueue;
use self::text::TextLine;

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
    let lines = LogQueue::to(std::io::stderr());
    writing(settings, lines.clone(), LogDestination::of_stderr()).try_init().map_err(|fault| fault.to_string())?;
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        // Not the message, which may contain what a client sent.
        tracing::error!(name: "internal_error_panic", place, "internal error: panic");
    }));
    Ok(Log(lines))
}

/// Where the log goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LogDestination {
    /// To a person: in colours.
    Terminal,
    /// To the systemd journal, which knows the time and asks for a priority.
    Journal,
    /// To a file or another program.
    Other,
}

impl LogDestination {
    fn of_stderr() -> Self {
        let stderr = std::io::stderr();
        match std::env::var_os("JOURNAL_STREAM") {
            _ if stderr.is_terminal() => Self::Terminal,
            variable if journal::leads_there(variable.as_deref(), &stderr) => Self::Journal,
            _ => Self::Other,
        }
    }
}

/// What writes events to `lines`.
fn writing(settings: Settings, lines: LogQueue, destination: LogDestination) -> Dispatch {
    // The LDAP library's debug lines would contain what it sends, including passwords.
    let libraries = ["ldap3", "lber", "rustls"].map(|library| (library, LevelFilter::ERROR));
    let filter = Targets::new().with_default(settings.level).with_targets(libraries);
    let is_terminal = destination == LogDestination::Terminal;
    let format = tracing_subscriber::fmt().with_max_level(settings.level);
    let format = format.with_writer(lines).with_ansi(is_terminal).with_target(false);
    match (settings.format, destination) {
        (Format::Text, LogDestination::Journal) => {
            format.event_format(PriorityLine(TextLine { has_time: false })).finish().with(filter).into()
        }
        (Format::Text, _) => format.event_format(TextLine { has_time: true }).finish().with(filter).into(),
        (Format::Json, LogDestination::Journal) => {
            let line = |line| PriorityLine(JsonLine(line));
            format.json().flatten_event(true).map_event_format(line).finish().with(filter).into()
        }
        (Format::Json, _) => format.json().flatten_event(true).map_event_format(JsonLine).finish().with(filter).into(),
    }
}

/// The name of an event of ours. Those of libraries have none: `tracing` then names them by their place in the source.
fn event_name(event: &Event<'_>) -> Option<&'static str> {
    Some(event.metadata().name()).filter(|name| !name.contains(' '))
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use tokio::task::spawn_blocking;
    use tracing::dispatcher;

    use super::*;
    use crate::session_id::{SessionId, in_session};

    /// What was written.
    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Written {
        fn take(&self) -> String {
            String::from_utf8(std::mem::take(&mut self.0.lock().unwrap())).unwrap()
        }
    }

    impl Write for Written {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(octets)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_line_from_another_thread_has_the_session_that_it_is_about() {
        for (format, without, with) in [
            (Format::Text, " WARN one event=one file=\"a b\"\n", " WARN one event=one file=\"a b\" session=ID\n"),
            (
                Format::Json,
                "\"event\":\"one\",\"message\":\"one\",\"file\":\"a b\"}\n",
                "\"event\":\"one\",\"message\":\"one\",\"file\":\"a b\",\"session\":\"ID\"}\n",
            ),
        ] {
            let written = Written::default();
            let settings = Settings { format, level: tracing::Level::INFO };
            let log = writing(settings, LogQueue::to(written.clone()), LogDestination::Other);
            let write = move || dispatcher::with_default(&log, || tracing::warn!(name: "one", file = "a b", "one"));
            spawn_blocking(in_session(write.clone())).await.unwrap();
            let line = written.take();
            assert!(line.ends_with(without), "{line}");
            let id = SessionId::fresh();
            id.of(async { spawn_blocking(in_session(write)).await }).await.unwrap();
            let line = written.take();
            assert!(line.ends_with(&with.replace("ID", &id.to_string())), "{line}");
        }
    }
}

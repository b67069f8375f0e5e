//! Lines of text: the time, the level, what happened, the event's name, its fields, and the session that it is about.

use std::fmt::{self, Debug};

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::field::{VisitFmt as _, VisitOutput as _};
use tracing_subscriber::fmt::format::{DefaultVisitor, Writer};
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use super::event_name;
use crate::session_id::SessionId;

/// A terminal's code for faint letters (ECMA-48, 8.3.117).
const FAINT: u8 = 2;

/// A line of text.
pub(super) struct TextLine {
    /// Whether it begins with the time.
    pub(super) has_time: bool,
}

impl<S, N> FormatEvent<S, N> for TextLine
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        if self.has_time {
            let mut time = String::new();
            SystemTime.format_time(&mut Writer::new(&mut time))?;
            paint(&mut writer, FAINT, &time)?;
            writer.write_char(' ')?;
        }
        let level = *event.metadata().level();
        paint(&mut writer, colour(level), &format!("{level:>5}"))?;
        writer.write_char(' ')?;
        let fields = DefaultVisitor::new(writer.by_ref(), true);
        let mut visitor = TextVisitor { fields, name: event_name(event), result: Ok(()) };
        event.record(&mut visitor);
        visitor.finish()?;
        if let Some(session) = SessionId::current() {
            write!(writer, " session={session}")?;
        }
        writeln!(writer)
    }
}

/// Writes the text of an event and its fields, with the event's name as the first one.
struct TextVisitor<'a> {
    fields: DefaultVisitor<'a>,
    name: Option<&'static str>,
    result: fmt::Result,
}

impl TextVisitor<'_> {
    fn finish(self) -> fmt::Result {
        self.result.and(self.fields.finish())
    }
}

impl Visit for TextVisitor<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.fields.record_str(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.fields.record_debug(field, value);
        // The text is recorded before any field.
        if let Some(name) = self.name.filter(|_| field.name() == "message") {
            self.result = write!(self.fields.writer(), " event={name}");
        }
    }
}

/// Writes text in a colour, or faint, where a terminal shows it.
fn paint(writer: &mut Writer<'_>, code: u8, text: &str) -> fmt::Result {
    if writer.has_ansi_escapes() { write!(writer, "\x1b[{code}m{text}\x1b[0m") } else { writer.write_str(text) }
}

/// The colour of a level: red, yellow, green or blue.
fn colour(level: Level) -> u8 {
    match level {
        Level::ERROR => 31,
        Level::WARN => 33,
        Level::INFO => 32,
        _ => 34,
    }
}

//! Lines of JSON: the object of `tracing_subscriber`, and in it what the log adds to every line.

use std::fmt;

use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use super::event_name;
use crate::session_id::SessionId;

/// What stands before the text of an event.
const BEFORE_TEXT: &str = ",\"message\":";

/// A line of JSON as `F` writes it, with the event's name before its text, and at the end the session that it is about.
pub(super) struct JsonLine<F>(pub(super) F);

impl<S, N, F> FormatEvent<S, N> for JsonLine<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut line = String::new();
        self.0.format_event(context, Writer::new(&mut line), event)?;
        let fields = line.trim_end().strip_suffix('}').ok_or(fmt::Error)?;
        match (fields.split_once(BEFORE_TEXT), event_name(event)) {
            (Some((head, rest)), Some(name)) => write!(writer, "{head},\"event\":\"{name}\"{BEFORE_TEXT}{rest}")?,
            _ => writer.write_str(fields)?,
        }
        if let Some(session) = SessionId::current() {
            write!(writer, ",\"session\":\"{session}\"")?;
        }
        writeln!(writer, "}}")
    }
}

//! Lines for the systemd journal: each begins with its priority.

use std::ffi::OsStr;
use std::fmt;
use std::fs::File;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt as _;

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// Whether a stream leads to the journal. `$JOURNAL_STREAM` has its device and inode, so that a program whose output was
/// sent elsewhere notices (systemd.exec(5)).
pub(super) fn leads_there(variable: Option<&OsStr>, stream: impl AsFd) -> bool {
    let named = variable.and_then(OsStr::to_str).and_then(|text| text.split_once(':'));
    let Some((Ok(device), Ok(inode))) = named.map(|(device, inode)| (device.parse::<u64>(), inode.parse::<u64>()))
    else {
        return false;
    };
    let metadata = stream.as_fd().try_clone_to_owned().and_then(|stream| File::from(stream).metadata());
    metadata.is_ok_and(|metadata| (metadata.dev(), metadata.ino()) == (device, inode))
}

/// A line as `F` writes it, behind its priority (sd-daemon(3)).
pub(super) struct PriorityLine<F>(pub(super) F);

impl<S, N, F> FormatEvent<S, N> for PriorityLine<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        write!(writer, "<{}>", priority(*event.metadata().level()))?;
        self.0.format_event(context, writer, event)
    }
}

/// The priority of a level, as syslog(3) numbers them.
fn priority(level: Level) -> u8 {
    match level {
        Level::ERROR => 3,
        Level::WARN => 4,
        Level::INFO => 6,
        _ => 7,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_stream_that_the_variable_names_leads_to_the_journal() {
        let (stream, other) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
        let of = |file: &File| file.metadata().map(|it| format!("{}:{}", it.dev(), it.ino())).unwrap();
        assert!(leads_there(Some(of(&stream).as_ref()), &stream));
        assert!(!leads_there(Some(of(&other).as_ref()), &stream));
        for wrong in ["", ":", "1", "1:", "a:b", "1:2:3"] {
            assert!(!leads_there(Some(wrong.as_ref()), &stream), "{wrong}");
        }
        assert!(!leads_there(None, &stream));
    }
}

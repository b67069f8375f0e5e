//! How the log is written.

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

//! The text formats that Prometheus reads.

use prometheus_client::encoding::{prometheus_text, text};
use prometheus_client::registry::Registry;

/// A format of all metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpositionFormat {
    /// Prometheus' own text format, version 0.0.4.
    PrometheusText,
    /// `OpenMetrics`, version 1.0.0.
    OpenMetrics,
}

impl ExpositionFormat {
    /// The format for the `Accept` of a request: `OpenMetrics` only where it is asked for.
    #[must_use]
    pub fn accepted(accept: &str) -> Self {
        let of_range = |range: &str| {
            let mut parts = range.split(';').map(str::trim);
            let is_open = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/openmetrics-text"));
            let is_refused = parts.any(|part| part.strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0)));
            is_open && !is_refused
        };
        if accept.split(',').any(of_range) { Self::OpenMetrics } else { Self::PrometheusText }
    }

    /// The value of `Content-Type`.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::PrometheusText => prometheus_text::CONTENT_TYPE,
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    pub(super) fn encode(self, registry: &Registry) -> String {
        let mut written = String::new();
        // Writing to a String cannot fail.
        let _ = match self {
            Self::PrometheusText => prometheus_text::encode(&mut written, registry),
            Self::OpenMetrics => text::encode(&mut written, registry),
        };
        written
    }
}

//! What a metric looks like.

use std::borrow::Cow;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;

/// Names of labels with words of this program.
pub(super) type Words<const N: usize> = [(&'static str, &'static str); N];

/// Names of labels with texts of the configuration.
pub(super) type Configured<const N: usize> = [(&'static str, Cow<'static, str>); N];

/// Counters that are distinguished by words of this program.
pub(super) type CounterFamily<const N: usize> = Family<Words<N>, Counter>;

/// The buckets of times from a directory or a disk: 0.5 ms to 30 s.
const SECONDS: [f64; 12] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

/// A histogram of seconds.
pub(super) fn seconds() -> Histogram {
    Histogram::new(SECONDS)
}

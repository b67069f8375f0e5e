//! Hosts that could not be reached: for a short time they are not tried again, so that a dead host holds up nobody.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The most hosts remembered. Only hosts that the configuration allows get here; of a pattern, there may be many.
const MOST: usize = 10_000;

/// When each host that failed last may be tried again.
#[derive(Clone, Default)]
pub(super) struct BackOff(Arc<Mutex<HashMap<String, Failure>>>);

struct Failure {
    retry_at: Instant,
    reason: String,
}

impl BackOff {
    /// Why a host may not be tried now: the reason of its last failure. When the time is over, one login tries it, and the
    /// others wait for the result of that for as long again.
    pub(super) fn blocks(&self, host: &str, now: Instant, retry_after: Duration) -> Option<String> {
        let mut failures = self.failures();
        let failure = failures.get_mut(host)?;
        if now < failure.retry_at {
            return Some(failure.reason.clone());
        }
        failure.retry_at = now + retry_after;
        None
    }

    /// A host could not be reached.
    pub(super) fn failed(&self, host: &str, reason: &str, now: Instant, retry_after: Duration) {
        let mut failures = self.failures();
        if failures.len() >= MOST {
            failures.retain(|_, failure| now < failure.retry_at);
        }
        if failures.len() < MOST && !retry_after.is_zero() {
            failures.insert(host.to_owned(), Failure { retry_at: now + retry_after, reason: reason.to_owned() });
        }
    }

    /// A host could be reached.
    pub(super) fn succeeded(&self, host: &str) {
        self.failures().remove(host);
    }

    /// The hosts that failed last, each with the reason, in the order of their names.
    pub(super) fn list(&self) -> Vec<(String, String)> {
        let mut list: Vec<(String, String)> =
            self.failures().iter().map(|(host, failure)| (host.clone(), failure.reason.clone())).collect();
        list.sort();
        list
    }

    fn failures(&self) -> MutexGuard<'_, HashMap<String, Failure>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AFTER: Duration = Duration::from_secs(5);

    #[test]
    fn after_a_failure_one_login_at_a_time_tries_the_host_again() {
        let (back_off, start) = (BackOff::default(), Instant::now());
        let blocks = |seconds| back_off.blocks("a", start + Duration::from_secs(seconds), AFTER);
        assert_eq!(blocks(0), None);
        back_off.failed("a", "refused", start, AFTER);
        assert_eq!(blocks(4), Some("refused".to_owned()));
        assert_eq!(back_off.blocks("b", start, AFTER), None);
        assert_eq!((blocks(5), blocks(5)), (None, Some("refused".to_owned())));
        assert_eq!(back_off.list(), [("a".to_owned(), "refused".to_owned())]);
        back_off.succeeded("a");
        assert_eq!((blocks(5), back_off.list()), (None, vec![]));
    }

    #[test]
    fn without_a_time_each_login_tries() {
        let (back_off, start) = (BackOff::default(), Instant::now());
        back_off.failed("a", "refused", start, Duration::ZERO);
        assert_eq!(back_off.blocks("a", start, Duration::ZERO), None);
    }
}

//! Lanes for calls that may block: one for each file system that is not this machine's own.
//!
//! Where a server or a user-space driver does not answer, every call hangs, for ever if need be. So those on such a file
//! system share a bounded number of threads, and nobody waits longer than the deadline: neither the other sessions nor
//! the other file systems notice.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::maildir::FileSystem;

/// Calls that may hang on one file system.
const THREADS: usize = 48;

/// The lanes of all file systems.
pub struct Lanes {
    deadline: Duration,
    lanes: Mutex<HashMap<u64, Arc<Semaphore>>>,
}

/// Where the calls of one session go.
#[derive(Clone)]
pub(super) struct Lane {
    /// None on a local file system, whose calls end.
    bounds: Option<Bounds>,
}

#[derive(Clone)]
struct Bounds {
    threads: Arc<Semaphore>,
    deadline: Duration,
}

/// Why a call has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoResult {
    /// It has not ended within the deadline, and goes on by itself.
    Late(Duration),
    /// It panicked.
    Internal,
}

impl Lanes {
    /// With this time for each call.
    #[must_use]
    pub fn new(deadline: Duration) -> Self {
        Self { deadline, lanes: Mutex::default() }
    }

    /// The lane of a file system.
    pub(super) fn of(&self, file_system: FileSystem) -> Lane {
        if file_system.is_local {
            return Lane::LOCAL;
        }
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let threads = lanes.entry(file_system.number).or_insert_with(|| Arc::new(Semaphore::new(THREADS)));
        Lane { bounds: Some(Bounds { threads: threads.clone(), deadline: self.deadline }) }
    }
}

impl Lane {
    /// That of this machine's own file systems.
    pub(super) const LOCAL: Self = Self { bounds: None };

    /// Waits for something that such a call does, no longer than for the call itself.
    pub(super) async fn in_time<T>(&self, awaited: impl Future<Output = T>) -> Result<T, NoResult> {
        let Some(Bounds { deadline, .. }) = &self.bounds else { return Ok(awaited.await) };
        timeout(*deadline, awaited).await.map_err(|_| NoResult::Late(*deadline))
    }

    /// Makes a call that may block, on a thread of its own. Waiting for a thread counts.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        call: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, NoResult> {
        let Some(Bounds { threads, deadline }) = &self.bounds else {
            return spawn_blocking(call).await.map_err(|_| NoResult::Internal);
        };
        let bounded = async {
            let place = threads.clone().acquire_owned().await.map_err(|_| NoResult::Internal)?;
            let call = move || {
                let _place = place;
                call()
            };
            spawn_blocking(call).await.map_err(|_| NoResult::Internal)
        };
        timeout(*deadline, bounded).await.unwrap_or(Err(NoResult::Late(*deadline)))
    }
}

impl std::fmt::Display for NoResult {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Late(deadline) => write!(f, "the file system did not answer within {deadline:?}"),
            Self::Internal => f.write_str("internal error"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    const REMOTE: FileSystem = FileSystem { number: 1, is_local: false };

    #[tokio::test(flavor = "multi_thread")]
    async fn a_file_system_that_hangs_holds_up_nobody_else() {
        let lanes = Lanes::new(Duration::from_millis(100));
        let (lane, other) = (lanes.of(REMOTE), lanes.of(FileSystem { number: 2, is_local: false }));
        let (gate, wait) = mpsc::channel::<()>();
        let wait = Arc::new(Mutex::new(wait));
        for _ in 0..THREADS + 5 {
            let wait = wait.clone();
            let hung = lane.run(move || drop(wait.lock().map(|wait| wait.recv()))).await;
            assert!(matches!(hung, Err(NoResult::Late(_))));
        }
        assert_eq!(other.run(|| 1).await, Ok(1));
        assert_eq!(lanes.of(FileSystem { number: 1, is_local: true }).run(|| 2).await, Ok(2));
        assert_eq!(lane.run(|| 3).await, Err(NoResult::Late(Duration::from_millis(100))), "no thread is left");
        // It answers again.
        drop(gate);
        let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
        while lane.run(|| 4).await != Ok(4) {
            assert!(tokio::time::Instant::now() < deadline);
        }
    }
}

//! Tasks that run as long as the service; none of them ends unnoticed.
//!
//! A task that panics or returns is logged and restarted. If that fails, [`Tasks::failed`] returns the reason, and the process
//! ends with it, so that its supervisor restarts it.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep};

/// How long to wait before a task that ended soon after its start is started again.
const PAUSE: Duration = Duration::from_secs(1);

/// A task that has run for this long is started again at once.
const LONG: Duration = Duration::from_secs(10);

/// Tasks that are watched. They are aborted when this is dropped.
#[derive(Default)]
pub struct Tasks {
    watched: JoinSet<()>,
}

impl Tasks {
    /// Runs the task that `start` creates, and restarts it whenever it ends. The name is for the log. A restarted task
    /// must continue where the last one ended; the work in progress is lost.
    pub fn keep_running<Task>(&mut self, name: impl Into<Arc<str>>, start: impl FnMut() -> Task + Send + 'static)
    where
        Task: Future<Output = ()> + Send + 'static,
    {
        self.watched.spawn(keep_running(name.into(), start));
    }

    /// Waits until a task cannot be restarted, and returns the reason. Waits for ever while none fails.
    pub async fn failed(&mut self) -> String {
        match self.watched.join_next().await {
            Some(ended) => format!("a task could not be restarted: {}", describe(&ended)),
            None => std::future::pending().await,
        }
    }

    /// Aborts all of them, and waits until they are gone.
    pub async fn stop(&mut self) {
        self.watched.shutdown().await;
    }
}

async fn keep_running<Task>(name: Arc<str>, mut start: impl FnMut() -> Task)
where
    Task: Future<Output = ()> + Send + 'static,
{
    loop {
        let began = Instant::now();
        // A set of one: the task is aborted with this one.
        let mut task = JoinSet::new();
        task.spawn(start());
        let Some(ended) = task.join_next().await else { continue };
        tracing::error!(
            name: "task_restarted",
            task = &*name, reason = describe(&ended),
            "a task ended and is restarted"
        );
        if began.elapsed() < LONG {
            sleep(PAUSE).await;
        }
    }
}

fn describe(ended: &Result<(), JoinError>) -> &'static str {
    match ended {
        Ok(()) => "it returned",
        Err(fault) if fault.is_panic() => "it panicked",
        Err(_) => "it was cancelled",
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::mpsc;

    use super::*;

    /// Starts a task that says which start it is and then ends in a way; gives what it says.
    fn started(tasks: &mut Tasks, ends: impl Fn(usize) + Send + Sync + 'static) -> mpsc::UnboundedReceiver<usize> {
        let (said, heard) = mpsc::unbounded_channel();
        let (ends, starts) = (Arc::new(ends), AtomicUsize::default());
        tasks.keep_running("test", move || {
            let (said, ends, start) = (said.clone(), Arc::clone(&ends), starts.fetch_add(1, Ordering::SeqCst));
            async move {
                said.send(start).unwrap();
                ends(start);
                if start >= 2 {
                    std::future::pending::<()>().await;
                }
            }
        });
        heard
    }

    #[tokio::test]
    async fn a_task_that_panics_or_returns_is_started_again() {
        let mut tasks = Tasks::default();
        let mut heard = started(&mut tasks, |start| assert!(start != 0, "this panic is part of the test"));
        for start in 0..3 {
            assert_eq!(heard.recv().await, Some(start));
        }
        tokio::select! {
            reason = tasks.failed() => panic!("{reason}"),
            () = tokio::task::yield_now() => {}
        }
        tasks.stop().await;
        assert_eq!(heard.recv().await, None, "gone with the tasks");
    }

    #[tokio::test]
    async fn a_task_that_cannot_be_restarted_is_a_failure_with_its_reason() {
        let (mut tasks, mut is_first) = (Tasks::default(), true);
        tasks.keep_running("test", move || {
            assert!(std::mem::take(&mut is_first), "this panic is part of the test");
            std::future::ready(())
        });
        assert_eq!(tasks.failed().await, "a task could not be restarted: it panicked");
    }
}

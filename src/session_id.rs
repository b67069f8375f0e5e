//! The id of the session that is being served. The log has it on every line that a session causes, whichever module and
//! thread write the line.
//!
//! It is bound to the task of a session, so that no function has to pass it on. A task or a thread that works for a
//! session gets it by [`with_session`] or [`in_session`].

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::task::futures::TaskLocalFuture;

tokio::task_local! {
    static SERVED: Option<SessionId>;
}

/// Sessions since the start of the process.
static SESSIONS: AtomicU64 = AtomicU64::new(1);

/// Distinguishes a session from all others, including those before a restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionId {
    /// When the first session of the process began, in seconds since 1970.
    since: u64,
    number: u64,
}

impl SessionId {
    /// The id of a new session.
    #[must_use]
    pub fn fresh() -> Self {
        static SINCE: OnceLock<u64> = OnceLock::new();
        let now = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        Self { since: *SINCE.get_or_init(now), number: SESSIONS.fetch_add(1, Ordering::Relaxed) }
    }

    /// The id of the session for which the calling thread works now.
    #[must_use]
    pub fn current() -> Option<Self> {
        SERVED.try_with(|id| *id).ok().flatten()
    }

    /// Serves the session: log lines written by `serving` have its id.
    pub fn of<Serving: Future>(self, serving: Serving) -> TaskLocalFuture<Option<Self>, Serving> {
        SERVED.scope(Some(self), serving)
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}-{}", self.since, self.number)
    }
}

/// A future that another task is to run for the current session, if there is one.
pub fn with_session<Work: Future>(work: Work) -> TaskLocalFuture<Option<SessionId>, Work> {
    SERVED.scope(SessionId::current(), work)
}

/// A call that another thread is to make for the current session, if there is one.
pub fn in_session<T>(call: impl FnOnce() -> T) -> impl FnOnce() -> T {
    let session = SessionId::current();
    move || SERVED.sync_scope(session, call)
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[tokio::test]
    async fn tasks_and_threads_take_the_session_along() {
        assert_eq!(SessionId::current(), None);
        let id = SessionId::fresh();
        let session = id.of(async {
            let task = tokio::spawn(with_session(async { SessionId::current() }));
            let thread = thread::spawn(in_session(SessionId::current));
            let alone = thread::spawn(SessionId::current);
            (SessionId::current(), task.await.unwrap(), thread.join().unwrap(), alone.join().unwrap())
        });
        assert_eq!(session.await, (Some(id), Some(id), Some(id), None));
        assert_eq!(SessionId::current(), None);
        assert!(thread::spawn(in_session(SessionId::current)).join().unwrap().is_none());
    }

    #[test]
    fn each_session_has_another_id() {
        let (one, other) = (SessionId::fresh(), SessionId::fresh());
        assert_ne!(one.to_string(), other.to_string());
        assert!(!one.to_string().contains([' ', '"', '=']));
    }
}

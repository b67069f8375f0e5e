//! Thread pools for calls that may block: one for each set of file systems that are not local.
//!
//! Where a file server or a user-space driver does not answer, every call hangs, possibly for ever; closing a file or
//! releasing a lock hangs too. So the calls on such file systems share a bounded number of threads, and no call is
//! waited for longer than the deadline: other sessions and other file systems are not affected.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::maildir::FileSystems;
use crate::session_id::{in_session, with_session};

/// Calls that may hang on one set of file systems.
const THREADS: usize = 48;

/// Calls that may hang at once on all of them. A runtime must allow more threads, since calls on local file systems
/// need some, too.
const THREADS_OF_ALL: usize = 32 * THREADS;

/// The threads that a runtime must allow for calls that may block: as many as tokio's default remain for local file
/// systems when every other one hangs. Threads are started on demand.
pub const BLOCKING_THREADS: usize = THREADS_OF_ALL + 512;

/// Unused pools are dropped when there are this many.
const MANY: usize = 64;

/// The pools of all file systems.
pub(super) struct BlockingPools {
    deadline: Duration,
    all: Arc<Semaphore>,
    by_file_systems: Arc<Mutex<HashMap<FileSystems, Arc<Semaphore>>>>,
}

/// The pool for the calls of one session.
#[derive(Clone)]
pub(crate) struct BlockingPool {
    /// None on a local file system, whose calls end.
    bounds: Option<PoolBounds>,
}

#[derive(Clone)]
struct PoolBounds {
    threads: Arc<Semaphore>,
    all: Arc<Semaphore>,
    deadline: Duration,
}

/// A permit for a thread of a pool, and of all pools; none is needed on local file systems.
type Permits = Option<(OwnedSemaphorePermit, OwnedSemaphorePermit)>;

/// A value that holds files open, so that dropping it may wait for another machine: wherever it is dropped, that
/// happens in its pool.
pub(super) struct Pooled<T: Send + 'static> {
    /// None once it was taken.
    value: Option<T>,
    pool: BlockingPool,
}

/// Why a call has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CallFault {
    /// It did not end within the deadline, and goes on by itself.
    Late(Duration),
    /// It panicked.
    Internal,
}

impl BlockingPools {
    /// `deadline`: for each call.
    pub(super) fn new(deadline: Duration) -> Self {
        Self { deadline, all: Arc::new(Semaphore::new(THREADS_OF_ALL)), by_file_systems: Arc::default() }
    }

    /// The same pools, with another deadline.
    pub(super) fn renewed(&self, deadline: Duration) -> Self {
        Self { deadline, all: self.all.clone(), by_file_systems: self.by_file_systems.clone() }
    }

    /// The pool of these file systems.
    pub(crate) fn of(&self, file_systems: &FileSystems) -> BlockingPool {
        if file_systems.are_local() {
            return BlockingPool::LOCAL;
        }
        let mut pools = self.by_file_systems.lock().unwrap_or_else(PoisonError::into_inner);
        if pools.len() >= MANY {
            pools.retain(|_, threads| Arc::strong_count(threads) > 1);
        }
        let threads = pools.entry(file_systems.clone()).or_insert_with(|| Arc::new(Semaphore::new(THREADS)));
        BlockingPool {
            bounds: Some(PoolBounds { threads: threads.clone(), all: self.all.clone(), deadline: self.deadline }),
        }
    }
}

impl BlockingPool {
    /// That of local file systems, which always answer.
    pub(super) const LOCAL: Self = Self { bounds: None };

    pub(super) fn is_local(&self) -> bool {
        self.bounds.is_none()
    }

    /// Waits for something that depends on such a call, no longer than for the call itself.
    pub(super) async fn in_time<T>(&self, awaited: impl Future<Output = T>) -> Result<T, CallFault> {
        let Some(PoolBounds { deadline, .. }) = &self.bounds else { return Ok(awaited.await) };
        timeout(*deadline, awaited).await.map_err(|_| CallFault::Late(*deadline))
    }

    /// Makes a call that may block, on a thread of its own. The wait for a thread counts towards the deadline. What the
    /// call holds and what it returns may be dropped on any thread: if that may block as well, it must be [`Pooled`].
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        call: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, CallFault> {
        let in_its_turn = async {
            let place = self.place().await?;
            let call = move || {
                let _place = place;
                call()
            };
            spawn_blocking(in_session(call)).await.map_err(|_| CallFault::Internal)
        };
        self.in_time(in_its_turn).await?
    }

    async fn place(&self) -> Result<Permits, CallFault> {
        let Some(PoolBounds { threads, all, .. }) = &self.bounds else { return Ok(None) };
        let threads = threads.clone().acquire_owned().await.map_err(|_| CallFault::Internal)?;
        Ok(Some((threads, all.clone().acquire_owned().await.map_err(|_| CallFault::Internal)?)))
    }
}

impl<T: Send + 'static> Pooled<T> {
    pub(crate) fn new(value: T, pool: BlockingPool) -> Self {
        Self { value: Some(value), pool }
    }

    /// None only after [`Pooled::take`].
    pub(crate) fn get(&self) -> Option<&T> {
        self.value.as_ref()
    }

    pub(crate) fn get_mut(&mut self) -> Option<&mut T> {
        self.value.as_mut()
    }

    /// Takes the value; from now on it is dropped on the thread that drops it.
    pub(crate) fn take(mut self) -> Option<T> {
        self.value.take()
    }
}

impl<T: Send + 'static> Drop for Pooled<T> {
    fn drop(&mut self) {
        let Some(value) = self.value.take() else { return };
        let (false, Ok(runtime)) = (self.pool.is_local(), Handle::try_current()) else { return drop(value) };
        let pool = self.pool.clone();
        // However long that takes, it must be dropped in the end, and nothing waits for it.
        runtime.spawn(with_session(async move {
            let place = pool.place().await;
            let dropped = spawn_blocking(in_session(move || {
                drop(value);
                drop(place);
            }));
            dropped.await
        }));
    }
}

impl std::fmt::Display for CallFault {
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
    use std::thread::{self, ThreadId};

    use tokio::sync::oneshot;

    use super::*;
    use crate::session_id::SessionId;

    fn remote(device: u64) -> FileSystems {
        FileSystems::remote(device)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_hanging_file_system_delays_no_other() {
        let pools = BlockingPools::new(Duration::from_millis(100));
        let (pool, other) = (pools.of(&remote(1)), pools.of(&remote(2)));
        let (gate, wait) = mpsc::channel::<()>();
        let wait = Arc::new(Mutex::new(wait));
        for _ in 0..THREADS + 5 {
            let wait = wait.clone();
            let hung = pool.run(move || drop(wait.lock().map(|wait| wait.recv()))).await;
            assert!(matches!(hung, Err(CallFault::Late(_))));
        }
        assert_eq!(other.run(|| 1).await, Ok(1));
        // A maildrop that lies on another one as well waits for that one alone.
        assert_eq!(pools.of(&remote(2).and(&remote(3))).run(|| 2).await, Ok(2));
        assert_eq!(pools.of(&FileSystems::default()).run(|| 3).await, Ok(3));
        assert_eq!(pool.run(|| 4).await, Err(CallFault::Late(Duration::from_millis(100))), "no thread is left");
        // It answers again.
        drop(gate);
        let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
        while pool.run(|| 5).await != Ok(5) {
            assert!(tokio::time::Instant::now() < deadline);
        }
    }

    /// What the log writes there has the session's id.
    #[tokio::test]
    async fn a_call_belongs_to_its_session() {
        let pools = BlockingPools::new(Duration::from_secs(20));
        let id = SessionId::fresh();
        for pool in [BlockingPool::LOCAL, pools.of(&remote(1))] {
            assert_eq!(id.of(pool.run(SessionId::current)).await, Ok(Some(id)));
            assert_eq!(pool.run(SessionId::current).await, Ok(None));
        }
    }

    /// Reports the thread on which it is dropped.
    struct Dropped(Option<oneshot::Sender<ThreadId>>);

    impl Drop for Dropped {
        fn drop(&mut self) {
            let _ = self.0.take().map(|sender| sender.send(thread::current().id()));
        }
    }

    /// A thread that drives sessions drops nothing that may block: not at the end of a session, not when a call never
    /// gets a thread, not what a call returned too late.
    #[tokio::test]
    async fn open_files_are_dropped_in_their_pool() {
        let pools = BlockingPools::new(Duration::from_millis(50));
        let pool = pools.of(&remote(1));
        let here = thread::current().id();
        let open = || {
            let (sender, dropped) = oneshot::channel();
            (Pooled::new(Dropped(Some(sender)), pool.clone()), dropped)
        };
        let (value, dropped) = open();
        drop(value);
        assert_ne!(dropped.await.unwrap(), here);
        let (gate, wait) = mpsc::channel::<()>();
        let wait = Arc::new(Mutex::new(wait));
        let hang = |wait: Arc<Mutex<mpsc::Receiver<()>>>| move || drop(wait.lock().map(|wait| wait.recv()));
        for _ in 0..THREADS {
            assert!(pool.run(hang(wait.clone())).await.is_err());
        }
        let (value, mut without_turn) = open();
        assert!(pool.run(move || drop(value.take())).await.is_err());
        assert!(without_turn.try_recv().is_err(), "there is no thread for it yet");
        drop(gate);
        assert_ne!(without_turn.await.unwrap(), here);
        let (value, dropped) = open();
        drop(pool.run(move || value).await);
        assert_ne!(dropped.await.unwrap(), here);
        // Local file systems never block.
        let (sender, dropped) = oneshot::channel();
        drop(Pooled::new(Dropped(Some(sender)), BlockingPool::LOCAL));
        assert_eq!(dropped.await.unwrap(), here);
    }
}

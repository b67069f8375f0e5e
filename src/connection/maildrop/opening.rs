//! Opening a maildrop: on the thread that drives the session if nothing has changed, else in the pool of the file
//! systems that hold it.
//!
//! Of several logins that would have to read the same maildrop, one does. The others wait without occupying a thread,
//! so a maildrop that takes long to read does not delay anybody else, however impatient its clients.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

use super::pool::{BlockingPool, BlockingPools, CallFault, Pooled};
use crate::ledger::Ledger;
use crate::maildir::{EnterFault, Expiry, FileSystems, Maildrop, MaildropLock, MaildropPath, Store};

/// Unused locks are dropped when there are this many, and at least twice as many as were left the last time.
const MANY: usize = 64;

/// Why a maildrop is not open.
pub(crate) enum OpenFault {
    InUse,
    Fault(EnterFault),
}

impl OpenFault {
    /// This service holds no mail: everybody's is at other hosts.
    pub(crate) fn no_mail_here() -> Self {
        Self::Fault(EnterFault::Forbidden("no mail is served here (mailboxes.root is not set)".to_owned()))
    }
}

/// Opens maildrops: the mail store, the thread pools of its calls, and a lock for each maildrop that is being opened.
pub struct Openings {
    store: Arc<Store>,
    pools: BlockingPools,
    locks: Arc<Mutex<Locks>>,
    ledger: Arc<Ledger>,
}

#[derive(Default)]
struct Locks {
    by_path: HashMap<MaildropPath, Arc<AsyncMutex<()>>>,
    many: usize,
}

/// A maildrop that a session wants to open.
#[derive(Clone)]
pub(super) struct OpenRequest {
    pub(crate) path: MaildropPath,
    /// The canonical name of the person whose session it is.
    pub(crate) person: String,
    pub(crate) expiry: Option<Expiry>,
}

/// The result of the first attempt, which is made on local file systems only.
enum FirstAttempt {
    Entered(Box<Result<Maildrop, EnterFault>>),
    /// It does not lie on local file systems alone; the maildrop lock is handed back.
    Elsewhere(FileSystems, Option<Pooled<MaildropLock>>),
}

/// Nothing can be known about the mail now.
pub(super) fn unavailable(why: CallFault) -> OpenFault {
    OpenFault::Fault(EnterFault::Unavailable(why.to_string()))
}

impl OpenRequest {
    fn unchanged(&self, store: &Store) -> Option<Maildrop> {
        store.enter_unchanged(&self.path).and_then(|maildrop| maildrop.of(&self.person, self.expiry).ok())
    }

    /// Blocks until the disk answers, so it runs in the pool of the maildrop.
    fn enter(
        &self,
        store: &Store,
        hold: Option<Pooled<MaildropLock>>,
        ledger: &Ledger,
    ) -> Result<Maildrop, EnterFault> {
        let (hold, began) = (hold.and_then(Pooled::take), Instant::now());
        let maildrop = store.enter(&self.path)?.locked_by(hold).of(&self.person, self.expiry)?;
        let took = began.elapsed();
        ledger.mail.scans.observe(took.as_secs_f64());
        ledger.last_hour.note_scan(took, &self.person, || self.path.to_string());
        Ok(maildrop)
    }
}

impl Openings {
    /// `file_deadline`: for each call on a file system that is not local.
    #[must_use]
    pub fn new(store: Arc<Store>, file_deadline: Duration, ledger: Arc<Ledger>) -> Self {
        Self { store, pools: BlockingPools::new(file_deadline), locks: Arc::default(), ledger }
    }

    /// The same threads and locks for another store, or with another deadline: calls that hang keep their threads.
    #[must_use]
    pub fn renewed(&self, store: Arc<Store>, file_deadline: Duration) -> Self {
        let (pools, locks) = (self.pools.renewed(file_deadline), self.locks.clone());
        Self { store, pools, locks, ledger: self.ledger.clone() }
    }

    pub(super) fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// Opens a maildrop; returns it with the pool for its calls.
    pub(super) async fn enter(
        &self,
        wanted: OpenRequest,
        hold: Option<Pooled<MaildropLock>>,
    ) -> Result<(Maildrop, BlockingPool), OpenFault> {
        // Two hops between threads cost more than everything else that a login needs.
        let unchanged = wanted.unchanged(&self.store);
        self.ledger.caches.maildrops.note(unchanged.is_some());
        if let Some(maildrop) = unchanged {
            return Ok(self.with_pool(maildrop.locked_by(hold.and_then(Pooled::take)), &FileSystems::default()));
        }
        let lock = self.lock(&wanted.path);
        let (file_systems, hold) = match Arc::clone(&lock).try_lock_owned() {
            Ok(guard) => match self.first_attempt(&wanted, hold, guard).await? {
                FirstAttempt::Entered(entered) => {
                    let maildrop = entered.map_err(OpenFault::Fault)?;
                    return Ok(self.with_pool(maildrop, &FileSystems::default()));
                }
                FirstAttempt::Elsewhere(file_systems, hold) => (file_systems, hold),
            },
            Err(_) => (self.locate(&wanted.path).await.map_err(unavailable)?, hold),
        };
        let pool = self.pools.of(&file_systems);
        let entered = pool.in_time(self.behind_others(&pool, wanted, hold, lock)).await.map_err(unavailable)??;
        let maildrop = entered.take().ok_or_else(|| unavailable(CallFault::Internal))?;
        Ok(self.with_pool(maildrop, &file_systems))
    }

    /// Finds out where the maildrop is, and opens it if that is on local file systems: one hop to another thread for
    /// both.
    async fn first_attempt(
        &self,
        wanted: &OpenRequest,
        hold: Option<Pooled<MaildropLock>>,
        guard: OwnedMutexGuard<()>,
    ) -> Result<FirstAttempt, OpenFault> {
        let (store, ledger, wanted) = (Arc::clone(&self.store), Arc::clone(&self.ledger), wanted.clone());
        let attempt = BlockingPool::LOCAL.run(move || {
            let _guard = guard;
            let file_systems = store.file_systems(&wanted.path);
            if file_systems.are_local() {
                FirstAttempt::Entered(Box::new(wanted.enter(&store, hold, &ledger)))
            } else {
                FirstAttempt::Elsewhere(file_systems, hold)
            }
        });
        attempt.await.map_err(unavailable)
    }

    /// Waits until no other session opens the maildrop, and then opens it, unless it can use what the others read.
    async fn behind_others(
        &self,
        pool: &BlockingPool,
        wanted: OpenRequest,
        hold: Option<Pooled<MaildropLock>>,
        lock: Arc<AsyncMutex<()>>,
    ) -> Result<Pooled<Maildrop>, OpenFault> {
        let guard = lock.lock_owned().await;
        if let Some(maildrop) = wanted.unchanged(&self.store) {
            return Ok(Pooled::new(maildrop.locked_by(hold.and_then(Pooled::take)), pool.clone()));
        }
        let (store, ledger, result_pool) = (Arc::clone(&self.store), Arc::clone(&self.ledger), pool.clone());
        let entered = pool.run(move || {
            // Locked until the call has ended, whether anybody waits for it or not.
            let _guard = guard;
            wanted.enter(&store, hold, &ledger).map(|maildrop| Pooled::new(maildrop, result_pool))
        });
        entered.await.map_err(unavailable)?.map_err(OpenFault::Fault)
    }

    /// The pool is that of the file systems on the path, and of the directories that were opened.
    fn with_pool(&self, maildrop: Maildrop, on_the_way: &FileSystems) -> (Maildrop, BlockingPool) {
        let pool = self.pools.of(&maildrop.file_systems().and(on_the_way));
        (maildrop, pool)
    }

    /// The pool of a maildrop that is not open yet.
    pub(super) async fn pool_of(&self, path: &MaildropPath) -> Result<BlockingPool, OpenFault> {
        let file_systems = self.locate(path).await.map_err(unavailable)?;
        Ok(self.pools.of(&file_systems))
    }

    async fn locate(&self, path: &MaildropPath) -> Result<FileSystems, CallFault> {
        let (store, path) = (Arc::clone(&self.store), path.clone());
        BlockingPool::LOCAL.run(move || store.file_systems(&path)).await
    }

    /// The lock of those who open a maildrop.
    fn lock(&self, path: &MaildropPath) -> Arc<AsyncMutex<()>> {
        let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
        if locks.by_path.len() >= locks.many.max(MANY) {
            locks.by_path.retain(|_, lock| Arc::strong_count(lock) > 1);
            locks.many = 2 * locks.by_path.len();
        }
        Arc::clone(locks.by_path.entry(path.clone()).or_default())
    }
}

//! Which session has a maildrop to itself, where it may have one session only.
//!
//! The lock on disk decides, across all nodes. A lease records which session of this node has it, and since when that
//! session is idle, so that another one can take the maildrop over.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};
use tokio::time::timeout;

use super::opening::{OpenFault, Openings, unavailable};
use super::pool::{BlockingPool, CallFault, Pooled};
use crate::connection::settings::SessionsPerMaildrop;
use crate::maildir::{LockId, LockResult, MaildropLock, MaildropPath};

/// How long a session may take to close its maildrop when another takes it over.
const LETTING_GO: Duration = Duration::from_secs(5);

/// The sessions of this node that have a maildrop to themselves.
pub struct MaildropLeases {
    sessions: SessionsPerMaildrop,
    holders: Mutex<HashMap<LockId, Arc<Holder>>>,
}

/// A session that has its maildrop to itself, as others see it.
struct Holder {
    state: Mutex<LeaseState>,
    revoked: Notify,
    /// Closed when the session has closed the maildrop.
    gone: watch::Receiver<()>,
}

#[derive(Clone, Copy)]
enum LeaseState {
    /// A command is being executed.
    AtWork,
    /// The client has sent nothing since.
    Idle(Instant),
    /// Another session takes the maildrop over; further commands of this one are ignored.
    Over,
}

/// The lease of one session. It ends when this is dropped, which must be after the maildrop itself was closed.
pub(crate) struct MaildropLease {
    leases: Arc<MaildropLeases>,
    id: LockId,
    holder: Arc<Holder>,
    _present: watch::Sender<()>,
}

impl MaildropLeases {
    /// `sessions`: how many each maildrop may have.
    #[must_use]
    pub fn new(sessions: SessionsPerMaildrop) -> Self {
        Self { sessions, holders: Mutex::default() }
    }

    /// Locks a maildrop for a session, where it may have one only. None where it may have many, or cannot be locked.
    pub(super) async fn acquire(
        self: &Arc<Self>,
        openings: &Openings,
        path: &MaildropPath,
    ) -> Result<Option<(Pooled<MaildropLock>, Arc<MaildropLease>)>, OpenFault> {
        let takeover_after = match self.sessions {
            SessionsPerMaildrop::Many => return Ok(None),
            SessionsPerMaildrop::One => None,
            SessionsPerMaildrop::OneWithTakeover(after) => Some(after),
        };
        let pool = openings.pool_of(path).await?;
        let mut holding = try_hold(openings, path, &pool).await?;
        if let (LockResult::InUse(id), Some(after)) = (&holding, takeover_after)
            && self.revoke(*id, after).await
        {
            holding = try_hold(openings, path, &pool).await?;
        }
        match holding {
            LockResult::Locked(hold) => {
                let lease = self.begin(hold.id());
                Ok(Some((Pooled::new(hold, pool), Arc::new(lease))))
            }
            LockResult::InUse(_) => Err(OpenFault::InUse),
            LockResult::NoMaildir => Ok(None),
            LockResult::Impossible(reason) => {
                tracing::warn!(
                    name: "maildrop_cannot_be_locked",
                    maildrop = path.to_string(),
                    reason,
                    "this maildrop cannot be locked, so it may have many sessions"
                );
                Ok(None)
            }
        }
    }

    /// Begins the lease of a session that has locked a maildrop.
    fn begin(self: &Arc<Self>, id: LockId) -> MaildropLease {
        let (present, gone) = watch::channel(());
        let holder = Arc::new(Holder { state: Mutex::new(LeaseState::AtWork), revoked: Notify::new(), gone });
        locked(&self.holders).insert(id, Arc::clone(&holder));
        MaildropLease { leases: Arc::clone(self), id, holder, _present: present }
    }

    /// Ends the session that has a maildrop, if it is one of this node and was idle for this long, and waits until it
    /// has closed the maildrop. Returns whether it has.
    async fn revoke(&self, id: LockId, idle: Duration) -> bool {
        let holder = locked(&self.holders).get(&id).cloned();
        let Some(holder) = holder.filter(|holder| holder.revoke(idle)) else { return false };
        let mut gone = holder.gone.clone();
        // The sender never sends: the wait ends when it is dropped.
        timeout(LETTING_GO, gone.changed()).await.is_ok()
    }
}

async fn try_hold(openings: &Openings, path: &MaildropPath, pool: &BlockingPool) -> Result<LockResult, OpenFault> {
    let (store, path, result_pool) = (openings.store().clone(), path.clone(), pool.clone());
    let held = pool.run(move || Pooled::new(store.lock(&path), result_pool)).await.map_err(unavailable)?;
    held.take().ok_or_else(|| unavailable(CallFault::Internal))
}

impl Holder {
    fn revoke(&self, idle: Duration) -> bool {
        let mut state = locked(&self.state);
        let gives_way = match *state {
            LeaseState::AtWork => false,
            LeaseState::Idle(since) => since.elapsed() >= idle,
            LeaseState::Over => true,
        };
        if gives_way {
            *state = LeaseState::Over;
            self.revoked.notify_one();
        }
        gives_way
    }
}

impl MaildropLease {
    fn rest(&self) {
        let mut state = locked(&self.holder.state);
        if matches!(*state, LeaseState::AtWork) {
            *state = LeaseState::Idle(Instant::now());
        }
    }

    /// False if another session has taken the maildrop over.
    fn work(&self) -> bool {
        let mut state = locked(&self.holder.state);
        if matches!(*state, LeaseState::Over) {
            return false;
        }
        *state = LeaseState::AtWork;
        true
    }
}

impl Drop for MaildropLease {
    fn drop(&mut self) {
        let mut holders = locked(&self.leases.holders);
        // The next session may have begun its lease already.
        if holders.get(&self.id).is_some_and(|holder| Arc::ptr_eq(holder, &self.holder)) {
            holders.remove(&self.id);
        }
    }
}

/// Waits for the client, unless another session takes its maildrop over meanwhile. Everything that the client sent
/// before that is executed first; what it sends later is ignored. None if the maildrop was taken over.
pub(crate) async fn unless_taken_over<T>(lease: Option<&MaildropLease>, awaited: impl Future<Output = T>) -> Option<T> {
    let Some(lease) = lease else { return Some(awaited.await) };
    lease.rest();
    let done = tokio::select! {
        biased;
        done = awaited => done,
        () = lease.holder.revoked.notified() => return None,
    };
    lease.work().then_some(done)
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

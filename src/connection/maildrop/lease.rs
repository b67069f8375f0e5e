//! Whose turn it is at a maildrop, where it may have one session only.
//!
//! The lock on disk decides, over all nodes. What is kept here is which session of this node has it, and since when that
//! one is idle, so that another can take the maildrop over.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};
use tokio::time::timeout;

use super::opening::{NotEntered, lane, unavailable};
use super::pool::{InLane, Lane, NoResult};
use crate::connection::Service;
use crate::connection::report::Closed;
use crate::maildir::{Hold, HoldId, Holding, MaildropPath};

/// How many sessions may have a maildrop at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SessionsPerMaildrop {
    /// As many as come.
    #[default]
    Many,
    /// One, on all nodes together; others are told that the maildrop is in use.
    One,
    /// One; but a session of this node gives way that was idle for so long. Its deletions are not carried out.
    OneWithTakeover(Duration),
}

/// How long a session that gives way may take to let go.
const LETTING_GO: Duration = Duration::from_secs(5);

/// The sessions of this node that have a maildrop to themselves.
#[derive(Default)]
pub struct Turns {
    holders: Mutex<HashMap<HoldId, Arc<Holder>>>,
}

/// A session that has its maildrop to itself, as others see it.
struct Holder {
    standing: Mutex<Standing>,
    called_off: Notify,
    /// Closed when the session has let go.
    gone: watch::Receiver<()>,
}

#[derive(Clone, Copy)]
enum Standing {
    /// A command is being carried out.
    AtWork,
    /// Nothing came from the client since.
    Idle(Instant),
    /// Another session takes the maildrop over; nothing counts any more that this one is still told.
    Over,
}

/// The turn of a session; it is over when this is dropped, which must be behind letting go of the maildrop itself.
pub(crate) struct Turn {
    turns: Arc<Turns>,
    id: HoldId,
    holder: Arc<Holder>,
    _present: watch::Sender<()>,
}

/// Holds a maildrop for a session, where it may have one only. None where it may have many, or cannot be held.
pub(crate) async fn hold(
    service: &Service,
    path: &MaildropPath,
) -> Result<Option<(InLane<Hold>, Arc<Turn>)>, NotEntered> {
    let takeover_after = match service.settings.sessions {
        SessionsPerMaildrop::Many => return Ok(None),
        SessionsPerMaildrop::One => None,
        SessionsPerMaildrop::OneWithTakeover(after) => Some(after),
    };
    let lane = lane(service, path).await?;
    let mut holding = try_hold(service, path, &lane).await?;
    if let (Holding::InUse(id), Some(after)) = (&holding, takeover_after)
        && service.turns.call_off(*id, after).await
    {
        holding = try_hold(service, path, &lane).await?;
    }
    match holding {
        Holding::Held(hold) => {
            let turn = service.turns.begin(hold.id());
            Ok(Some((InLane::new(hold, lane), Arc::new(turn))))
        }
        Holding::InUse(_) => Err(NotEntered::InUse),
        Holding::Nothing => Ok(None),
        Holding::Impossible(reason) => {
            tracing::warn!(maildrop = %path, reason, "this maildrop cannot be locked, so it may have many sessions");
            Ok(None)
        }
    }
}

async fn try_hold(service: &Service, path: &MaildropPath, lane: &Lane) -> Result<Holding, NotEntered> {
    let (store, path, of_result) = (service.store.clone(), path.clone(), lane.clone());
    let held = lane.run(move || InLane::new(store.hold(&path), of_result)).await.map_err(unavailable)?;
    held.take().ok_or_else(|| unavailable(NoResult::Internal))
}

impl Turns {
    /// Begins the turn of a session that holds a maildrop.
    pub(super) fn begin(self: &Arc<Self>, id: HoldId) -> Turn {
        let (present, gone) = watch::channel(());
        let holder = Arc::new(Holder { standing: Mutex::new(Standing::AtWork), called_off: Notify::new(), gone });
        locked(&self.holders).insert(id, Arc::clone(&holder));
        Turn { turns: Arc::clone(self), id, holder, _present: present }
    }

    /// Calls off the session that holds a maildrop, if it is one of this node and was idle for so long, and waits until
    /// it has let go. Tells whether it has.
    pub(super) async fn call_off(&self, id: HoldId, idle: Duration) -> bool {
        let holder = locked(&self.holders).get(&id).cloned();
        let Some(holder) = holder.filter(|holder| holder.call_off(idle)) else { return false };
        let mut gone = holder.gone.clone();
        // The sender is never used: the wait ends with its end.
        timeout(LETTING_GO, gone.changed()).await.is_ok()
    }
}

impl Holder {
    fn call_off(&self, idle: Duration) -> bool {
        let mut standing = locked(&self.standing);
        let gives_way = match *standing {
            Standing::AtWork => false,
            Standing::Idle(since) => since.elapsed() >= idle,
            Standing::Over => true,
        };
        if gives_way {
            *standing = Standing::Over;
            self.called_off.notify_one();
        }
        gives_way
    }
}

impl Turn {
    fn rest(&self) {
        let mut standing = locked(&self.holder.standing);
        if matches!(*standing, Standing::AtWork) {
            *standing = Standing::Idle(Instant::now());
        }
    }

    fn work(&self) -> Result<(), Closed> {
        let mut standing = locked(&self.holder.standing);
        if matches!(*standing, Standing::Over) {
            return Err(Closed::TakenOver);
        }
        *standing = Standing::AtWork;
        Ok(())
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut holders = locked(&self.turns.holders);
        // The next session may have begun its turn already.
        if holders.get(&self.id).is_some_and(|holder| Arc::ptr_eq(holder, &self.holder)) {
            holders.remove(&self.id);
        }
    }
}

/// Waits for what a client may do next, unless another session takes its maildrop over meanwhile. What the client did
/// before that goes first, and all of it counts; of what it does after, nothing does.
pub(crate) async fn unless_taken_over<T>(
    turn: Option<&Turn>,
    awaited: impl Future<Output = Result<T, Closed>>,
) -> Result<T, Closed> {
    let Some(turn) = turn else { return awaited.await };
    turn.rest();
    let done = tokio::select! {
        biased;
        done = awaited => done,
        () = turn.holder.called_off.notified() => return Err(Closed::TakenOver),
    };
    turn.work()?;
    done
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

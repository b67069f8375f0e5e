//! What the service manager is told (`sd_notify(3)`): that the service is ready, that it is alive, and that it stops.
//!
//! Without a service manager nothing is sent. A failure to send is logged and is no reason to end: the manager's own timeouts
//! decide then.

use std::time::Duration;

use sd_notify::NotifyState;
use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval};

use crate::tasks::Tasks;

/// All ports are bound and all files are read. Directories are not waited for: a service that starts before its directory
/// serves cached people only, but it serves.
pub(super) fn ready() {
    tell(NotifyState::Ready);
}

/// No new connections are accepted, and sessions finish their current command.
pub(super) fn stopping() {
    tell(NotifyState::Stopping);
}

/// Sends a sign of life twice in each period of the manager's watchdog. It takes the way of a session's file call: from a
/// task through a thread for blocking calls. So a runtime or a pool that is stuck is restarted.
pub(super) fn keep_alive(tasks: &mut Tasks) {
    let Some(period) = sd_notify::watchdog_enabled().filter(|period| !period.is_zero()) else { return };
    tasks.keep_running("watchdog of the service manager", move || send_signs_of_life(period / 2));
}

async fn send_signs_of_life(every: Duration) {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if spawn_blocking(|| tell(NotifyState::Watchdog)).await.is_err() {
            return;
        }
    }
}

fn tell(state: NotifyState<'_>) {
    if let Err(fault) = sd_notify::notify(&[state]) {
        tracing::warn!(
            name: "service_manager_not_notified",
            reason = fault.to_string(),
            "the service manager cannot be notified"
        );
    }
}

//! When a refusal is told.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// Waits for the next whole step after the credentials came, so that the time of a refusal tells nothing of its reason;
/// and for some further ones where somebody seems to be guessing.
pub(super) async fn wait_for_step(began: Instant, step: Duration, further: u32) {
    if step.is_zero() {
        return;
    }
    let steps = began.elapsed().as_nanos() / step.as_nanos() + 1;
    let steps = u32::try_from(steps).unwrap_or(u32::MAX).saturating_add(further);
    sleep_until(began + step * steps).await;
}

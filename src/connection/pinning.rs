//! Unique-ids on their way to the disk, before a client is told them.

use super::mail::Mail;
use super::report::Report;
use crate::pop3::Event;

/// Pins what is about to be told.
pub(super) async fn pinned(mail: Option<&mut Mail>, indices: Vec<usize>, report: &Report) -> Event {
    let Some(mail) = mail else { return Event::NotPinned };
    match mail.pin(indices).await {
        Ok(listing) => Event::Pinned(listing),
        Err(fault) => {
            tracing::error!(person = report.person, %fault, "unique-ids not told: they cannot be pinned");
            Event::NotPinned
        }
    }
}

//! Unique-ids on their way to the disk, before a client is told them.

use crate::connection::maildrop::Mail;
use crate::connection::report::Report;
use crate::pop3::Event;

/// Pins what is about to be told.
pub(crate) async fn pinned(mail: Option<&mut Mail>, indices: Vec<usize>, report: &Report) -> Event {
    let Some(mail) = mail else { return Event::NotPinned };
    match mail.pin(indices).await {
        Ok(listing) => Event::Pinned(listing),
        Err(fault) => {
            tracing::error!(person = report.person, %fault, "unique-ids not told: they cannot be pinned");
            Event::NotPinned
        }
    }
}

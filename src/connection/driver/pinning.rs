//! Unique-ids on their way to the disk, before a client is told them.

use crate::connection::maildrop::OpenMaildrop;
use crate::connection::report::SessionReport;
use crate::pop3::Event;

/// Pins what is about to be told.
pub(crate) async fn pinned(mail: Option<&mut OpenMaildrop>, indices: Vec<usize>, report: &SessionReport) -> Event {
    let Some(mail) = mail else { return Event::NotPinned };
    match mail.pin(indices).await {
        Ok(listing) => Event::Pinned(listing),
        Err(fault) => {
            tracing::error!(person = report.person, %fault, "unique-ids not told: they cannot be pinned");
            Event::NotPinned
        }
    }
}

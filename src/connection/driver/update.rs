//! The UPDATE state (RFC 1939 §6): what a session that ends by QUIT leaves behind in its maildrop.

use std::time::Duration;

use crate::connection::maildrop::OpenMaildrop;
use crate::connection::report::SessionReport;
use crate::connection::wire::{Transport, Wire};

/// How long a client may acknowledge nothing of the messages it was sent before its deletions are given up.
const ACKNOWLEDGEMENT: Duration = Duration::from_secs(5);

/// Removes the marked messages; returns whether all are gone.
pub(super) async fn commit<T: Transport>(
    wire: &mut Wire<T>,
    mail: Option<&mut OpenMaildrop>,
    marks: Vec<usize>,
    report: &mut SessionReport,
) -> bool {
    if let Err(reason) = wire.messages_taken(ACKNOWLEDGEMENT).await {
        tracing::warn!(
            name: "nothing_deleted",
            person = report.person(), reason = reason.to_string(),
            "nothing deleted"
        );
        return false;
    }
    let Some(mail) = mail else { return false };
    report.updating();
    let committed = match mail.commit(marks.clone()).await {
        Ok(committed) => committed,
        Err(why) => {
            tracing::error!(
                name: "message_not_deleted",
                person = report.person(), reason = why.to_string(),
                "message not deleted"
            );
            return false;
        }
    };
    report.deleted(committed.removed);
    for reason in &committed.failed {
        tracing::error!(name: "message_not_deleted", person = report.person(), reason, "message not deleted");
    }
    finish(mail, marks, report).await;
    committed.failed.is_empty()
}

/// The same for a session that has marked none.
pub(super) async fn leave<T: Transport>(wire: &mut Wire<T>, mail: Option<&mut OpenMaildrop>, report: &SessionReport) {
    let Some(mail) = mail.filter(|mail| mail.leaves_something()) else { return };
    match wire.messages_taken(ACKNOWLEDGEMENT).await {
        Ok(()) => finish(mail, Vec::new(), report).await,
        Err(reason) => {
            tracing::info!(
                name: "retrieved_messages_not_recorded",
                person = report.person(), reason = reason.to_string(),
                "retrieved messages not recorded"
            );
        }
    }
}

/// Whatever fails here is done by a later session, and does not fail the QUIT.
async fn finish(mail: &mut OpenMaildrop, marks: Vec<usize>, report: &SessionReport) {
    if let Err(why) = mail.leave(marks).await {
        tracing::warn!(
            name: "retrieved_messages_may_not_be_recorded",
            person = report.person(),
            reason = why.to_string(),
            "retrieved messages may not be recorded, and expired mail may not be removed"
        );
    }
}

//! Where mail for a person belongs: the Maildir that a session would read.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::reply::TableReply;
use crate::connection::Service;
use crate::current::Current;
use crate::identity::{Identity, MailHost};
use crate::maildir::{EnterFault, MaildropPath};

/// File calls at once. One on a file system that hangs occupies a thread until it returns.
const AT_ONCE: usize = 32;

/// Asks the disk where mail belongs.
pub(super) struct DeliveryPaths {
    service: Arc<Current<Service>>,
    places: Arc<Semaphore>,
}

impl DeliveryPaths {
    pub(super) fn new(service: Arc<Current<Service>>) -> Self {
        Self { service, places: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// The absolute path of a person's Maildir, with a slash at its end.
    pub(super) async fn answer(&self, person: &Identity) -> TableReply {
        if let MailHost::Elsewhere(target) = &person.mail_host {
            return TableReply::Permanent(format!("the mail of {} is at {}", person.canonical_name, target.host));
        }
        let path = match path(person) {
            Ok(path) => path.clone(),
            Err(reply) => return reply,
        };
        let deadline = self.service.get().settings.file_deadline;
        self.ask(path, deadline).await.unwrap_or_else(|| {
            TableReply::Temporary(format!("the file system has not answered within {} s", deadline.as_secs()))
        })
    }

    /// None if the file system does not answer in time.
    async fn ask(&self, path: MaildropPath, deadline: Duration) -> Option<TableReply> {
        let place = timeout(deadline, self.places.clone().acquire_owned()).await.ok()?.ok()?;
        let Some(store) = self.service.get().store.clone() else {
            return Some(TableReply::Permanent("no mail is here".to_owned()));
        };
        let asking = tokio::task::spawn_blocking(move || {
            let found = store.delivery_path(&path);
            drop(place);
            found
        });
        Some(match timeout(deadline, asking).await.ok()?.ok()? {
            Ok(path) => match path.to_str() {
                Some(path) => TableReply::Found(format!("{path}/")),
                None => TableReply::Permanent("the mail root's path is not UTF-8".to_owned()),
            },
            Err(EnterFault::Forbidden(why)) => TableReply::Permanent(why),
            Err(fault @ EnterFault::Unavailable(_)) => TableReply::Temporary(fault.to_string()),
        })
    }
}

/// The path, counted from the mail root.
pub(super) fn path(person: &Identity) -> Result<&MaildropPath, TableReply> {
    if let MailHost::Rejected(why) = &person.mail_host {
        return Err(TableReply::Permanent(format!("no maildrop for {}: {why}", person.canonical_name)));
    }
    person
        .maildrop
        .as_ref()
        .map_err(|refusal| TableReply::Permanent(format!("no maildrop for {}: {refusal}", person.canonical_name)))
}

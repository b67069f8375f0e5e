//! What is looked at when directories or mail paths come into force, and logged only: nothing waits for it.

use std::sync::Arc;

use crate::audit::{self, Coverage};
use crate::connection::Service;
use crate::directory::Directory;
use crate::identity;

/// Logs whether a directory answers; the service starts in either case.
pub(super) fn probe(directory: Directory) {
    tokio::spawn(async move {
        let name = directory.settings().name.to_string();
        match directory.probe().await {
            Ok(()) => tracing::info!(name: "directory_answers", directory = name, "the directory answers"),
            Err(fault) => {
                tracing::error!(
                    name: "nobody_can_log_in",
                    directory = name, reason = fault.to_string(),
                    "nobody can log in until this is fixed"
                );
            }
        }
    });
}

/// Warns if nobody is found, or if people's paths probably do not lead to their mail: each login would
/// see an empty mailbox. The maildrops are remembered, so that a renamed person is noticed. Without an answer of every
/// directory nothing is known, and [`probe`] has logged that.
pub(super) async fn compare_mail(directories: Vec<Directory>, settings: identity::Settings, service: Arc<Service>) {
    let mut samples = Vec::new();
    for directory in &directories {
        let Ok(sample) = audit::sample(directory, &settings).await else { return };
        if sample.people.is_empty() {
            let of = directory.settings();
            let (name, base, filter) = (&*of.name, of.base.as_str(), &*of.filter);
            tracing::warn!(
                name: "no_people_found",
                directory = name,
                base,
                filter,
                "no people found, so nobody can log in: see `restante check`"
            );
        }
        for person in sample.here() {
            if let Ok(maildrop) = &person.maildrop {
                service.known.note(&person.id, &person.canonical_name, maildrop);
            }
        }
        samples.push(sample);
    }
    let Some(store) = service.store.clone() else { return };
    let compare = move || Coverage::compare(&store, &settings.root, &samples, directories.len());
    let Ok(mail) = tokio::task::spawn_blocking(compare).await else { return };
    match mail.doubt() {
        Some(doubt) => tracing::warn!(
            name: "mail_paths_doubtful",
            people = mail.people(), with_maildir = mail.with_maildir(),
            "{doubt}"
        ),
        None if mail.is_empty() => {
            let note = mail.note().unwrap_or_default();
            tracing::warn!(name: "no_maildirs_found", people = mail.people(), with_maildir = 0, "{note}");
        }
        None => tracing::info!(
            name: "mail_paths_checked",
            people = mail.people(),
            with_maildir = mail.with_maildir(),
            "mail paths checked for some people"
        ),
    }
}

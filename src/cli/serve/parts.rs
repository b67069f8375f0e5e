//! The parts of the service: as they are at the start, and as a new configuration makes them from those in force.

use std::sync::Arc;

use anyhow::anyhow;
use tokio::task::spawn_blocking;

use super::super::maildrops::serves_here;
use crate::config::Configuration;
use crate::connection::{MaildropLeases, Openings, RecentAddresses, Service};
use crate::directory::{self, Directory};
use crate::identity::{IdentityMap, KnownMaildrops};
use crate::ledger::Ledger;
use crate::maildir::{self, Store};
use crate::relay::BackEnds;

/// The service, and those of its parts that others look at.
pub(super) struct ServiceParts {
    pub(super) service: Arc<Service>,
    pub(super) directories: Vec<Directory>,
    /// What the store was made of.
    pub(super) maildir: maildir::Settings,
}

impl ServiceParts {
    /// The parts at the start. Blocks while the disk answers.
    pub(super) fn new(configuration: &Configuration) -> anyhow::Result<Self> {
        let Configuration { connection: settings, identity, maildir, mta, .. } = configuration.clone();
        let (people, ledger) = (identity.cache.people, Arc::new(Ledger::default()));
        let directories = directories(configuration.directories.clone(), &ledger);
        let (is_here, relay) = (serves_here(&identity), identity.relay.as_ref().map(|relay| relay.settings.clone()));
        let identities = IdentityMap::counted(directories.clone(), identity, ledger.clone());
        let identities = Arc::new(identities.map_err(|fault| anyhow!(fault))?);
        let store = is_here.then(|| open_store(maildir.clone())).transpose().map_err(|fault| anyhow!(fault))?;
        let opened = |store: &Arc<Store>| Openings::new(store.clone(), settings.file_deadline, ledger.clone());
        let openings = store.as_ref().map(opened);
        let back_ends = relay.map(|relay| Arc::new(BackEnds::new(relay, settings.hostname.clone(), &ledger)));
        let leases = Arc::new(MaildropLeases::new(settings.sessions));
        let (known, repeats) = (Arc::new(KnownMaildrops::new(people)), Arc::default());
        let recent = Arc::new(RecentAddresses::new(mta.pop_before_smtp()));
        let service =
            Service { identities, store, known, openings, settings, leases, repeats, recent, ledger, back_ends };
        Ok(Self { service: Arc::new(service), directories, maildir })
    }

    /// Parts for another configuration. Those that it does not concern are the same; nothing that is in force changes.
    ///
    /// # Errors
    /// A sentence: the mail root cannot be used, or the system gives no random numbers.
    pub(super) async fn renewed(&self, configuration: &Configuration) -> Result<Self, String> {
        let Configuration { connection: settings, identity, maildir, mta, .. } = configuration.clone();
        let (before, people) = (&*self.service, identity.cache.people);
        let (is_here, relay) = (serves_here(&identity), identity.relay.as_ref().map(|relay| relay.settings.clone()));
        let store = match &before.store {
            _ if !is_here => None,
            Some(store) if maildir == self.maildir => Some(store.clone()),
            _ => {
                let settings = maildir.clone();
                Some(spawn_blocking(move || open_store(settings)).await.map_err(|fault| fault.to_string())??)
            }
        };
        let (ledger, same_directories) = (before.ledger.clone(), self.has_directories(&configuration.directories));
        let directories = if same_directories {
            self.directories.clone()
        } else {
            directories(configuration.directories.clone(), &ledger)
        };
        let identities = before.identities.renewed(directories.clone(), same_directories, identity).await?;
        let known = if identities.shares_caches_with(&before.identities) {
            before.known.clone()
        } else {
            Arc::new(KnownMaildrops::new(people))
        };
        let opened = |store: &Arc<Store>| match &before.openings {
            Some(openings) => openings.renewed(store.clone(), settings.file_deadline),
            None => Openings::new(store.clone(), settings.file_deadline, ledger.clone()),
        };
        let openings = store.as_ref().map(opened);
        let back_ends = relay.map(|relay| {
            let hostname = settings.hostname.clone();
            Arc::new(match &before.back_ends {
                Some(back_ends) => back_ends.renewed(relay, hostname, &ledger),
                None => BackEnds::new(relay, hostname, &ledger),
            })
        });
        let (leases, repeats) = (Arc::new(before.leases.renewed(settings.sessions)), before.repeats.clone());
        let identities = Arc::new(identities);
        let recent = if before.recent.within() == mta.pop_before_smtp() {
            before.recent.clone()
        } else {
            Arc::new(RecentAddresses::new(mta.pop_before_smtp()))
        };
        let service =
            Service { identities, store, known, openings, settings, leases, repeats, recent, ledger, back_ends };
        Ok(Self { service: Arc::new(service), directories, maildir })
    }

    /// Whether these directories are the ones in use.
    pub(super) fn has_directories(&self, settings: &[directory::Settings]) -> bool {
        self.directories.iter().map(Directory::settings).eq(settings)
    }

    /// Closes connections to directories that are no longer in use. Sessions that go on keep nothing open there.
    pub(super) async fn retire_directories(&self, now: &[Directory]) {
        for directory in &self.directories {
            directory.close_idle().await;
            let name = &*directory.settings().name;
            for (url, _) in directory.servers() {
                let is_used = |other: &Directory| {
                    *other.settings().name == *name && other.servers().iter().any(|(used, _)| *used == url)
                };
                if !now.iter().any(is_used) {
                    self.service.ledger.directories.forget_server(name, &url);
                }
            }
        }
    }
}

fn directories(settings: Vec<directory::Settings>, ledger: &Ledger) -> Vec<Directory> {
    settings.into_iter().map(|settings| Directory::counted(settings, ledger)).collect()
}

fn open_store(settings: maildir::Settings) -> Result<Arc<Store>, String> {
    let store = Store::new(settings).map_err(|fault| fault.to_string())?;
    if let Err(fault) = store.note_time() {
        tracing::error!(name: "no_mail_removed_by_age", reason = fault.to_string(), "no mail is removed by age");
    }
    Ok(Arc::new(store))
}

//! Following a directory: content synchronisation (RFC 4533), so that what is held of a person falls as soon as their
//! entry changes. It makes lifetimes shorter, never longer.

use std::sync::Arc;
use std::time::Duration;

use ldap3::controls::{ControlType, RefreshMode, SyncInfo, SyncRequest, SyncState, parse_syncinfo};
use ldap3::{DerefAliases, Ldap, LdapError, ResultEntry, Scope, SearchEntry, SearchOptions};
use tokio::time::sleep;

use super::fault::told;
use super::{Directory, EntryId};

/// What a follower has heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// From now on every change will be heard; what was read before may have changed unheard.
    Following,
    /// This entry was added, changed, or is gone.
    Entry(EntryId),
    /// Changes are not heard any more, or not yet; why.
    Lost(String),
}

/// How long to wait before a lost directory is followed again: at first, and at most.
const PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// The Sync Request control (RFC 4533 §2.2).
const SYNC_REQUEST: &str = "1.3.6.1.4.1.4203.1.9.1.1";

/// No attributes are wanted (RFC 4511 §4.5.1.8), only to hear of the entry.
const NO_ATTRIBUTES: [&str; 1] = ["1.1"];

/// A server may learn to be followed by a change of its configuration, so it is asked again now and then.
const UNTIL_IT_LEARNS: Duration = Duration::from_secs(5 * 60);

/// How following ended.
struct Lost {
    why: String,
    /// It was followed for a while, so it is followed again soon.
    followed: bool,
    pause: Option<Duration>,
}

impl Directory {
    /// Follows the directory for as long as the future is polled, and tells every change as it comes.
    pub async fn follow(&self, tell: impl Fn(Change) + Send + Sync + 'static) {
        let (tell, mut pause) = (Arc::new(tell), PAUSE.0);
        loop {
            let (directory, told) = (self.clone(), Arc::clone(&tell));
            // A task of its own: the parsers of the LDAP library panic on what they do not know.
            let lost = match tokio::spawn(async move { directory.follow_once(&*told).await }).await {
                Ok(lost) => lost,
                Err(_) => Lost { why: "a message could not be understood".to_owned(), followed: true, pause: None },
            };
            tell(Change::Lost(lost.why));
            pause = if lost.followed { PAUSE.0 } else { (pause * 2).min(PAUSE.1) };
            sleep(lost.pause.unwrap_or(pause)).await;
        }
    }

    async fn follow_once(&self, tell: &(impl Fn(Change) + ?Sized)) -> Lost {
        let (settings, mut followed) = (self.settings(), false);
        let connection = match self.inner.servers.connect(settings, settings.bind.as_ref()).await {
            Ok(connection) => connection,
            Err(fault) => return Lost::before_it_began(&fault),
        };
        match knows_synchronisation(connection.handle(), settings.limits.operation).await {
            Ok(true) => {}
            Ok(false) => return Lost::for_long("the server does not know content synchronisation (RFC 4533)"),
            Err(fault) => return Lost::before_it_began(&fault),
        }
        let mut ldap = connection.handle();
        // Not critical: some servers answer that in a way which the LDAP library cannot read.
        let request = SyncRequest { mode: RefreshMode::RefreshAndPersist, cookie: None, reload_hint: false };
        ldap.with_search_options(SearchOptions::new().deref(DerefAliases::Never)).with_controls(request);
        let search = ldap.streaming_search(settings.base.as_str(), Scope::Subtree, &settings.filter, NO_ATTRIBUTES);
        let mut stream = match search.await {
            Ok(stream) => stream,
            Err(fault) => return Lost::before_it_began(&fault),
        };
        loop {
            match stream.next().await {
                Ok(Some(message)) => hear(message, &settings.name, &mut followed, tell),
                Ok(None) => break,
                Err(fault) => return Lost { why: fault.to_string(), followed, pause: None },
            }
        }
        let result = stream.finish().await;
        if !followed && result.rc == 0 {
            return Lost::for_long("the server tells the content, but no changes");
        }
        Lost { why: told(&result), followed, pause: None }
    }
}

impl Lost {
    fn before_it_began(fault: &dyn std::fmt::Display) -> Self {
        Self { why: fault.to_string(), followed: false, pause: None }
    }

    fn for_long(why: &str) -> Self {
        Self { why: why.to_owned(), followed: false, pause: Some(UNTIL_IT_LEARNS) }
    }
}

/// Asks the root DSE (RFC 4512 §5.1) for the controls that the server knows.
async fn knows_synchronisation(mut ldap: Ldap, limit: Duration) -> Result<bool, LdapError> {
    ldap.with_timeout(limit);
    let mut stream = ldap.streaming_search("", Scope::Base, "(objectClass=*)", ["supportedControl"]).await?;
    let mut known = false;
    while let Some(found) = stream.next().await? {
        if !found.is_ref() && !found.is_intermediate() {
            known |= SearchEntry::construct(found).attrs.values().flatten().any(|control| control == SYNC_REQUEST);
        }
    }
    stream.finish().await;
    Ok(known)
}

/// What is told before the refresh is done is the content as it is; what comes behind it are changes.
fn hear(message: ResultEntry, directory: &Arc<str>, followed: &mut bool, tell: &(impl Fn(Change) + ?Sized)) {
    if message.is_intermediate() {
        match parse_syncinfo(message) {
            SyncInfo::RefreshDelete { refresh_done: true, .. }
            | SyncInfo::RefreshPresent { refresh_done: true, .. } => {
                *followed = true;
                tell(Change::Following);
            }
            SyncInfo::SyncIdSet { sync_uuids, .. } if *followed => {
                for uuid in &sync_uuids {
                    tell(Change::Entry(EntryId::of_uuid(uuid, directory)));
                }
            }
            _ => {}
        }
        return;
    }
    if message.is_ref() || !*followed {
        return;
    }
    for control in message.1 {
        if matches!(control.0, Some(ControlType::SyncState)) {
            tell(Change::Entry(EntryId::of_uuid(&control.1.parse::<SyncState>().entry_uuid, directory)));
        }
    }
}

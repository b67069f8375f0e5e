//! Following a directory: content synchronisation (RFC 4533), so that what is held of a person falls as soon as their
//! entry changes. It makes lifetimes shorter, never longer.

use std::sync::Arc;
use std::time::Duration;

use ldap3::controls::{ControlType, MakeCritical, RefreshMode, SyncInfo, SyncRequest, SyncState, parse_syncinfo};
use ldap3::{DerefAliases, ResultEntry, Scope, SearchOptions};
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

/// The result code of a server that does not know the control (RFC 4511 §4.1.11). It may learn it by a change of its
/// configuration, so it is asked again now and then.
const UNKNOWN_CONTROL: u32 = 12;
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
        let lost = |why: String, followed| Lost { why, followed, pause: None };
        let connection = match self.inner.servers.connect(settings, settings.bind.as_ref()).await {
            Ok(connection) => connection,
            Err(fault) => return lost(fault.to_string(), false),
        };
        let mut ldap = connection.handle();
        let request = SyncRequest { mode: RefreshMode::RefreshAndPersist, cookie: None, reload_hint: false };
        ldap.with_search_options(SearchOptions::new().deref(DerefAliases::Never)).with_controls(request.critical());
        // "1.1": no attributes (RFC 4511 §4.5.1.8).
        let search = ldap.streaming_search(settings.base.as_str(), Scope::Subtree, &settings.filter, ["1.1"]);
        let mut stream = match search.await {
            Ok(stream) => stream,
            Err(fault) => return lost(fault.to_string(), false),
        };
        loop {
            match stream.next().await {
                Ok(Some(message)) => hear(message, &mut followed, tell),
                Ok(None) => break,
                Err(fault) => return lost(fault.to_string(), followed),
            }
        }
        let result = stream.finish().await;
        let pause = (result.rc == UNKNOWN_CONTROL).then_some(UNTIL_IT_LEARNS);
        Lost { why: told(&result), followed, pause }
    }
}

/// What is told before the refresh is done is the content as it is; what comes behind it are changes.
fn hear(message: ResultEntry, followed: &mut bool, tell: &(impl Fn(Change) + ?Sized)) {
    if message.is_intermediate() {
        match parse_syncinfo(message) {
            SyncInfo::RefreshDelete { refresh_done: true, .. }
            | SyncInfo::RefreshPresent { refresh_done: true, .. } => {
                *followed = true;
                tell(Change::Following);
            }
            SyncInfo::SyncIdSet { sync_uuids, .. } if *followed => {
                for uuid in &sync_uuids {
                    tell(Change::Entry(EntryId::of_uuid(uuid)));
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
            tell(Change::Entry(EntryId::of_uuid(&control.1.parse::<SyncState>().entry_uuid)));
        }
    }
}

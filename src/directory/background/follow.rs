//! Following a directory: content synchronisation (RFC 4533), so that cached data about a person is dropped as soon as
//! their entry, or a group that admits people, changes. It makes cache lifetimes shorter, never longer.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ldap3::controls::{ControlType, EntryState, RefreshMode, SyncInfo, SyncRequest, SyncState, parse_syncinfo};
use ldap3::{DerefAliases, Ldap, LdapError, ResultEntry, Scope, SearchEntry, SearchOptions};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::last_read::LastRead;
use crate::directory::entries::{Entry, EntryId, WITH_MEMBERS, constructed};
use crate::directory::fault::describe;
use crate::directory::ldap::{Purpose, Servers, attributes};
use crate::directory::settings::Settings;
use crate::names::Dn;

/// What a follower reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// From now on every change is reported; what was read before may have changed unnoticed.
    Following,
    /// This entry was added, changed, or is gone.
    Entry(EntryId),
    /// A group was added, changed, or is gone: anybody may have become a member, or may no longer be one.
    Groups,
    /// Changes are no longer reported, or not yet; why.
    Lost(String),
}

/// How long to wait before a lost directory is followed again: at first, and at most.
const PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// The Sync Request control (RFC 4533 §2.2).
const SYNC_REQUEST: &str = "1.3.6.1.4.1.4203.1.9.1.1";

/// No attributes are wanted (RFC 4511 §4.5.1.8), only notice of the entry.
const NO_ATTRIBUTES: [&str; 1] = ["1.1"];

/// A server may learn content synchronisation by a change of its configuration, so it is asked again after this time.
const UNTIL_IT_LEARNS: Duration = Duration::from_secs(5 * 60);

/// Some servers report a changed group before they change memberOf in the entries of its members: an entry that is read
/// in between has the old value.
const LISTED_BY_THEN: Duration = Duration::from_millis(500);

/// Receives every change.
pub(crate) type OnChange = Arc<dyn Fn(Change) + Send + Sync>;

/// One search that is followed.
struct FollowedSearch {
    base: String,
    scope: Scope,
    filter: String,
    of_groups: bool,
    /// The attributes read of each entry.
    attributes: Vec<String>,
}

/// How following ended.
struct FollowEnd {
    why: String,
    /// It was followed for a while, so it is tried again soon.
    followed: bool,
    pause: Option<Duration>,
}

/// Follows one directory.
#[derive(Clone)]
pub(crate) struct Follower {
    pub(crate) servers: Arc<Servers>,
    /// What logins read, so that a change which concerns nobody is not reported.
    pub(crate) last_read: Arc<LastRead>,
    pub(crate) report: OnChange,
}

impl Follower {
    /// Follows the directory for as long as the future is polled, and reports every change as it comes. A failure to
    /// follow is reported once, until it is followed again; meanwhile cached data is kept for its lifetime.
    pub(crate) async fn run(&self) {
        let mut pause = PAUSE.0;
        let mut is_reported = false;
        loop {
            let follower = self.clone();
            // A task of its own: the parsers of the LDAP library panic on unknown messages.
            let lost = match tokio::spawn(async move { follower.follow_once().await }).await {
                Ok(lost) => lost,
                Err(_) => FollowEnd::by_a_message(),
            };
            if lost.followed || !is_reported {
                (self.report)(Change::Lost(lost.why));
            } else {
                tracing::debug!(
                    name: "directory_still_not_followed",
                    reason = lost.why,
                    "the directory is still not followed"
                );
            }
            is_reported = true;
            pause = if lost.followed { PAUSE.0 } else { (pause * 2).min(PAUSE.1) };
            sleep(lost.pause.unwrap_or(pause)).await;
        }
    }

    /// All searches share one connection: if one of them ends, all do.
    async fn follow_once(&self) -> FollowEnd {
        let settings = self.servers.settings();
        let connection = match self.servers.connect(Purpose::Searches).await {
            Ok(connection) => connection,
            Err(fault) => return FollowEnd::before_it_began(&fault),
        };
        match knows_synchronisation(connection.handle(), settings.limits.operation).await {
            Ok(true) => {}
            Ok(false) => return FollowEnd::for_long("the server does not know content synchronisation (RFC 4533)"),
            Err(fault) => return FollowEnd::before_it_began(&fault),
        }
        let (parts, mut listening) = (FollowedSearch::all(settings), JoinSet::new());
        let unheard = Arc::new(AtomicUsize::new(parts.len()));
        for part in parts {
            let hearing =
                SearchListener { follower: self.clone(), unheard: Arc::clone(&unheard), part, followed: false };
            listening.spawn(hearing.listen(connection.handle()));
        }
        let lost = match listening.join_next().await {
            Some(Ok(lost)) => lost,
            Some(Err(_)) | None => FollowEnd::by_a_message(),
        };
        FollowEnd { followed: unheard.load(Ordering::Acquire) == 0, ..lost }
    }
}

impl FollowedSearch {
    /// The people and, if a group admits them, the groups through which they may be its members.
    fn all(settings: &Settings) -> Vec<Self> {
        let below = |base: &Dn, filter: &str, of_groups| Self {
            base: base.to_string(),
            scope: Scope::Subtree,
            filter: filter.to_owned(),
            of_groups,
            attributes: NO_ATTRIBUTES.map(str::to_owned).to_vec(),
        };
        let of_people = attributes(settings).into_iter().map(str::to_owned).collect();
        let mut parts = vec![Self { attributes: of_people, ..below(&settings.base, &settings.filter, false) }];
        let Some(group) = settings.admission.group.as_ref().filter(|group| !group.computed) else { return parts };
        parts.push(below(&group.base, WITH_MEMBERS, true));
        if !group.dn.is_within(&group.base) {
            parts.push(Self { scope: Scope::Base, ..below(&group.dn, "(objectClass=*)", true) });
        }
        parts
    }
}

/// One search while its changes are received.
struct SearchListener {
    follower: Follower,
    /// The searches that are not followed yet.
    unheard: Arc<AtomicUsize>,
    part: FollowedSearch,
    followed: bool,
}

impl SearchListener {
    async fn listen(mut self, mut ldap: Ldap) -> FollowEnd {
        let lost = self.listen_on(&mut ldap).await;
        FollowEnd { why: format!("changes below {}: {}", self.part.base, lost.why), ..lost }
    }

    async fn listen_on(&mut self, ldap: &mut Ldap) -> FollowEnd {
        // Not critical: some servers answer that in a way which the LDAP library cannot read.
        let request = SyncRequest { mode: RefreshMode::RefreshAndPersist, cookie: None, reload_hint: false };
        ldap.with_search_options(SearchOptions::new().deref(DerefAliases::Never)).with_controls(request);
        let search =
            ldap.streaming_search(&self.part.base, self.part.scope, &self.part.filter, self.part.attributes.clone());
        let mut stream = match search.await {
            Ok(stream) => stream,
            Err(fault) => return FollowEnd::before_it_began(&fault),
        };
        loop {
            match stream.next().await {
                Ok(Some(message)) => self.receive(message),
                Ok(None) => break,
                Err(fault) => return FollowEnd { why: fault.to_string(), followed: self.followed, pause: None },
            }
        }
        let result = stream.finish().await;
        if !self.followed && result.rc == 0 {
            return FollowEnd::for_long("the server tells the content, but no changes");
        }
        FollowEnd { why: describe(&result), followed: self.followed, pause: None }
    }

    /// Before the refresh is done, messages are the current content; after it, changes.
    fn receive(&mut self, mut message: ResultEntry) {
        if message.is_intermediate() {
            match parse_syncinfo(message) {
                SyncInfo::RefreshDelete { refresh_done: true, .. }
                | SyncInfo::RefreshPresent { refresh_done: true, .. } => self.begin(),
                SyncInfo::SyncIdSet { sync_uuids, .. } => sync_uuids.iter().for_each(|uuid| self.changed(uuid)),
                _ => {}
            }
            return;
        }
        if message.is_ref() {
            return;
        }
        let controls = std::mem::take(&mut message.1);
        let of_state = controls.into_iter().find(|control| matches!(control.0, Some(ControlType::SyncState)));
        let Some(state) = of_state.map(|control| control.1.parse::<SyncState>()) else { return };
        if !self.concerns_nobody(&state, message) {
            self.changed(&state.entry_uuid);
        }
    }

    /// Whether nothing that concerns the entry's person was changed.
    fn concerns_nobody(&self, state: &SyncState, message: ResultEntry) -> bool {
        if !self.followed || self.part.of_groups || !matches!(state.state, EntryState::Modify) {
            return false;
        }
        let directory = &self.follower.servers.settings().name;
        let entry = Entry::read(constructed(message), directory);
        let concerns_nobody = self.follower.last_read.is_unchanged(&entry);
        if concerns_nobody {
            tracing::debug!(
                name: "entry_changed_without_effect",
                directory = &**directory,
                id = entry.id.to_string(),
                "an entry has changed, but nothing that concerns its person"
            );
        }
        concerns_nobody
    }

    /// The directory is followed once all searches are.
    fn begin(&mut self) {
        if !std::mem::replace(&mut self.followed, true) && self.unheard.fetch_sub(1, Ordering::AcqRel) == 1 {
            (self.follower.report)(Change::Following);
        }
    }

    fn changed(&self, uuid: &[u8]) {
        if !self.followed {
            return;
        }
        if !self.part.of_groups {
            let id = EntryId::of_uuid(uuid, &self.follower.servers.settings().name);
            self.follower.last_read.forget(&id);
            return (self.follower.report)(Change::Entry(id));
        }
        (self.follower.report)(Change::Groups);
        let report = Arc::clone(&self.follower.report);
        tokio::spawn(async move {
            sleep(LISTED_BY_THEN).await;
            report(Change::Groups);
        });
    }
}

impl FollowEnd {
    fn before_it_began(fault: &dyn std::fmt::Display) -> Self {
        Self { why: fault.to_string(), followed: false, pause: None }
    }

    fn for_long(why: &str) -> Self {
        Self { why: why.to_owned(), followed: false, pause: Some(UNTIL_IT_LEARNS) }
    }

    fn by_a_message() -> Self {
        Self { why: "a message could not be understood".to_owned(), followed: true, pause: None }
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

//! What a directory server says to a bind, to a look at an entry, and to a follower of its changes, word for word.

use std::collections::BTreeMap;
use std::fmt;

use ldap3::asn1::PL;
use ldap3::controls::{Control, EntryState, RawControl, RefreshMode, SyncInfo, SyncRequest, SyncState, parse_syncinfo};
use ldap3::{Ldap, LdapConnAsync, LdapConnSettings, ResultEntry, Scope, SearchEntry, SearchStream};
use restante::demo::people::{SERVICE, service_password};

use super::PATIENCE;
use super::conversation::trusting;
use super::directory::RealDirectory;

/// The control of draft-behera-ldap-password-policy, in requests and in responses.
pub const POLICY: &str = "1.3.6.1.4.1.42.2.27.8.5.1";
/// Netscape's control in the answer to a bind whose password is expired or must be changed.
pub const EXPIRED: &str = "2.16.840.1.113730.3.4.4";
/// The control that carries what became of an entry (RFC 4533).
const SYNC_STATE: &str = "1.3.6.1.4.1.4203.1.9.1.2";

/// The answer to a bind.
#[derive(Debug)]
pub struct Bound {
    pub code: u32,
    pub text: String,
    pub controls: Vec<RawControl>,
}

impl fmt::Display for Bound {
    /// The code, the diagnostic text as it stands, and each control with its value in hexadecimal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.code, self.text)?;
        for control in &self.controls {
            write!(f, " {}=", control.ctype)?;
            control.val.iter().flatten().try_for_each(|octet| write!(f, "{octet:02x}"))?;
        }
        Ok(())
    }
}

/// Connects with TLS.
pub async fn connect(directory: &impl RealDirectory) -> Ldap {
    let settings = LdapConnSettings::new().set_conn_timeout(PATIENCE).set_config(trusting(&directory.authority()));
    let (connection, ldap) = LdapConnAsync::with_settings(settings, &directory.tls_url()).await.unwrap();
    tokio::spawn(connection.drive());
    ldap
}

/// Connects, and binds as the service's own entry.
pub async fn service(directory: &impl RealDirectory) -> Ldap {
    let mut ldap = connect(directory).await;
    ldap.with_timeout(PATIENCE).simple_bind(SERVICE, &service_password().unwrap()).await.unwrap().success().unwrap();
    ldap
}

/// Binds as a person, and asks for the password policy's control.
pub async fn bind(directory: &impl RealDirectory, short_name: &str, password: &str) -> Bound {
    bind_as(&mut connect(directory).await, &directory.dn(short_name), password).await
}

/// Binds by any name that the server may know.
pub async fn bind_as(ldap: &mut Ldap, name: &str, password: &str) -> Bound {
    let policy = RawControl { ctype: POLICY.to_owned(), crit: false, val: None };
    let answer = ldap.with_timeout(PATIENCE).with_controls(policy).simple_bind(name, password).await.unwrap();
    let controls = answer.ctrls.into_iter().map(|Control(_, raw)| raw).collect();
    Bound { code: answer.rc, text: answer.text, controls }
}

/// What can be read of one entry: names in lower case, values as they come.
pub async fn read(ldap: &mut Ldap, dn: &str, attributes: &[&str]) -> BTreeMap<String, Vec<Vec<u8>>> {
    let found = ldap.with_timeout(PATIENCE).search(dn, Scope::Base, "(objectClass=*)", attributes).await.unwrap();
    let (mut entries, _) = found.success().unwrap();
    let entry = SearchEntry::construct(entries.remove(0));
    let texts =
        entry.attrs.into_iter().map(|(name, values)| (name, values.into_iter().map(String::into_bytes).collect()));
    texts.chain(entry.bin_attrs).map(|(name, values): (String, Vec<_>)| (name.to_ascii_lowercase(), values)).collect()
}

/// One attribute's only value, as text; nothing if it cannot be read.
pub async fn read_one(ldap: &mut Ldap, dn: &str, attribute: &str) -> Option<String> {
    let mut found = read(ldap, dn, &[attribute]).await;
    found.remove(&attribute.to_ascii_lowercase()).map(|mut values| String::from_utf8(values.remove(0)).unwrap())
}

/// Somebody who follows the people of a directory (RFC 4533, refreshAndPersist).
pub struct Follower {
    stream: SearchStream<'static, &'static str, Vec<&'static str>>,
}

impl Follower {
    /// Begins to follow all people below a base, without a cookie.
    pub async fn of(mut ldap: Ldap, base: &str) -> Self {
        let request = SyncRequest { mode: RefreshMode::RefreshAndPersist, cookie: None, reload_hint: false };
        let search = ldap.with_controls(request);
        let stream = search.streaming_search(base, Scope::Subtree, "(uid=*)", vec!["uid"]).await.unwrap();
        Self { stream }
    }

    /// The next message, in words: `add`, `modify`, `delete` with the entry's DN; `refreshed`; or the end's result code.
    pub async fn next(&mut self) -> String {
        let next = tokio::time::timeout(PATIENCE, self.stream.next()).await.expect("the directory tells nothing");
        match next.unwrap() {
            Some(message) if message.is_intermediate() => information(&parse_syncinfo(message)),
            Some(entry) => state(entry),
            None => format!("ended with {}", self.stream.finish().await.rc),
        }
    }

    /// All messages up to and with the end of the refresh.
    pub async fn refresh(&mut self) -> Vec<String> {
        let mut messages = Vec::new();
        while messages.last().is_none_or(|last| last != "refreshed") {
            messages.push(self.next().await);
        }
        messages
    }
}

fn information(information: &SyncInfo) -> String {
    match information {
        SyncInfo::RefreshDelete { refresh_done: true, .. } | SyncInfo::RefreshPresent { refresh_done: true, .. } => {
            "refreshed".to_owned()
        }
        other => format!("{other:?}"),
    }
}

fn state(entry: ResultEntry) -> String {
    let control = entry.1.iter().find(|Control(_, raw)| raw.ctype == SYNC_STATE).expect("an entry without its state");
    let state: SyncState = control.1.parse();
    assert_eq!(state.entry_uuid.len(), 16, "{state:?}");
    let what = match state.state {
        EntryState::Present => "present",
        EntryState::Add => "add",
        EntryState::Modify => "modify",
        EntryState::Delete => "delete",
    };
    format!("{what} {}", dn(entry))
}

/// The DN alone: [`SearchEntry::construct`] would want attributes, which a deleted entry may lack.
fn dn(entry: ResultEntry) -> String {
    let PL::C(mut parts) = entry.0.payload else { panic!("an entry without parts") };
    let PL::P(dn) = parts.remove(0).payload else { panic!("a DN that has parts") };
    String::from_utf8(dn).unwrap()
}

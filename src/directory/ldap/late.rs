//! Binds without an answer in time. One alone says nothing about the server: an overlay may ask another server about
//! one person. A server is down if it does not answer a search of its root DSE either, or if it answers nobody's bind.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ldap3::{Ldap, LdapError};
use tokio::time::{sleep, timeout};

use super::connect::connect;
use super::question::Question;
use crate::directory::settings::Settings;
use crate::names::Dn;

/// What is known about the binds at each server.
#[derive(Default)]
pub(super) struct LateBinds {
    servers: Mutex<HashMap<usize, AtServer>>,
}

#[derive(Default)]
struct AtServer {
    /// Binds that were answered so far.
    answered: u64,
    /// Whose bind was late last, and how many had been answered by then.
    late: Option<(Dn, u64)>,
}

impl LateBinds {
    /// Binds that a server has answered so far.
    pub(crate) fn answered(&self, server: usize) -> u64 {
        self.servers().entry(server).or_default().answered
    }

    /// A server answered a bind, whatever the answer was.
    pub(super) fn note_answer(&self, server: usize) {
        self.servers().entry(server).or_default().answered += 1;
    }

    /// Notes a late bind, before which this many were answered. Returns whether the server answers nobody's bind: none
    /// was answered since this one began, nor since the last late one, which was for another entry.
    pub(super) fn note_late(&self, server: usize, dn: &Dn, answered_before: u64) -> bool {
        let mut servers = self.servers();
        let at_server = servers.entry(server).or_default();
        let last = at_server.late.replace((dn.clone(), at_server.answered));
        let is_of_another = last.is_some_and(|(other, by_then)| other != *dn && by_then == at_server.answered);
        is_of_another && answered_before == at_server.answered
    }

    fn servers(&self) -> MutexGuard<'_, HashMap<usize, AtServer>> {
        self.servers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for half of the time that one operation may take; then asks the server, over a connection of its own, whether it
/// answers within the other half.
pub(super) async fn answers_otherwise(settings: &Settings, server: usize) -> bool {
    let half = settings.limits.operation / 2;
    sleep(half).await;
    let ask = async {
        let connection = connect(settings, server).await.ok()?;
        sign_of_life(connection.handle(), settings, half).await.ok()
    };
    timeout(half, ask).await.ok().flatten().is_some()
}

/// Reads the root DSE (RFC 4512 §5.1), which every server shows to everybody. Any answer shows that it is alive.
pub(crate) async fn sign_of_life(ldap: Ldap, settings: &Settings, limit: Duration) -> Result<(), LdapError> {
    let root = Question::read("", "(objectClass=*)", &["1.1"]);
    root.run(ldap, settings, limit).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_answers_neither_of_two_people_is_down() {
        let [one, other] = ["uid=one,dc=example", "uid=other,dc=example"].map(|dn| Dn::parse(dn).unwrap());
        let binds = LateBinds::default();
        for dn in [&one, &one] {
            assert!(!binds.note_late(0, dn, binds.answered(0)), "the same one again");
        }
        assert!(!binds.note_late(1, &other, binds.answered(1)), "another server");
        assert!(binds.note_late(0, &other, binds.answered(0)));
        assert!(binds.note_late(0, &one, binds.answered(0)));
    }

    #[test]
    fn a_server_that_answers_others_is_not_down() {
        let [one, other] = ["uid=one,dc=example", "uid=other,dc=example"].map(|dn| Dn::parse(dn).unwrap());
        let binds = LateBinds::default();
        binds.note_late(0, &one, binds.answered(0));
        binds.note_answer(0);
        assert!(!binds.note_late(0, &other, binds.answered(0)), "answered since the last late one");
        let before = binds.answered(0);
        binds.note_answer(0);
        binds.note_late(0, &one, binds.answered(0));
        assert!(!binds.note_late(0, &other, before), "answered since it began");
    }
}

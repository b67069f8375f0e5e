//! One search on a connection: read to its end, or abandoned when it is late.

use std::time::Duration;

use ldap3::{DerefAliases, Ldap, LdapError, LdapResult, SearchEntry, SearchOptions};
use tokio::time::{Instant, timeout_at};

use super::question::{Question, attributes};
use crate::directory::entries::constructed;
use crate::directory::settings::Settings;

type SearchStream<'a> = ldap3::SearchStream<'a, String, Vec<String>>;

/// How long sending an Abandon may take. It has no answer, so only a full socket can delay it.
const ABANDON_WITHIN: Duration = Duration::from_secs(1);

impl Question {
    /// Asks, and reads all entries within a time limit. No step takes longer than one operation may.
    ///
    /// A streaming search without adapter: the plain one leaks its message-id.
    pub(crate) async fn run(
        &self,
        mut ldap: Ldap,
        settings: &Settings,
        limit: Duration,
    ) -> Result<(Vec<SearchEntry>, LdapResult), LdapError> {
        let deadline = Instant::now() + limit;
        let options = SearchOptions::new().sizelimit(self.limit).deref(DerefAliases::Never);
        ldap.with_timeout(settings.limits.operation).with_search_options(options);
        let search = ldap.streaming_search(&self.base, self.scope, &self.filter, self.wanted(settings));
        let mut stream = timeout_at(deadline, search).await??;
        let read = match timeout_at(deadline, read(&mut stream)).await {
            Ok(read) => read,
            Err(late) => Err(late.into()),
        };
        if matches!(read, Err(LdapError::Timeout { .. })) {
            abandon(&mut stream).await;
        }
        // Frees the message-id, too.
        let result = stream.finish().await;
        Ok((read?, result))
    }

    fn wanted(&self, settings: &Settings) -> Vec<String> {
        let of_people = || {
            let mut wanted: Vec<String> = attributes(settings).into_iter().map(str::to_owned).collect();
            wanted.extend(self.certificates.then(|| settings.attributes.certificate.clone()));
            wanted
        };
        self.wanted.clone().unwrap_or_else(of_people)
    }
}

async fn read(stream: &mut SearchStream<'_>) -> Result<Vec<SearchEntry>, LdapError> {
    let mut entries = Vec::new();
    while let Some(found) = stream.next().await? {
        // Referrals are not followed.
        if !found.is_ref() && !found.is_intermediate() {
            entries.push(constructed(found));
        }
    }
    Ok(entries)
}

/// "The Abandon operation allows a client to request that the server abandon an uncompleted operation" (RFC 4511
/// §4.11). The LDAP library does not do so by itself: the server would continue the search, and send entries that
/// nobody waits for.
async fn abandon(stream: &mut SearchStream<'_>) {
    let ldap = stream.ldap_handle();
    let (message_id, mut other) = (ldap.last_id(), ldap.clone());
    if let Err(fault) = other.with_timeout(ABANDON_WITHIN).abandon(message_id).await {
        tracing::debug!(
            name: "late_search_not_abandoned",
            reason = fault.to_string(),
            "a late search could not be abandoned"
        );
    }
}

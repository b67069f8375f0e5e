//! Which attributes the service may not read, as far as a directory lets that be told.

use ldap3::Scope;

use super::search::{Question, Searcher};
use super::servers::Servers;
use super::state::STATE;
use super::{Entry, Fault, Settings};

/// Computed when they are read, on every account of Active Directory; no filter may name them.
const COMPUTED: &str = "msDS-User-Account-Control-Computed";

impl Searcher {
    /// Those of [`STATE`] that the directory's schema knows, and that the service can neither read nor name in a filter
    /// on one person's entry.
    ///
    /// RFC 4511 §4.5.1.7: a filter on an attribute that may not be seen is neither true nor false, and so is its
    /// negation. So `(|(a=*)(!(a=*)))` finds an entry only if `a` may be seen, whether the entry has it or not.
    pub(super) async fn unreadable_states(&self, settings: &Settings, servers: &Servers) -> Result<Vec<String>, Fault> {
        let Some(sample) = self.sample(settings, servers).await? else { return Ok(Vec::new()) };
        let known = self.known_states(settings, servers, sample.dn.as_str()).await?;
        let mut unreadable = Vec::new();
        for attribute in known.into_iter().filter(|attribute| sample.values(attribute).is_empty()) {
            if attribute == COMPUTED || !self.may_be_seen(settings, servers, &sample, attribute).await? {
                unreadable.push(attribute.to_owned());
            }
        }
        Ok(unreadable)
    }

    /// Whether one attribute is such, or unknown to the directory.
    pub(super) async fn is_unreadable(
        &self,
        settings: &Settings,
        servers: &Servers,
        attribute: &str,
    ) -> Result<bool, Fault> {
        let Some(sample) = self.sample(settings, servers).await? else { return Ok(false) };
        Ok(!self.may_be_seen(settings, servers, &sample, attribute).await?)
    }

    /// Whether the service may name an attribute in a filter on an entry.
    async fn may_be_seen(
        &self,
        settings: &Settings,
        servers: &Servers,
        sample: &Entry,
        attribute: &str,
    ) -> Result<bool, Fault> {
        let filter = format!("(|({attribute}=*)(!({attribute}=*)))");
        Ok(self.read(settings, servers, sample.dn.as_str(), &filter, "1.1").await?.is_some())
    }

    /// Those that the directory's schema has; none if it does not show its schema (RFC 4512 §4.4: every entry says where
    /// it is).
    async fn known_states(
        &self,
        settings: &Settings,
        servers: &Servers,
        person: &str,
    ) -> Result<Vec<&'static str>, Fault> {
        let entry = self.read(settings, servers, person, "(objectClass=*)", "subschemaSubentry").await?;
        let Some(subentry) = entry.and_then(|entry| entry.values("subschemaSubentry").first().cloned()) else {
            return Ok(Vec::new());
        };
        let schema = self.read(settings, servers, &subentry, "(objectClass=*)", "attributeTypes").await?;
        let Some(schema) = schema else { return Ok(Vec::new()) };
        let is_known = |name: &&str| {
            let quoted = format!("'{}'", name.to_lowercase());
            schema.values("attributeTypes").iter().any(|kind| kind.to_lowercase().contains(&quoted))
        };
        Ok(STATE.into_iter().filter(is_known).collect())
    }

    /// Somebody's entry.
    async fn sample(&self, settings: &Settings, servers: &Servers) -> Result<Option<Entry>, Fault> {
        // Two, since a search cut short at one is told apart from an answer only by what was found.
        let people = Question::people(settings, "(objectClass=*)", 2);
        let service = settings.bind.as_ref().map(|bind| &bind.dn);
        let found = self.ask(settings, servers, &people).await?;
        Ok(found.into_iter().find(|entry| service.is_none_or(|service| !service.matches(&entry.dn))))
    }

    async fn read(
        &self,
        settings: &Settings,
        servers: &Servers,
        dn: &str,
        filter: &str,
        attribute: &str,
    ) -> Result<Option<Entry>, Fault> {
        let question = Question {
            base: dn.to_owned(),
            scope: Scope::Base,
            filter: filter.to_owned(),
            limit: 0,
            parents: None,
            certificates: false,
            wanted: Some(vec![attribute.to_owned()]),
        };
        Ok(self.ask(settings, servers, &question).await?.into_iter().next())
    }
}

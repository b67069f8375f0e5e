//! Which entry lies at a DN: a name can be given to a successor.

use crate::directory::entries::{EntryId, IDS};
use crate::directory::fault::Fault;
use crate::directory::ldap::{Question, Searcher, Servers};
use crate::directory::settings::Settings;
use crate::names::Dn;

impl Searcher {
    /// The id of the person's entry at a DN; none if no person has that DN.
    pub(crate) async fn id_at(
        &self,
        settings: &Settings,
        servers: &Servers,
        dn: &Dn,
    ) -> Result<Option<EntryId>, Fault> {
        let wanted = Some(IDS.map(str::to_owned).to_vec());
        let question = Question { wanted, ..Question::entry(settings, dn.as_str()) };
        let found = self.ask(settings, servers, &question).await?;
        Ok(found.into_iter().next().map(|entry| entry.id))
    }
}

//! The SCRAM credentials in a person's entry (RFC 5803). They are read at each login by SCRAM, and only those of that
//! person: they are enough to log in to other servers as that person, or to guess a weak password offline.

use zeroize::Zeroizing;

use crate::directory::entries::{CHANGE_STAMPS, EntryId, IDS};
use crate::directory::fault::Fault;
use crate::directory::ldap::{Question, Searcher};
use crate::names::Dn;

/// The SCRAM credentials of an entry.
pub struct StoredScram {
    /// The entry.
    pub id: EntryId,
    /// The values of the attribute, whatever their scheme.
    pub values: Vec<Zeroizing<Vec<u8>>>,
}

/// The credentials of a person's entry; none if no person has that DN, or no attribute is configured.
pub(crate) async fn scram(searcher: &Searcher, dn: &Dn) -> Result<Option<StoredScram>, Fault> {
    let Some(attribute) = &searcher.settings().attributes.scram else { return Ok(None) };
    let wanted = IDS.into_iter().chain(CHANGE_STAMPS).chain([attribute.as_str()]).map(str::to_owned).collect();
    let question = Question { wanted: Some(wanted), ..Question::entry(searcher.settings(), dn.as_str()) };
    let found = searcher.ask_for_one(&question).await?;
    Ok(found.map(|mut entry| {
        let values = entry.take_octets(attribute).into_iter().map(Zeroizing::new).collect();
        StoredScram { id: entry.id, values }
    }))
}

//! Who has a login name, and which entry has a DN now: both can be given to a successor.

use super::membership::{exclusion, probe_group};
use crate::directory::entries::{Entry, EntryId, IDS};
use crate::directory::fault::Fault;
use crate::directory::ldap::{NAMESAKES, Question, Searcher};
use crate::names::{Dn, LookUp};

/// The entries that match a look-up, each once; if there are more than `most`, there may be others.
pub(crate) async fn look_up(searcher: &Searcher, look_up: &LookUp, most: u8) -> Result<Vec<Entry>, Fault> {
    let mut found: Vec<Entry> = Vec::new();
    for question in Question::all(searcher.settings(), look_up, most) {
        merge(&mut found, ask_for_people(searcher, question).await?);
    }
    with_exclusions(searcher, found, most).await
}

/// Losers of a replication conflict count towards the size limit: if there are some and the limit was reached, the
/// search is repeated with a higher one.
pub(super) async fn ask_for_people(searcher: &Searcher, question: Question) -> Result<Vec<Entry>, Fault> {
    let found = searcher.ask(&question).await?;
    let is_full = i32::try_from(found.len()).is_ok_and(|count| count >= question.limit);
    if !is_full || question.limit >= NAMESAKES || !found.iter().any(Entry::lost_conflict) {
        return Ok(found);
    }
    searcher.ask(&Question { limit: NAMESAKES, ..question }).await
}

/// People, without the service itself, each with the reason if the directory does not admit them.
pub(super) async fn with_exclusions(searcher: &Searcher, mut found: Vec<Entry>, most: u8) -> Result<Vec<Entry>, Fault> {
    found.retain(|entry| !searcher.settings().is_service(entry));
    let mut fitting: Vec<&mut Entry> = found.iter_mut().filter(|entry| entry.out_of_scope.is_none()).collect();
    // An ambiguous name is rejected anyway.
    if fitting.len() <= usize::from(most) {
        for entry in &mut fitting {
            entry.exclusion = exclusion(searcher, entry).await?;
        }
    }
    Ok(found)
}

/// Whether there is an answer, and the search base exists.
pub(crate) async fn probe(searcher: &Searcher) -> Result<(), Fault> {
    searcher.ask(&Question::nobody(searcher.settings())).await?;
    probe_group(searcher).await
}

/// The id of the person's entry at a DN; none if no person has that DN.
pub(crate) async fn id_at(searcher: &Searcher, dn: &Dn) -> Result<Option<EntryId>, Fault> {
    let wanted = Some(IDS.map(str::to_owned).to_vec());
    let question = Question { wanted, ..Question::entry(searcher.settings(), dn.as_str()) };
    Ok(searcher.ask_for_one(&question).await?.map(|entry| entry.id))
}

/// A person's entry, wherever it was moved below the search base; none if no person has it any more.
pub(crate) async fn entry_of(searcher: &Searcher, id: &EntryId, dn: &Dn) -> Result<Option<Entry>, Fault> {
    let settings = searcher.settings();
    let is_theirs = |entry: &Entry| entry.id == *id || entry.other_ids.contains(id);
    let mut found = searcher.ask(&Question::entry(settings, dn.as_str())).await?;
    found.retain(is_theirs);
    if found.is_empty() {
        let filter = id.filter().ok_or_else(|| Fault::Misconfigured("entries have no ids".to_owned()))?;
        found = searcher.ask(&Question::people(settings, &filter, LIMIT_OF_IDS)).await?;
        found.retain(is_theirs);
    }
    Ok(with_exclusions(searcher, found, 1).await?.into_iter().next())
}

/// One entry has an id. A second one, if there is any, is not an error here.
const LIMIT_OF_IDS: i32 = 2;

/// Adds entries, each once.
pub(super) fn merge(found: &mut Vec<Entry>, more: Vec<Entry>) {
    for entry in more {
        if !found.iter().any(|other| other.id == entry.id && other.dn.matches(&entry.dn)) {
            found.push(entry);
        }
    }
}

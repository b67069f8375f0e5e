//! The people to whom a certificate may belong, by what it says about its subject.

use ldap3::ldap_escape;

use super::people::{ask_for_people, merge, with_exclusions};
use crate::directory::entries::Entry;
use crate::directory::fault::Fault;
use crate::directory::ldap::{Question, Searcher, equality};
use crate::directory::settings::Settings;
use crate::names::{Dn, Kind};

/// What a certificate says about its subject. An entry that matches any of it is a candidate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SubjectNames {
    /// The entry with this DN, if it is below the search base.
    pub entry: Option<Dn>,
    /// Common names.
    pub common_names: Vec<String>,
    /// Mail addresses.
    pub mails: Vec<String>,
    /// Values of Active Directory's `userPrincipalName`.
    pub principal_names: Vec<String>,
}

/// The most people that a certificate is compared with; if more have the name, none is compared.
pub(crate) const CANDIDATES: u8 = 5;

/// One more than [`CANDIDATES`], and perhaps the service's own entry.
const LIMIT: i32 = 7;

/// The most values of each kind that are searched for; an honest certificate has a few.
const MOST_VALUES: usize = 16;

impl SubjectNames {
    /// The terms of a filter that any candidate matches; empty if nothing is claimed but a DN.
    fn terms(&self, settings: &Settings) -> String {
        let of_kind = |kind, values: &[String]| -> String {
            let taken = values.iter().filter(|value| settings.names.takes(kind, value)).take(MOST_VALUES);
            taken.map(|value| equality(settings, kind, value)).collect()
        };
        let principal = |value: &String| format!("(userPrincipalName={})", ldap_escape(value.as_str()));
        let principals: String = self.principal_names.iter().take(MOST_VALUES).map(principal).collect();
        of_kind(Kind::CommonName, &self.common_names) + &of_kind(Kind::Mail, &self.mails) + &principals
    }
}

/// The candidates, each once, with the certificates of their entries; at most one more than [`CANDIDATES`].
pub(crate) async fn candidates(searcher: &Searcher, claims: &SubjectNames) -> Result<Vec<Entry>, Fault> {
    let settings = searcher.settings();
    let mut found: Vec<Entry> = Vec::new();
    let has_entry = |dn: &&Dn| dn.is_within(&settings.base) && settings.names.has_entry(dn);
    if let Some(dn) = claims.entry.as_ref().filter(has_entry) {
        for question in Question::entries(settings, dn).map(Question::with_certificates) {
            merge(&mut found, ask_for_people(searcher, question).await?);
        }
    }
    let terms = claims.terms(settings);
    if !terms.is_empty() {
        let question = Question::people(settings, &format!("(|{terms})"), LIMIT).with_certificates();
        merge(&mut found, ask_for_people(searcher, question).await?);
    }
    let mut found = with_exclusions(searcher, found, CANDIDATES).await?;
    found.truncate(usize::from(CANDIDATES) + 1);
    Ok(found)
}

//! One question to a directory: what a search asks, and what the result at its end means.

use ldap3::{LdapResult, Scope, SearchEntry, ldap_escape};

use super::connect::Connection;
use crate::directory::entries::{CHANGE_STAMPS, CONFLICT, Entry, FINER_STAMPS, IDS, STATE};
use crate::directory::fault::{Fault, describe, failed, no_base};
use crate::directory::settings::Settings;
use crate::names::{Dn, HierarchicalName, Kind, LookUp};

/// One person is enough to know that the search base exists; another entry may be the service's own.
const LIMIT: i32 = 2;

/// The most entries, if some are rejected here: parents of hierarchical names and limits of names are compared here,
/// since RFC 4515 has no filter for them that every directory knows.
pub(crate) const NAMESAKES: i32 = 100;

/// One question to a directory.
pub(crate) struct Question {
    pub(crate) base: String,
    pub(crate) scope: Scope,
    pub(crate) filter: String,
    /// The most entries wanted; 0 for all.
    pub(crate) limit: i32,
    /// Whether the entries' certificates are read too.
    pub(crate) certificates: bool,
    /// A name whose parents an entry must match as well.
    pub(crate) parents: Option<HierarchicalName>,
    /// The attributes to read; none: those of a person.
    pub(crate) wanted: Option<Vec<String>>,
}

impl Question {
    /// Asks for people under a name that nobody has: an answer proves connection, bind and search base.
    pub(crate) fn nobody(settings: &Settings) -> Self {
        let nobody = equality(settings, Kind::ShortName, "restante-asks-whether-the-search-base-is-there");
        Self::people(settings, &nobody, LIMIT)
    }

    /// The questions for a look-up, in order.
    pub(crate) fn all(settings: &Settings, look_up: &LookUp, most: u8) -> Vec<Self> {
        // One more than `most`, and perhaps the service's own entry.
        let limit = if settings.names.is_none() { i32::from(most) + 2 } else { NAMESAKES };
        let by_dn = look_up.entry.iter().flat_map(|dn| Self::entries(settings, dn));
        let by_parents = look_up.hierarchical.iter().map(|name| {
            let filter = equality(settings, Kind::CommonName, name.common_name());
            Self { parents: Some(name.clone()), ..Self::people(settings, &filter, NAMESAKES) }
        });
        let terms: String = look_up.equal.iter().map(|term| equality(settings, term.kind, &term.value)).collect();
        let by_value = (!terms.is_empty()).then(|| Self::people(settings, &format!("(|{terms})"), limit));
        by_dn.chain(by_parents).chain(by_value).collect()
    }

    /// The entry of a DN that somebody typed, in each form in which the directory may have it.
    pub(crate) fn entries(settings: &Settings, dn: &Dn) -> impl Iterator<Item = Self> {
        dn.normal_forms().into_iter().map(|dn| Self::entry(settings, &dn))
    }

    pub(crate) fn entry(settings: &Settings, dn: &str) -> Self {
        Self::new(dn, Scope::Base, settings.filter.clone(), LIMIT)
    }

    /// Reads the entries' certificates too, which are too large to read when they are not needed.
    pub(crate) fn with_certificates(self) -> Self {
        Self { certificates: true, ..self }
    }

    pub(crate) fn people(settings: &Settings, terms: &str, limit: i32) -> Self {
        let filter = format!("(&{}{terms})", settings.filter);
        Self::new(settings.base.as_str(), Scope::Subtree, filter, limit)
    }

    /// Asks for some attributes of one entry, whether it is a person's or not.
    pub(crate) fn read(dn: &str, filter: &str, attributes: &[&str]) -> Self {
        Self { wanted: Some(owned(attributes)), ..Self::new(dn, Scope::Base, filter.to_owned(), 0) }
    }

    /// Asks for some attributes of all entries below another.
    pub(crate) fn below(base: &Dn, filter: String, limit: i32, attributes: &[&str]) -> Self {
        Self { wanted: Some(owned(attributes)), ..Self::new(base.as_str(), Scope::Subtree, filter, limit) }
    }

    fn new(base: &str, scope: Scope, filter: String, limit: i32) -> Self {
        Self { base: base.to_owned(), scope, filter, limit, certificates: false, parents: None, wanted: None }
    }

    /// Asks on a connection that nobody else uses.
    pub(crate) async fn ask_on(&self, connection: &Connection, settings: &Settings) -> Result<Vec<Entry>, Fault> {
        match self.run(connection.handle(), settings, settings.limits.search).await {
            Ok((entries, result)) => self.judge(entries, &result, settings),
            Err(error) => Err(failed(&error)),
        }
    }

    /// What the end of a search means. Code 4, the size limit, means an ambiguous name, not an error.
    pub(crate) fn judge(
        &self,
        found: Vec<SearchEntry>,
        result: &LdapResult,
        settings: &Settings,
    ) -> Result<Vec<Entry>, Fault> {
        match result.rc {
            0 => {}
            4 if found.len() > 1 => {}
            // A DN that somebody typed may not exist, or may be impossible in this directory; but the search base must
            // exist.
            32 | 34 if self.scope == Scope::Base => return Ok(Vec::new()),
            32 => return Err(no_base(&self.base, result)),
            4 | 10 | 34 | 48 | 49 | 50 | 53 => {
                let why = format!("search below {}: {}", self.base, describe(result));
                return Err(Fault::Misconfigured(why));
            }
            _ => return Err(Fault::of_result("search", result)),
        }
        let mut answers: Vec<Entry> =
            found.into_iter().map(|found| settings.fitted(Entry::read(found, &settings.name))).collect();
        answers.retain(|entry| self.takes(entry, settings));
        Ok(self.fitting(answers, result.rc == 4))
    }

    /// A person whose DN cannot be read is ignored, and makes no name ambiguous. For a group the text of its DN is
    /// enough.
    fn takes(&self, entry: &Entry, settings: &Settings) -> bool {
        let takes = self.wanted.is_some() || entry.dn.is_readable();
        if !takes {
            tracing::warn!(
                name: "entry_ignored",
                directory = &*settings.name,
                dn = entry.dn.as_str(),
                "entry ignored: its DN cannot be parsed"
            );
        }
        takes
    }

    /// Entries that match the parents. If the server did not send all, so that the match cannot be known, the name is
    /// ambiguous: then all are returned.
    fn fitting(&self, mut answers: Vec<Entry>, is_cut_short: bool) -> Vec<Entry> {
        let fits = |entry: &Entry| self.parents.as_ref().is_none_or(|name| name.fits(&entry.dn));
        let fitting = answers.iter().filter(|entry| fits(entry) && entry.out_of_scope.is_none()).count();
        if is_cut_short && fitting < 2 {
            for entry in &mut answers {
                entry.out_of_scope = None;
            }
            return answers;
        }
        answers.retain(fits);
        answers
    }
}

fn owned(attributes: &[&str]) -> Vec<String> {
    attributes.iter().map(|name| (*name).to_owned()).collect()
}

/// `(attribute=value)` with the value escaped (RFC 4515 §3): it matches only itself. Several, if several attributes hold
/// this kind of name.
pub(crate) fn equality(settings: &Settings, kind: Kind, value: &str) -> String {
    let sought = settings.attributes.sought(kind, value);
    let terms: Vec<String> = sought.iter().map(|(name, value)| format!("({name}={})", ldap_escape(value))).collect();
    if terms.len() > 1 { format!("(|{})", terms.concat()) } else { terms.concat() }
}

pub(crate) fn attributes(settings: &Settings) -> Vec<&str> {
    let sources = Kind::ALL.into_iter().flat_map(|kind| settings.attributes.of(kind));
    let own = sources.map(|source| source.attribute.as_str());
    let further = settings.further_attributes.iter().map(String::as_str);
    own.chain(further)
        .chain(settings.admission.attributes())
        .chain(IDS)
        .chain(CHANGE_STAMPS)
        .chain(FINER_STAMPS)
        .chain(CONFLICT)
        .chain(STATE)
        .collect()
}

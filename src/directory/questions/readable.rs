//! Which attributes the service may not read, as far as the directory shows it.

use std::collections::{BTreeSet, HashSet};

use crate::directory::entries::{CHANGE_STAMPS, Entry, IDS, STATE};
use crate::directory::fault::Fault;
use crate::directory::ldap::{Question, Searcher};

/// Computed when they are read, on every account of Active Directory; no filter may name them.
const COMPUTED: &str = "msDS-User-Account-Control-Computed";

/// One of these is enough: Active Directory computes the first from the second.
const OF_ENTRY: [&str; 2] = ["modifyTimestamp", "whenChanged"];

/// Since when an account is locked (draft-behera-ldap-password-policy §5.3.3).
const LOCKED: &str = "pwdAccountLockedTime";

/// People whose entries are looked at.
const SAMPLES: usize = 3;

/// Entries that are looked at if nobody is found.
const OTHERS: i32 = 20;

/// Attributes that the service needs, and what for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttributeNeed {
    /// If the directory's schema lacks some of them, the others are enough.
    pub attributes: Vec<String>,
    /// How they are used.
    pub by: AttributeUse,
    /// What they are for, as the end of a sentence that begins with their names.
    pub purpose: String,
}

/// How an attribute is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttributeUse {
    /// People are found by it, and its values are read.
    Search,
    /// Its values are read.
    Read,
    /// It holds secrets: whether it may be read is found out without reading it.
    Secret,
}

/// What the service may see of an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Visibility {
    Visible,
    Hidden,
    /// Its values may be read, but no filter finds them.
    NotSearched,
}

/// A check with some people's entries.
struct AttributeCheck<'a> {
    searcher: &'a Searcher,
    samples: Vec<Entry>,
    /// The lower-case names of all attributes; none if the schema may not be read.
    schema: Option<HashSet<String>>,
}

/// A sentence for each purpose that attributes are needed for and that the service's entry may not use them for: those
/// wanted, and those that every directory is asked for. Empty if there is nobody to look at.
pub(crate) async fn unreadable(searcher: &Searcher, needs: &[AttributeNeed]) -> Result<Vec<String>, Fault> {
    let samples = samples(searcher).await?;
    let Some(first) = samples.first() else { return Ok(Vec::new()) };
    let schema = schema(searcher, first.dn.as_str()).await?;
    let look = AttributeCheck { searcher, samples, schema };
    let mut sentences = Vec::new();
    for need in needs {
        sentences.extend(look.need(need).await?);
    }
    sentences.extend(look.ids().await?);
    sentences.extend(look.change_stamps().await?);
    sentences.extend(look.states().await?);
    Ok(sentences)
}

/// Whether an entry says to the service that its account is locked, as LDAP's password policy has it.
pub(crate) async fn shows_locks(searcher: &Searcher) -> Result<bool, Fault> {
    let samples = samples(searcher).await?;
    let look = AttributeCheck { searcher, samples, schema: None };
    Ok(look.visibility(LOCKED, AttributeUse::Read).await? == Visibility::Visible)
}

/// Why nobody is found, as far as can be seen: what is below the search base instead of people.
pub(crate) async fn instead_of_people(searcher: &Searcher) -> Result<String, Fault> {
    let settings = searcher.settings();
    let question = Question::below(&settings.base, "(objectClass=*)".to_owned(), OTHERS, &["objectClass"]);
    let found = searcher.ask(&question).await?;
    let below = || found.iter().filter(|entry| !entry.dn.matches(&settings.base));
    let classes: BTreeSet<&str> = below()
        .flat_map(|entry| entry.values("objectClass"))
        .map(String::as_str)
        .filter(|name| *name != "top")
        .collect();
    let who = settings.bind.as_ref().map_or_else(|| "an anonymous client".to_owned(), |own| own.dn.to_string());
    Ok(match below().count() {
        0 => format!("{who} sees no entry there: is `base` right, and may it read entries and their objectClass?"),
        _ => format!(
            "the entries there have the object classes {}: are `schema` and `filter` right?",
            classes.into_iter().collect::<Vec<_>>().join(", ")
        ),
    })
}

/// Some people's entries, without the service's own.
async fn samples(searcher: &Searcher) -> Result<Vec<Entry>, Fault> {
    let limit = i32::try_from(SAMPLES).unwrap_or(i32::MAX) + 1;
    let settings = searcher.settings();
    let people = Question::people(settings, "(objectClass=*)", limit);
    let others = searcher.ask(&people).await?.into_iter().filter(|entry| !settings.is_service(entry));
    Ok(others.take(SAMPLES).collect())
}

/// The names of all attributes (RFC 4512 §4.4: every entry says where the schema is).
async fn schema(searcher: &Searcher, person: &str) -> Result<Option<HashSet<String>>, Fault> {
    let entry = read(searcher, person, "(objectClass=*)", &["subschemaSubentry"]).await?;
    let Some(subentry) = entry.and_then(|entry| entry.values("subschemaSubentry").first().cloned()) else {
        return Ok(None);
    };
    let schema = read(searcher, &subentry, "(objectClass=*)", &["attributeTypes"]).await?;
    let names = |entry: Entry| -> HashSet<String> {
        // ( 2.5.4.3 NAME ( 'cn' 'commonName' ) … ): the text in quotes is a name, or a description.
        let quoted = entry.values("attributeTypes").iter().flat_map(|kind| kind.split('\'').skip(1).step_by(2));
        quoted.map(str::to_lowercase).collect()
    };
    Ok(schema.map(names).filter(|names| !names.is_empty()))
}

async fn read(searcher: &Searcher, dn: &str, filter: &str, attributes: &[&str]) -> Result<Option<Entry>, Fault> {
    searcher.ask_for_one(&Question::read(dn, filter, attributes)).await
}

impl AttributeCheck<'_> {
    async fn need(&self, need: &AttributeNeed) -> Result<Vec<String>, Fault> {
        let known: Vec<&String> = need.attributes.iter().filter(|name| self.is_known(name)).collect();
        if known.is_empty() {
            let names = need.attributes.join(", ");
            return Ok(vec![format!(
                "the service's entry may not read {names}, {}: the directory's schema has no such attribute",
                need.purpose
            )]);
        }
        let (mut hidden, mut not_searched) = (Vec::new(), Vec::new());
        for attribute in known {
            match self.visibility(attribute, need.by).await? {
                Visibility::Visible => {}
                Visibility::Hidden => hidden.push(attribute.as_str()),
                Visibility::NotSearched => not_searched.push(attribute.as_str()),
            }
        }
        let sentence = |may_not: &str, names: &[&str]| {
            let right = "expected the right to read them";
            (!names.is_empty()).then(|| {
                format!("the service's entry may not {may_not} {}, {}; {right}", names.join(", "), need.purpose)
            })
        };
        Ok(sentence("read", &hidden).into_iter().chain(sentence("search by", &not_searched)).collect())
    }

    /// One of them identifies entries.
    async fn ids(&self) -> Result<Vec<String>, Fault> {
        let is_seen = |name: &&str| self.samples.iter().any(|entry| entry.octets(name).next().is_some());
        if IDS.iter().any(is_seen) {
            return Ok(Vec::new());
        }
        self.need_of_any(&IDS, "which tell entries apart: without one, a person whose DN changes is another person")
            .await
    }

    async fn change_stamps(&self) -> Result<Vec<String>, Fault> {
        let shows_changes = OF_ENTRY.iter().any(|name| self.value_of(name));
        let wanted: Vec<&str> =
            CHANGE_STAMPS.into_iter().filter(|name| !(shows_changes && OF_ENTRY.contains(name))).collect();
        let purpose = "which show that a password may have changed: without them an old one is accepted until it leaves the cache";
        let is_any_given = shows_changes || self.value_of("pwdLastSet") || self.value_of("pwdChangedTime");
        if is_any_given { self.need_of(&wanted, purpose).await } else { self.need_of_any(&wanted, purpose).await }
    }

    async fn states(&self) -> Result<Vec<String>, Fault> {
        self.need_of(&STATE, "which show the state of an account").await
    }

    /// What is wrong if none of these can be read, although every directory has one of them.
    async fn need_of_any(&self, names: &[&str], purpose: &str) -> Result<Vec<String>, Fault> {
        let known = self.need_of(names, purpose).await?;
        let is_untold = known.is_empty() && self.schema.is_none();
        let sentence = || format!("the service's entry may read none of {}, {purpose}", names.join(", "));
        Ok(if is_untold { vec![sentence()] } else { known })
    }

    /// Those among them that this directory's schema has.
    async fn need_of(&self, names: &[&str], purpose: &str) -> Result<Vec<String>, Fault> {
        let known = names.iter().filter(|name| self.schema.as_ref().is_some_and(|schema| has(schema, name)));
        let attributes: Vec<String> = known.map(|name| (*name).to_owned()).collect();
        if attributes.is_empty() {
            return Ok(Vec::new());
        }
        self.need(&AttributeNeed { attributes, by: AttributeUse::Read, purpose: purpose.to_owned() }).await
    }

    /// RFC 4511 §4.5.1.7: a filter on an attribute that may not be seen is neither true nor false, and so is its
    /// negation. So `(|(a=*)(!(a=*)))` finds an entry only if `a` may be seen, whether the entry has it or not. If an
    /// entry is found by `(a=*)`, but returned without `a`, the service may search for `a` but not read it.
    async fn visibility(&self, attribute: &str, by: AttributeUse) -> Result<Visibility, Fault> {
        let Some(first) = self.samples.first() else { return Ok(Visibility::Visible) };
        if by != AttributeUse::Secret
            && let Some(visibility) = self.of_values(attribute, by).await?
        {
            return Ok(visibility);
        }
        let either = format!("(|({attribute}=*)(!({attribute}=*)))");
        let may_be_seen = attribute != COMPUTED && self.finds(first, &either).await?;
        Ok(if may_be_seen { Visibility::Visible } else { Visibility::Hidden })
    }

    /// What the entries' values show; none if no known entry has one.
    async fn of_values(&self, attribute: &str, by: AttributeUse) -> Result<Option<Visibility>, Fault> {
        let present = format!("({attribute}=*)");
        for sample in &self.samples {
            if self.is_given(sample, attribute).await? {
                let is_found = by != AttributeUse::Search || self.finds(sample, &present).await?;
                return Ok(Some(if is_found { Visibility::Visible } else { Visibility::NotSearched }));
            }
        }
        for sample in self.samples.iter().filter(|_| attribute != COMPUTED) {
            if self.finds(sample, &present).await? {
                return Ok(Some(Visibility::Hidden));
            }
        }
        Ok(None)
    }

    async fn is_given(&self, sample: &Entry, attribute: &str) -> Result<bool, Fault> {
        if !sample.values(attribute).is_empty() || sample.octets(attribute).next().is_some() {
            return Ok(true);
        }
        let entry = read(self.searcher, sample.dn.as_str(), "(objectClass=*)", &[attribute]).await?;
        Ok(entry.is_some_and(|entry| entry.octets(attribute).next().is_some()))
    }

    async fn finds(&self, sample: &Entry, filter: &str) -> Result<bool, Fault> {
        let found = read(self.searcher, sample.dn.as_str(), filter, &["1.1"]).await?;
        Ok(found.is_some())
    }

    fn value_of(&self, attribute: &str) -> bool {
        self.samples.iter().any(|entry| !entry.values(attribute).is_empty())
    }

    /// Without the schema every attribute may be one of the directory's.
    fn is_known(&self, attribute: &str) -> bool {
        self.schema.as_ref().is_none_or(|schema| has(schema, attribute))
    }
}

fn has(schema: &HashSet<String>, attribute: &str) -> bool {
    let name = attribute.split(';').next().unwrap_or_default();
    schema.contains(&name.to_lowercase())
}

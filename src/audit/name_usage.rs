//! Which attributes of names people have, and how many of them share a value.

use std::collections::{HashMap, HashSet};
use std::fmt;

use crate::directory::{Attributes, Entry, Source};
use crate::names::{Kind, fold};

/// The use of one attribute among some people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameUsage {
    /// The attribute, with the prefix of its values if they have one.
    pub attribute: String,
    /// The kind of name that it holds.
    pub kind: Kind,
    /// How many people have it.
    pub having: usize,
    /// How many of them share a value with somebody else, as the directory compares values.
    pub sharing: usize,
    /// How many people were looked at.
    pub people: usize,
}

/// The kinds of name that both presets of the policy allow.
const KINDS: [Kind; 3] = [Kind::ShortName, Kind::Mail, Kind::CommonName];

/// The use of each attribute that holds a short name, a mail address or a common name.
#[must_use]
pub fn name_usage(entries: &[Entry], attributes: &Attributes) -> Vec<NameUsage> {
    let sources = KINDS.into_iter().flat_map(|kind| attributes.of(kind).iter().map(move |source| (kind, source)));
    sources.map(|(kind, source)| NameUsage::of(entries, kind, source)).collect()
}

impl NameUsage {
    fn of(entries: &[Entry], kind: Kind, source: &Source) -> Self {
        let names = |entry: &Entry| -> HashSet<String> {
            entry.values(&source.attribute).iter().filter_map(|value| source.name_in(value)).map(fold).collect()
        };
        let held: Vec<HashSet<String>> = entries.iter().map(names).filter(|names| !names.is_empty()).collect();
        let mut holders: HashMap<&str, usize> = HashMap::new();
        for name in held.iter().flatten() {
            *holders.entry(name).or_default() += 1;
        }
        let is_shared = |name: &String| holders.get(name.as_str()).is_some_and(|count| *count > 1);
        Self {
            attribute: format!("{}{}", source.prefix.as_deref().unwrap_or_default(), source.attribute),
            kind,
            having: held.len(),
            sharing: held.iter().filter(|names| names.iter().any(is_shared)).count(),
            people: entries.len(),
        }
    }
}

impl fmt::Display for NameUsage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { attribute, having, sharing, people, .. } = self;
        let have = if *having == 1 { "has" } else { "have" };
        match (having, sharing) {
            (0, _) => write!(f, "nobody has {attribute}"),
            (_, 0) => write!(f, "{having} of {people} people {have} {attribute}, all distinct"),
            _ => write!(f, "{having} of {people} people {have} {attribute}; {sharing} share one with somebody else"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_how_many_have_a_name_and_how_many_share_one() {
        let entries = [
            Entry::with(&[("uid", "ajones"), ("cn", "Alan Jones")]),
            Entry::with(&[("uid", "ajones2"), ("cn", "alan  jones"), ("cn", "A. J.")]),
            Entry::with(&[("cn", "Mary Brown")]),
        ];
        let said: Vec<String> = name_usage(&entries, &Attributes::default()).iter().map(NameUsage::to_string).collect();
        assert_eq!(
            said,
            [
                "2 of 3 people have uid, all distinct",
                "nobody has mail",
                "3 of 3 people have cn; 2 share one with somebody else"
            ]
        );
    }
}

//! How many people are below each part of a tree, by each schema.

use std::collections::BTreeMap;

use super::fault::InitFault;
use super::link::DirectoryLink;
use crate::directory::{Entry, Fault, WalkEnd};
use crate::names::Dn;

/// Everything that any schema but Active Directory's finds.
const ANYBODY: &str = "(|(objectClass=inetOrgPerson)(objectClass=posixAccount)(objectClass=nsPerson))";

/// Entries that are counted at most.
const MOST: usize = 20_000;

/// Places named as alternatives.
const PLACES: usize = 5;

/// Accounts that every domain has, such as `krbtgt`.
const BUILT_IN: &str = "isCriticalSystemObject";

/// Counts people.
pub(super) struct Census<'l> {
    pub(super) link: &'l DirectoryLink,
    pub(super) is_active_directory: bool,
}

/// The people below one naming context.
pub(super) struct CountedPlace {
    pub(super) context: Dn,
    people: Vec<SeenPerson>,
    is_complete: bool,
}

struct SeenPerson {
    dn: Dn,
    schemas: Vec<&'static str>,
    is_built_in: bool,
}

impl Census<'_> {
    /// Counts those below a naming context. One that does not exist, or may not be read, has none.
    pub(super) fn count(&self, context: &Dn) -> Result<CountedPlace, InitFault> {
        let (schema, filter) =
            if self.is_active_directory { ("active_directory", None) } else { ("inet_org_person", Some(ANYBODY)) };
        let directory = self.link.directory_reading(context.as_str(), schema, filter, &["objectClass", BUILT_IN])?;
        let mut counted = CountedPlace { context: context.clone(), people: Vec::new(), is_complete: true };
        self.link.runtime.block_on(async {
            let mut walk = directory.walk();
            while let Some(found) = walk.next().await {
                counted.people.extend(found.ok().map(|entry| SeenPerson::of(&entry, self.is_active_directory)));
                if counted.people.len() >= MOST {
                    counted.is_complete = false;
                    return Ok(());
                }
            }
            match walk.end().await {
                Ok(end) => counted.is_complete = end == WalkEnd::Complete,
                Err(Fault::Misconfigured(_)) => {}
                Err(fault) => return Err(InitFault::Search(fault)),
            }
            Ok(())
        })?;
        Ok(counted)
    }
}

impl SeenPerson {
    fn of(entry: &Entry, is_active_directory: bool) -> Self {
        let has = |class: &str| entry.values("objectClass").iter().any(|own| own.eq_ignore_ascii_case(class));
        let of_classes = [
            ("inet_org_person", has("inetOrgPerson")),
            ("posix", has("posixAccount")),
            ("389ds", has("inetOrgPerson") || has("nsPerson")),
        ];
        let fitting = of_classes.into_iter().filter_map(|(schema, fits)| fits.then_some(schema));
        let schemas = if is_active_directory { vec!["active_directory"] } else { fitting.collect() };
        let is_built_in = entry.values(BUILT_IN).iter().any(|value| value.eq_ignore_ascii_case("TRUE"));
        Self { dn: entry.dn.clone(), schemas, is_built_in }
    }
}

impl CountedPlace {
    fn of(&self, schema: &str) -> impl Iterator<Item = &SeenPerson> {
        self.people.iter().filter(move |person| person.schemas.contains(&schema))
    }

    /// How many people a schema finds.
    pub(super) fn people(&self, schema: &str) -> usize {
        self.of(schema).count()
    }

    /// The same in words.
    pub(super) fn in_words(&self, schema: &str) -> String {
        let at_least = if self.is_complete { "" } else { "at least " };
        format!("{at_least}{}", self.people(schema))
    }

    /// The lowest entry below which all of them are, without accounts that every domain has.
    pub(super) fn base(&self, schema: &str) -> Dn {
        let people: Vec<&SeenPerson> = self.of(schema).filter(|person| !person.is_built_in).collect();
        let mut base = people.first().and_then(|first| first.dn.parent());
        while let Some(within) = &base {
            if !within.is_within(&self.context) {
                break;
            }
            if people.iter().all(|person| person.dn.is_within(within)) {
                return within.clone();
            }
            base = within.parent();
        }
        self.context.clone()
    }

    /// How many people are below the context, the base, and each of the entries right above people.
    pub(super) fn bases(&self, schema: &str, base: &Dn) -> Vec<(String, String)> {
        let below = |dn: &Dn| self.of(schema).filter(|person| person.dn.is_within(dn)).count();
        let mut parents: BTreeMap<String, Dn> = BTreeMap::new();
        for parent in self.of(schema).filter_map(|person| person.dn.parent()) {
            parents.entry(parent.as_str().to_lowercase()).or_insert(parent);
        }
        let is_other = |dn: &Dn| !dn.matches(base) && !dn.matches(&self.context);
        let mut places: Vec<(Dn, usize)> =
            parents.into_values().filter(is_other).map(|dn| (dn.clone(), below(&dn))).collect();
        places.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        places.truncate(PLACES);
        let above = [Some(base), Some(&self.context).filter(|context| !context.matches(base))];
        let above = above.into_iter().flatten().map(|dn| (dn.clone(), below(dn)));
        above.chain(places).map(|(dn, count)| (dn.to_string(), self.written(count))).collect()
    }

    fn written(&self, count: usize) -> String {
        let at_least = if self.is_complete { "" } else { "at least " };
        format!("{at_least}{count}")
    }
}

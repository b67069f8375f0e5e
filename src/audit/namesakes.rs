//! Which login names are ambiguous: the policy is applied to every name that anybody could type, as at a login, and its
//! look-ups are answered from an index of all values instead of the directory.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::AmbiguousName;
use super::people::{People, PersonNumber};
use crate::directory::{self, Entry};
use crate::names::{Dn, HierarchicalName, Kind, LoginName, LookUp, Policy, fold};

/// The values of all people, folded as the directory compares them.
#[derive(Default)]
pub(super) struct NameIndex {
    holders: HashMap<Box<str>, Vec<(PersonNumber, Kind)>>,
}

/// The policies under which names are judged.
pub(super) struct Policies {
    configured: Policy,
    fewer: Policy,
    more: Policy,
}

/// The most people named in one finding.
const NAMED: usize = 5;

impl Policies {
    /// The presets complete addresses as the configured policy does.
    pub(super) fn around(configured: &Policy) -> Self {
        let domain = configured.default_domain().map(str::to_owned);
        let preset = |policy: Policy| policy.with_default_domain(domain.clone());
        Self { configured: configured.clone(), fewer: preset(Policy::fewer()), more: preset(Policy::more()) }
    }
}

impl NameIndex {
    /// A name is noted only if the directory is asked for it.
    pub(super) fn note(&mut self, person: PersonNumber, entry: &Entry, of: &directory::Settings) {
        for kind in Kind::ALL {
            let sources = of.attributes.of(kind).iter();
            let names =
                sources.flat_map(|own| entry.values(&own.attribute).iter().filter_map(|value| own.name_in(value)));
            for name in names.filter(|name| of.names.takes(kind, name)) {
                self.holders.entry(fold(name).into()).or_default().push((person, kind));
            }
        }
    }

    /// Every ambiguous name, in order. `seen` is called once for each name that was judged.
    pub(super) fn ambiguous(&self, policies: &Policies, people: &People, seen: &mut dyn FnMut()) -> Vec<AmbiguousName> {
        let mut names: Vec<&str> = self.holders.keys().map(|name| &**name).collect();
        names.sort_unstable();
        let (mut found, mut listed) = (Vec::new(), HashSet::new());
        for name in names {
            seen();
            if !self.may_be_shared(name, policies) {
                continue;
            }
            for form in self.forms(name, people) {
                if let Some(namesakes) = self.judge(&form, policies, people)
                    && listed.insert(fold(&form))
                {
                    found.push(namesakes);
                }
            }
        }
        found
    }

    pub(super) fn names(&self) -> u64 {
        u64::try_from(self.holders.len()).unwrap_or(u64::MAX)
    }

    /// A value of only one person can still be somebody else's name, but only if a domain completes it, or if it can be
    /// read as a hierarchical name.
    fn may_be_shared(&self, name: &str, policies: &Policies) -> bool {
        let mut holders = self.holders.get(name).into_iter().flatten();
        let first = holders.next().map(|(person, _)| *person);
        holders.any(|(person, _)| Some(*person) != first)
            || policies.configured.default_domain().is_some()
            || name.contains('/')
    }

    /// How a value can be typed: as it is; a common name of several people with the parents of each; with its prefix,
    /// if that asks for something that the plain form does not.
    fn forms(&self, name: &str, people: &People) -> BTreeSet<String> {
        let mut forms = BTreeSet::from([name.to_owned()]);
        let holders = || self.holders.get(name).into_iter().flatten();
        if name.contains('@') {
            forms.extend([format!("cn={name}"), format!("uid={name}")]);
        }
        let of_common_name = || holders().filter(|(_, kind)| *kind == Kind::CommonName);
        if of_common_name().nth(1).is_some() {
            let dns = of_common_name().filter_map(|(person, _)| Dn::parse(people.dn(*person)));
            forms.extend(dns.map(|dn| {
                let [abbreviated, _] = HierarchicalName::forms(name, &dn);
                fold(&abbreviated)
            }));
        }
        forms
    }

    fn judge(&self, form: &str, policies: &Policies, people: &People) -> Option<AmbiguousName> {
        let login = LoginName::new(form.as_bytes()).ok()?;
        let having = |policy: &Policy| self.having(&login, policy, people);
        let (configured, fewer, more) = (having(&policies.configured), having(&policies.fewer), having(&policies.more));
        let most = [&configured, &fewer, &more].into_iter().max_by_key(|people| people.len())?;
        (most.len() > 1).then(|| AmbiguousName {
            name: form.to_owned(),
            count: most.len(),
            people: most.iter().take(NAMED).map(|person| people.person(*person)).collect(),
            configured: configured.len() > 1,
            fewer: fewer.len() > 1,
            more: more.len() > 1,
        })
    }

    /// The people whom the look-ups of a name find. A DN is one entry's, so it is never ambiguous, whatever the base.
    fn having(&self, login: &LoginName, policy: &Policy, people: &People) -> BTreeSet<PersonNumber> {
        let Some(nowhere) = Dn::parse("dc=nowhere") else { return BTreeSet::new() };
        let LookUp { hierarchical, equal, .. } = policy.look_up(login, &nowhere);
        let of_kind = |value: &str, wanted: Kind| {
            let holders = self.holders.get(&*fold(value)).into_iter().flatten();
            holders.filter(move |(_, kind)| *kind == wanted).map(|(person, _)| *person)
        };
        let mut found: BTreeSet<PersonNumber> = equal.iter().flat_map(|term| of_kind(&term.value, term.kind)).collect();
        if let Some(name) = hierarchical {
            let fits = |person: &PersonNumber| Dn::parse(people.dn(*person)).is_some_and(|dn| name.fits(&dn));
            found.extend(of_kind(name.common_name(), Kind::CommonName).filter(fits));
        }
        found
    }
}

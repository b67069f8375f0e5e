//! The names to which a directory is limited: with several directories, each may be limited to names below some DNs and
//! to some mail domains. It is not asked for other names, and its other entries are rejected.

use super::attributes::Attributes;
use super::entry::Entry;
use super::shut_out::OutOfScope;
use crate::names::{Dn, DnPattern, Kind, LookUp, fold};

/// The names to which a directory is limited; every name by default.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct NameLimits {
    /// Only entries that match one of these; empty: all.
    pub below: Vec<DnPattern>,
    /// Only people with a mail address in one of these domains, and of addresses only these; empty: all.
    pub mail_domains: Vec<String>,
}

impl NameLimits {
    /// Whether there are no limits.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// The look-up without names that are outside the limits: addresses of other domains, DNs that match no pattern. If
    /// the name does not show whether it is outside, the directory is asked.
    #[must_use]
    pub fn narrow(&self, look_up: LookUp) -> LookUp {
        let LookUp { entry, hierarchical, equal } = look_up;
        LookUp {
            entry: entry.filter(|dn| self.has_entry(dn)),
            hierarchical,
            equal: equal.into_iter().filter(|term| self.takes(term.kind, &term.value)).collect(),
        }
    }

    /// Whether a value may be a name here. One with `@` is treated as a mail address even in a search for a short name.
    #[must_use]
    pub fn takes(&self, kind: Kind, value: &str) -> bool {
        let may_be_address = matches!(kind, Kind::Mail | Kind::ShortName);
        match value.rsplit_once('@') {
            Some((_, domain)) if may_be_address => self.has_domain(domain),
            _ => true,
        }
    }

    /// Why an entry is out of scope, if so.
    pub(crate) fn out_of_scope(&self, entry: &Entry, attributes: &Attributes) -> Option<OutOfScope> {
        if !self.has_entry(&entry.dn) {
            return Some(OutOfScope::Dn);
        }
        let addresses = attributes
            .mail
            .iter()
            .flat_map(|source| entry.values(&source.attribute).iter().filter_map(|value| source.name_in(value)));
        let mut domains = addresses.filter_map(|address| Some(address.rsplit_once('@')?.1));
        let fits = self.mail_domains.is_empty() || domains.any(|domain| self.has_domain(domain));
        (!fits).then_some(OutOfScope::Mail)
    }

    /// Whether an entry of that name is within the limits.
    pub(crate) fn has_entry(&self, dn: &Dn) -> bool {
        self.below.is_empty() || self.below.iter().any(|pattern| pattern.fits(dn))
    }

    fn has_domain(&self, domain: &str) -> bool {
        self.mail_domains.is_empty() || self.mail_domains.iter().any(|own| fold(own) == fold(domain))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::{LoginName, Policy};

    fn limits() -> NameLimits {
        let below = vec![DnPattern::parse("ou=*,dc=x").unwrap()];
        NameLimits { below, mail_domains: vec!["x.example".to_owned()] }
    }

    #[test]
    fn names_outside_the_limits_are_not_asked_for() {
        let base = Dn::parse("dc=x").unwrap();
        for (typed, is_asked) in [
            ("ajones", true),
            ("ajones@X.example", true),
            ("ajones@y.example", false),
            ("uid=ajones@y.example", false),
            ("cn=ajones@y.example", true),
            ("uid=ajones,ou=Sales,dc=x", true),
            ("uid=ajones,dc=x", false),
            ("Alan Jones/Sales", true),
        ] {
            let look_up = Policy::fewer().look_up(&LoginName::new(typed.as_bytes()).unwrap(), &base);
            assert!(!look_up.is_empty(), "{typed}");
            assert_eq!(NameLimits::default().narrow(look_up.clone()), look_up);
            assert_eq!(!limits().narrow(look_up).is_empty(), is_asked, "{typed}");
        }
    }

    #[test]
    fn an_entry_is_in_scope_by_dn_and_mail() {
        let entry = |dn: &str, mails: &[&str]| {
            let pairs: Vec<_> = mails.iter().map(|mail| ("mail", *mail)).collect();
            let mut entry = Entry::with(&pairs);
            entry.dn = Dn::parse(dn).unwrap();
            entry
        };
        let out_of_scope = |entry: &Entry| limits().out_of_scope(entry, &Attributes::default());
        assert_eq!(out_of_scope(&entry("uid=a,ou=Sales,dc=x", &["a@y.example", "a@x.EXAMPLE"])), None);
        assert_eq!(out_of_scope(&entry("uid=a,dc=x", &["a@x.example"])), Some(OutOfScope::Dn));
        assert_eq!(out_of_scope(&entry("uid=a,ou=Sales,dc=x", &["a@y.example"])), Some(OutOfScope::Mail));
        assert_eq!(out_of_scope(&entry("uid=a,ou=Sales,dc=x", &[])), Some(OutOfScope::Mail));
        assert_eq!(NameLimits::default().out_of_scope(&entry("uid=a,dc=x", &[]), &Attributes::default()), None);
    }
}

//! From a typed login name to the look-ups that a directory is asked for.

use super::{Dn, HierarchicalName, Kind, LoginName, Policy, fold, prepared};

/// The look-ups that a login name stands for. An entry that any of them finds is a candidate.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct LookUp {
    /// An entry to read by its DN.
    pub entry: Option<Dn>,
    /// The common name and the parents to search for.
    pub hierarchical: Option<HierarchicalName>,
    /// The values to search for, by kind.
    pub equal: Vec<Equality>,
}

/// "Some value of this kind equals that."
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Equality {
    /// The kind of name.
    pub kind: Kind,
    /// The value, as typed.
    pub value: String,
    /// Only case may differ: letters that LDAP treats as equal (RFC 4518 §2.3) are different here.
    pub is_literal: bool,
}

impl Equality {
    /// Whether an entry's value is the one that is searched for.
    #[must_use]
    pub fn fits(&self, value: &str, sought: &str) -> bool {
        if self.is_literal {
            return prepared(value).to_lowercase() == prepared(sought).to_lowercase();
        }
        fold(value) == fold(sought)
    }
}

impl LookUp {
    /// Whether there is nothing to look up: the policy allows no such name.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Policy {
    /// What a login name stands for under this policy, below a directory's search base.
    #[must_use]
    pub fn look_up(&self, login: &LoginName, base: &Dn) -> LookUp {
        let typed = login.as_str();
        if self.is_literal {
            return self.literally(typed, base);
        }
        if let Some(dn) = Dn::parse(typed).filter(|dn| dn.rdns().len() > 1) {
            return self.by_dn(dn, base);
        }
        let hierarchical = HierarchicalName::parse(typed).filter(|_| self.allows(Kind::HierarchicalName));
        let equal = match prefix(typed) {
            Some((kind, value)) => self.equality(kind, value).into_iter().collect(),
            None => self.by_value(typed),
        };
        LookUp { entry: None, hierarchical, equal }
    }

    fn literally(&self, typed: &str, base: &Dn) -> LookUp {
        if self.allows(Kind::DistinguishedName) {
            return Dn::parse(typed).map(|dn| self.by_dn(dn, base)).unwrap_or_default();
        }
        let equal = self
            .kinds()
            .iter()
            .map(|kind| Equality { kind: *kind, value: typed.to_owned(), is_literal: true })
            .collect();
        LookUp { equal, ..LookUp::default() }
    }

    /// A DN is looked up only if it is below the configured base.
    fn by_dn(&self, dn: Dn, base: &Dn) -> LookUp {
        let counts = self.allows(Kind::DistinguishedName) && dn.is_within(base);
        LookUp { entry: counts.then_some(dn), ..LookUp::default() }
    }

    /// A value with `@` is a mail address, and may still be a short name: some directories do that.
    fn by_value(&self, typed: &str) -> Vec<Equality> {
        let kinds: &[Kind] = if typed.contains('@') {
            &[Kind::ShortName, Kind::Mail]
        } else {
            &[Kind::CommonName, Kind::ShortName, Kind::Mail, Kind::FirstName, Kind::LastName]
        };
        kinds.iter().filter_map(|kind| self.equality(*kind, typed)).collect()
    }

    /// None for a kind that the policy does not allow, and for an address typed without its domain unless a default
    /// domain completes it.
    fn equality(&self, kind: Kind, typed: &str) -> Option<Equality> {
        if !self.allows(kind) {
            return None;
        }
        let value = match kind {
            Kind::Mail if !typed.contains('@') => format!("{typed}@{}", self.default_domain()?),
            _ => typed.to_owned(),
        };
        Some(Equality { kind, value, is_literal: false })
    }
}

/// `CN=x` asks only for common names, `UID=x` only for short names.
fn prefix(typed: &str) -> Option<(Kind, &str)> {
    let (word, value) = typed.split_once('=')?;
    let value = value.trim();
    match fold(word).as_str() {
        _ if value.is_empty() => None,
        "cn" => Some((Kind::CommonName, value)),
        "uid" => Some((Kind::ShortName, value)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(policy: &Policy, typed: &str) -> String {
        let base = Dn::parse("ou=people,dc=renovations,dc=example").unwrap();
        let look_up = policy.look_up(&LoginName::new(typed.as_bytes()).unwrap(), &base);
        let mut described: Vec<String> = look_up.entry.iter().map(|dn| format!("dn:{dn}")).collect();
        described.extend(look_up.hierarchical.iter().map(|name| format!("path:{}", name.common_name())));
        described.extend(look_up.equal.iter().map(|equality| format!("{}:{}", equality.kind, equality.value)));
        described.join(" | ")
    }

    #[test]
    fn fewer_variations() {
        let fewer = Policy::fewer();
        for (typed, described) in [
            ("ajones", "common_name:ajones | short_name:ajones"),
            ("  ajones ", "common_name:ajones | short_name:ajones"),
            ("Alan Jones", "common_name:Alan Jones | short_name:Alan Jones"),
            ("Jürgen Müller", "common_name:Jürgen Müller | short_name:Jürgen Müller"),
            ("CN=Alan Jones", "common_name:Alan Jones"),
            ("cn = Jones, Alan", "common_name:Jones, Alan"),
            ("UID=ajones", "short_name:ajones"),
            (
                "alan.jones@renovations.example",
                "short_name:alan.jones@renovations.example | mail:alan.jones@renovations.example",
            ),
            (
                "uid=ajones,ou=Sales,ou=people,dc=renovations,dc=example",
                "dn:uid=ajones,ou=Sales,ou=people,dc=renovations,dc=example",
            ),
            ("uid=ajones,ou=elsewhere,dc=example", ""),
            ("cn=Alan Jones/ou=Sales/o=Renovations", "path:Alan Jones | common_name:Alan Jones/ou=Sales/o=Renovations"),
            (
                "Alan Jones/Sales/Renovations",
                "path:Alan Jones | common_name:Alan Jones/Sales/Renovations | short_name:Alan Jones/Sales/Renovations",
            ),
            ("mail=x", "common_name:mail=x | short_name:mail=x"),
            ("CN=", "common_name:CN= | short_name:CN="),
        ] {
            assert_eq!(asked(&fewer, typed), described, "{typed}");
        }
    }

    #[test]
    fn more_variations_and_a_default_domain() {
        let more = Policy::more();
        assert_eq!(asked(&more, "Alan"), "common_name:Alan | short_name:Alan | first_name:Alan | last_name:Alan");
        let with_domain = Policy::of([Kind::Mail]).with_default_domain(Some("renovations.example".to_owned()));
        assert_eq!(asked(&with_domain, "alan.jones"), "mail:alan.jones@renovations.example");
        assert_eq!(asked(&with_domain, "alan@other.example"), "mail:alan@other.example");
    }

    #[test]
    fn a_literal_name_is_nothing_but_itself() {
        let policy = Policy::literal(Kind::ShortName).with_default_domain(Some("renovations.example".to_owned()));
        for typed in ["ajones", "UID=ajones", "CN=Alan Jones", "a@b", "uid=ajones,ou=people,dc=renovations,dc=example"]
        {
            assert_eq!(asked(&policy, typed), format!("short_name:{typed}"));
        }
        let policy = Policy::literal(Kind::Mail).with_default_domain(Some("renovations.example".to_owned()));
        assert_eq!(asked(&policy, "alan.jones"), "mail:alan.jones");
        let policy = Policy::literal(Kind::DistinguishedName);
        assert_eq!(asked(&policy, "ajones"), "");
        assert_eq!(asked(&policy, "uid=ajones,ou=elsewhere,dc=example"), "");
        let dn = "uid=ajones,ou=people,dc=renovations,dc=example";
        assert_eq!(asked(&policy, dn), format!("dn:{dn}"));
    }

    #[test]
    fn a_kind_outside_the_policy_is_never_asked_for() {
        let policy = Policy::of([Kind::Mail, Kind::ShortName]);
        assert_eq!(asked(&policy, "CN=Alan Jones"), "");
        assert_eq!(asked(&policy, "uid=ajones,ou=people,dc=renovations,dc=example"), "");
        assert_eq!(asked(&policy, "cn=Alan Jones/ou=Sales"), "");
        assert_eq!(asked(&policy, "Alan Jones/Sales"), "short_name:Alan Jones/Sales");
        assert_eq!(asked(&Policy::of([Kind::Mail]), "ajones"), "");
    }
}

//! Hierarchical names: the DN from the person upwards, as `cn=Alan Jones/ou=Sales/o=Renovations` (canonical) or
//! `Alan Jones/Sales/Renovations` (abbreviated).

use std::borrow::Cow;

use super::{Dn, Rdn, fold};

/// A common name, and the values of the parents' RDNs in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HierarchicalName {
    common_name: String,
    parents: Vec<NamePart>,
}

/// One part: a value, and in the canonical form its attribute type.
#[derive(Clone, Debug, PartialEq, Eq)]
struct NamePart {
    kind: Option<String>,
    value: String,
}

impl HierarchicalName {
    /// Parses a name of two or more parts, none of them empty. The first part is the common name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('/').map(NamePart::parse).collect::<Option<Vec<_>>>()?.into_iter();
        let first = parts.next()?;
        let parents: Vec<NamePart> = parts.collect();
        let is_common_name = first.kind.is_none_or(|kind| kind == "cn");
        (is_common_name && !parents.is_empty()).then_some(Self { common_name: first.value, parents })
    }

    /// The hierarchical name of an entry, abbreviated and canonical, without its `dc` parts.
    #[must_use]
    pub fn forms(common_name: &str, entry: &Dn) -> [String; 2] {
        let parents = |part: fn((&str, Cow<'_, str>)) -> String| -> String {
            let pairs = entry.rdns().iter().skip(1).filter_map(|rdn| rdn.pairs().next());
            pairs.filter(|(kind, _)| !kind.eq_ignore_ascii_case("dc")).map(part).collect()
        };
        let abbreviated = parents(|(_, value)| format!("/{value}"));
        let canonical = parents(|(kind, value)| format!("/{kind}={value}"));
        [format!("{common_name}{abbreviated}"), format!("cn={common_name}{canonical}")]
    }

    /// The first part.
    #[must_use]
    pub fn common_name(&self) -> &str {
        &self.common_name
    }

    /// Whether the further parts equal, in order, the values of an entry's parent RDNs; `dc` parts need not be named.
    #[must_use]
    pub fn fits(&self, entry: &Dn) -> bool {
        let mut parents = self.parents.iter().peekable();
        for rdn in entry.rdns().iter().skip(1) {
            if parents.next_if(|part| part.names(rdn)).is_none() && !rdn.has("dc", None) {
                return false;
            }
        }
        parents.next().is_none()
    }
}

impl NamePart {
    fn parse(text: &str) -> Option<Self> {
        let (kind, value) = match text.split_once('=') {
            Some((kind, value)) => (Some(fold(kind)), value.trim()),
            None => (None, text.trim()),
        };
        (!value.is_empty()).then(|| Self { kind, value: value.to_owned() })
    }

    fn names(&self, rdn: &Rdn) -> bool {
        rdn.pairs().any(|(kind, value)| {
            fold(&value) == fold(&self.value) && self.kind.as_ref().is_none_or(|typed| *typed == fold(kind))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(name: &str, dn: &str) -> bool {
        HierarchicalName::parse(name).unwrap().fits(&Dn::parse(dn).unwrap())
    }

    #[test]
    fn every_parent_but_dc_is_named_in_order() {
        let dn = "uid=ajones,ou=Sales,ou=East,o=Renovations,c=US";
        assert!(fits("Alan Jones/Sales/East/Renovations/US", dn));
        assert!(fits("alan jones/SALES/east/renovations/us", dn));
        assert!(fits("cn=Alan Jones/ou=Sales/ou=East/o=Renovations/c=US", dn));
        for wrong in [
            "Alan Jones/Sales",
            "Alan Jones/East/Sales/Renovations/US",
            "Alan Jones/Sales/East/Renovations/US/x",
            "cn=Alan Jones/o=Sales/ou=East/o=Renovations/c=US",
        ] {
            assert!(!fits(wrong, dn), "{wrong}");
        }
    }

    #[test]
    fn domain_components_need_not_be_named() {
        let dn = "uid=ajones,ou=Sales,dc=renovations,dc=example";
        for right in ["Alan Jones/Sales", "Alan Jones/Sales/renovations", "Alan Jones/Sales/renovations/example"] {
            assert!(fits(right, dn), "{right}");
        }
        assert!(!fits("Alan Jones/Sales/example/renovations", dn));
    }

    #[test]
    fn composed_and_decomposed_parts_are_one() {
        let (composed, decomposed) = ("Jürgen Müller/Köln", "Ju\u{308}rgen Mu\u{308}ller/Ko\u{308}ln");
        for dn in ["uid=jm,ou=Köln,dc=x", "uid=jm,ou=Ko\u{308}ln,dc=x"] {
            assert!(fits(composed, dn) && fits(decomposed, dn), "{dn}");
        }
        assert!(!fits("Jürgen Müller/Koln", "uid=jm,ou=Köln,dc=x"));
    }

    #[test]
    fn parents_are_named_however_their_dn_is_written() {
        let dn = r"uid=a,ou=Sales\, East+l=\FF,1.3.6.1.4.1.1466.0=#04024869,o=Renovations";
        assert!(fits("Alan Jones/Sales, East/Hi/Renovations", dn));
        assert!(fits("Alan Jones/l=#ff/1.3.6.1.4.1.1466.0=hi/Renovations", dn));
        assert!(!fits("Alan Jones/Sales/Hi/Renovations", dn));
    }

    #[test]
    fn malformed_hierarchical_names_are_rejected() {
        for text in ["Alan Jones", "Alan Jones/", "/Sales", "a//b", "uid=ajones/ou=Sales"] {
            assert_eq!(HierarchicalName::parse(text), None, "{text}");
        }
    }
}

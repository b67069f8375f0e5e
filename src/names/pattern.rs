//! Patterns of distinguished names: which entries are at or below a DN of a certain form.

use std::fmt;

use super::dn::{read_pair, split_unescaped};
use super::dn_value::DnValue;
use super::{Dn, Rdn};

/// A DN in which `*` may stand for any value (`ou=*,o=Renovations`), or for any one part (`ou=Sales,*,o=Renovations`).
/// It matches DNs of this form, and those below them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnPattern {
    text: String,
    parts: Vec<PatternPart>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum PatternPart {
    Any,
    /// Each attribute type with its value; `None` stands for any value.
    Pairs(Vec<(String, Option<DnValue>)>),
}

impl DnPattern {
    /// Parses the text form of RFC 4514 §3 with asterisks. An escaped asterisk stands for itself.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let parts = split_unescaped(text, ',').into_iter().map(PatternPart::parse).collect::<Option<Vec<_>>>()?;
        Some(Self { text: text.trim().to_owned(), parts })
    }

    /// Whether a DN has this form, or is below one that has.
    #[must_use]
    pub fn fits(&self, dn: &Dn) -> bool {
        let Some(above) = dn.rdns().len().checked_sub(self.parts.len()) else { return false };
        dn.rdns().iter().skip(above).zip(&self.parts).all(|(rdn, part)| part.fits(rdn))
    }
}

impl PatternPart {
    fn parse(text: &str) -> Option<Self> {
        if text.trim() == "*" {
            return Some(Self::Any);
        }
        split_unescaped(text, '+').into_iter().map(pair).collect::<Option<Vec<_>>>().map(Self::Pairs)
    }

    fn fits(&self, rdn: &Rdn) -> bool {
        let Self::Pairs(pairs) = self else { return true };
        rdn.len() == pairs.len() && pairs.iter().all(|(kind, wanted)| rdn.has(kind, wanted.as_ref()))
    }
}

fn pair(text: &str) -> Option<(String, Option<DnValue>)> {
    let (kind, value) = read_pair(text)?;
    let is_any = text.split_once('=').is_some_and(|(_, written)| written.trim() == "*");
    Some((kind, (!is_any).then_some(value)))
}

impl fmt::Display for DnPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asterisks_stand_for_anything_but_no_more_than_one_part() {
        for (pattern, name, fits) in [
            ("ou=Sales,o=Reno", "uid=a,OU=sales,o=reno", true),
            ("ou=Sales,o=Reno", "ou=Sales,o=Reno", true),
            ("ou=Sales,o=Reno", "uid=a,ou=East,ou=Sales,o=Reno", true),
            ("ou=Sales,o=Reno", "uid=a,ou=Production,o=Reno", false),
            ("ou=Sales,o=Reno", "o=Reno", false),
            ("ou=*,o=Reno", "uid=a,ou=Sales,o=Reno", true),
            ("ou=*,o=Reno", "uid=a,l=Bonn,o=Reno", false),
            ("ou=*,o=Reno", "uid=a,o=Reno", false),
            ("ou=Sales,*,o=Reno", "uid=a,ou=Sales,l=Bonn,o=Reno", true),
            ("ou=Sales,*,o=Reno", "uid=a,ou=Sales,o=Reno", false),
            ("cn=*+uid=a,o=Reno", "uid=A+cn=Any,o=Reno", true),
            ("cn=*,o=Reno", "uid=A+cn=Any,o=Reno", false),
            (r"ou=\2a,o=Reno", "uid=a,ou=Sales,o=Reno", false),
            (r"ou=\2a,o=Reno", r"uid=a,ou=\2A,o=Reno", true),
            ("ou=*+ou=b,o=Reno", "uid=a,ou=B+ou=a,o=Reno", true),
            ("ou=*+ou=b,o=Reno", "uid=a,ou=c+ou=a,o=Reno", false),
            ("x=*,o=Reno", "uid=a,x=#30030201ff,o=Reno", true),
            ("ou=Köln,o=Reno", "uid=a,ou=Ko\u{308}ln,o=Reno", true),
            ("*", "o=Reno", true),
        ] {
            let pattern = DnPattern::parse(pattern).unwrap();
            assert_eq!(pattern.fits(&Dn::parse(name).unwrap()), fits, "{pattern} {name}");
        }
    }

    #[test]
    fn malformed_patterns_are_rejected() {
        for text in ["", "Sales", "ou=", "*,", "=*", "ou=Sales,,o=Reno", "**"] {
            assert_eq!(DnPattern::parse(text), None, "{text}");
        }
    }
}

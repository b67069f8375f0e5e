//! Distinguished names (RFC 4514): how they are parsed and compared, and which is below which.

use std::borrow::Cow;
use std::fmt;

use super::dn_value::{DnValue, read_value};
use super::normal_forms;

/// A distinguished name, the person's own part first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dn {
    text: String,
    rdns: Vec<Rdn>,
}

/// One relative distinguished name: one pair of type and value, or several joined by `+`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rdn {
    pairs: Vec<(String, DnValue)>,
}

impl Dn {
    /// Parses the text form of RFC 4514 §3; blanks around `,`, `+` and `=` are ignored, as RFC 2253 allowed.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut rdns = Vec::new();
        for part in split_unescaped(text, ',') {
            let pairs = split_unescaped(part, '+').into_iter().map(read_pair).collect::<Option<Vec<_>>>()?;
            rdns.push(Rdn { pairs });
        }
        Some(Self { text: text.trim().to_owned(), rdns })
    }

    /// The DN of an entry as its directory writes it. A DN that cannot be parsed has no parts: it equals no other DN
    /// and is below none.
    #[must_use]
    pub fn of_entry(text: &str) -> Self {
        Self::parse(text).unwrap_or_else(|| Self { text: text.to_owned(), rdns: Vec::new() })
    }

    /// Whether it could be parsed.
    #[must_use]
    pub fn is_readable(&self) -> bool {
        !self.rdns.is_empty()
    }

    /// The text it was parsed from.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The text in each form in which a directory may store it; see [`normal_forms`].
    #[must_use]
    pub fn normal_forms(&self) -> Vec<String> {
        normal_forms(&self.text)
    }

    /// Its parts, the person's own first.
    #[must_use]
    pub fn rdns(&self) -> &[Rdn] {
        &self.rdns
    }

    /// The DN of the parent entry; none if it has only one part.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        let above = split_unescaped(&self.text, ',').into_iter().skip(1).collect::<Vec<_>>().join(",");
        Self::parse(&above)
    }

    /// Whether it is below `base`, or `base` itself.
    #[must_use]
    pub fn is_within(&self, base: &Self) -> bool {
        let Some(above) = self.rdns.len().checked_sub(base.rdns.len()) else { return false };
        base.is_readable() && self.rdns.iter().skip(above).zip(&base.rdns).all(|(own, of_base)| own.matches(of_base))
    }

    /// Whether both name the same entry; case is ignored.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        self.rdns.len() == other.rdns.len() && self.is_within(other)
    }
}

impl fmt::Display for Dn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Rdn {
    /// The pairs of attribute type and value, unescaped. A value that is not text is given as `#` and its octets in
    /// hexadecimal digits (RFC 4514 §2.4).
    pub fn pairs(&self) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
        self.pairs.iter().map(|(kind, value)| (kind.as_str(), value.to_text()))
    }

    /// The value of an attribute in this part, if it has one that is text.
    #[must_use]
    pub fn value_of(&self, attribute: &str) -> Option<&str> {
        let mut named = self.pairs.iter().filter(move |(kind, _)| kind.eq_ignore_ascii_case(attribute));
        named.find_map(|(_, value)| value.as_text())
    }

    pub(super) fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Whether this part has the attribute: with this value, if one is given.
    pub(super) fn has(&self, attribute: &str, value: Option<&DnValue>) -> bool {
        let of_attribute = |(kind, _): &&(String, DnValue)| kind.eq_ignore_ascii_case(attribute);
        self.pairs.iter().filter(of_attribute).any(|(_, own)| value.is_none_or(|value| own.matches(value)))
    }

    fn matches(&self, other: &Self) -> bool {
        self.len() == other.len() && self.pairs.iter().all(|(kind, value)| other.has(kind, Some(value)))
    }
}

/// Splits at each separator that is not escaped by a backslash.
pub(super) fn split_unescaped(text: &str, separator: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut escaped) = (0, false);
    for (at, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if character == separator => {
                parts.push(text.get(start..at).unwrap_or_default());
                start = at + separator.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(text.get(start..).unwrap_or_default());
    parts
}

/// `attributeTypeAndValue = attributeType EQUALS attributeValue` (RFC 4514 §3).
pub(super) fn read_pair(text: &str) -> Option<(String, DnValue)> {
    let (kind, value) = text.split_once('=')?;
    let kind = kind.trim();
    let is_type =
        !kind.is_empty() && kind.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-.;".contains(&octet));
    let value = read_value(trim_unescaped(value))?;
    is_type.then(|| (kind.to_owned(), value))
}

/// Trims blanks, except one that is escaped by a backslash.
fn trim_unescaped(value: &str) -> &str {
    let value = value.trim_start();
    let trimmed = value.trim_end();
    let backslashes = trimmed.bytes().rev().take_while(|octet| *octet == b'\\').count();
    if backslashes % 2 == 1 { value.get(..=trimmed.len()).unwrap_or(trimmed) } else { trimmed }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dn(text: &str) -> Dn {
        Dn::parse(text).unwrap()
    }

    #[test]
    fn reads_escapes_of_every_kind() {
        let person = dn(r"cn=Jones\, Alan \28Al\29+uid=ajones, ou=R\26D\\x,dc=example");
        assert_eq!(person.rdns().len(), 3);
        assert_eq!(person.rdns()[0].value_of("CN"), Some("Jones, Alan (Al)"));
        assert_eq!(person.rdns()[0].value_of("uid"), Some("ajones"));
        assert_eq!(person.rdns()[1].value_of("ou"), Some("R&D\\x"));
        assert_eq!(dn(r"cn=J\C3\BCrgen").rdns()[0].value_of("cn"), Some("Jürgen"));
        assert_eq!(dn(r"cn=ends in blank\ ,dc=x").rdns()[0].value_of("cn"), Some("ends in blank "));
    }

    /// RFC 4514 §2.4: a value may stand as `#` and the hexadecimal digits of its BER encoding.
    #[test]
    fn reads_values_in_ber() {
        for (one, other) in [
            ("1.3.6.1.4.1.1466.0=#04024869,o=Test", r"1.3.6.1.4.1.1466.0=Hi,O=test"),
            ("cn=#0C03416C61", "CN=ala"),
            ("cn=#0c03416c61 , dc=x", "cn=Ala,dc=x"),
            ("ou=#1305536C657331", "ou=#1305536c657331"),
            ("x=#30030201FF", "X=#30030201ff"),
            (r"l=\FF\FE", r"L=\ff\fe"),
        ] {
            assert!(dn(one).matches(&dn(other)), "{one} {other}");
        }
        for (one, other) in
            [("x=#30030201FF", "x=#30030201FE"), ("x=#30030201FF", r"x=\#30030201FF"), (r"l=\FF", r"l=\FE")]
        {
            assert!(!dn(one).matches(&dn(other)), "{one} {other}");
        }
        let rdn = dn("x=#30030201FF+cn=a").rdns()[0].clone();
        assert_eq!(rdn.pairs().map(|(_, value)| value.into_owned()).collect::<Vec<_>>(), ["#30030201ff", "a"]);
        assert_eq!((rdn.value_of("x"), rdn.value_of("cn")), (None, Some("a")));
    }

    #[test]
    fn malformed_names_are_rejected() {
        for text in [
            "",
            "ajones",
            "Jones, Alan",
            "cn=Jones, Alan",
            "cn=",
            "=x",
            "cn=a,,dc=x",
            r"cn=a\",
            r"cn=a\4",
            "a b=c",
            "cn=#",
            "cn=#4",
            "cn=#0g",
        ] {
            assert_eq!(Dn::parse(text), None, "{text}");
        }
        let odd = Dn::of_entry("no name");
        assert_eq!((odd.as_str(), odd.is_readable()), ("no name", false));
        assert!(!odd.matches(&odd) && !odd.is_within(&dn("dc=x")) && !dn("dc=x").is_within(&odd));
    }

    #[test]
    fn lies_below_its_base_whatever_the_case() {
        let base = dn("ou=People,dc=Renovations,dc=example");
        assert!(dn("uid=ajones,ou=Sales,OU=people, dc=renovations, DC=EXAMPLE").is_within(&base));
        assert!(base.is_within(&base));
        assert!(!dn("uid=ajones,ou=Groups,dc=renovations,dc=example").is_within(&base));
        assert!(!dn("dc=example").is_within(&base));
        assert!(dn("UID=A+CN=B,dc=x").matches(&dn("cn=b+uid=a,dc=x")));
        assert!(dn("ou=a+ou=b,dc=x").matches(&dn("OU=B+ou=a,dc=x")));
        assert!(!dn("ou=a+ou=b,dc=x").matches(&dn("ou=a+ou=c,dc=x")));
        assert!(dn("ou=Ko\u{308}ln,dc=x").matches(&dn("ou=KÖLN,dc=x")));
    }
}

//! Distinguished names (RFC 4514): read, compared, found below one another.

use std::fmt;

/// A distinguished name, the person's own part first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dn {
    text: String,
    rdns: Vec<Rdn>,
}

/// One relative distinguished name: one pair of type and value, or several joined by `+`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rdn {
    pairs: Vec<(String, String)>,
}

impl Dn {
    /// Reads the text form of RFC 4514 §3; blanks around `,`, `+` and `=` are passed over, as RFC 2253 allowed.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut rdns = Vec::new();
        for part in split_unescaped(text, ',') {
            let pairs = split_unescaped(part, '+').into_iter().map(read_pair).collect::<Option<Vec<_>>>()?;
            rdns.push(Rdn { pairs });
        }
        Some(Self { text: text.trim().to_owned(), rdns })
    }

    /// The text it was read from.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Its parts, the person's own first.
    #[must_use]
    pub fn rdns(&self) -> &[Rdn] {
        &self.rdns
    }

    /// The entry above it; none above a name of one part.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        let above = split_unescaped(&self.text, ',').into_iter().skip(1).collect::<Vec<_>>().join(",");
        Self::parse(&above)
    }

    /// Whether it lies below `base`, or is `base` itself.
    #[must_use]
    pub fn is_within(&self, base: &Self) -> bool {
        let Some(above) = self.rdns.len().checked_sub(base.rdns.len()) else { return false };
        self.rdns.iter().skip(above).zip(&base.rdns).all(|(own, of_base)| own.matches(of_base))
    }

    /// Whether both name the same entry, upper and lower case alike.
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
    /// The pairs of attribute type and value, unescaped.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(kind, value)| (kind.as_str(), value.as_str()))
    }

    /// The value that this part gives to an attribute, if it names it.
    #[must_use]
    pub fn value_of(&self, attribute: &str) -> Option<&str> {
        self.pairs().find(|(kind, _)| kind.eq_ignore_ascii_case(attribute)).map(|(_, value)| value)
    }

    fn matches(&self, other: &Self) -> bool {
        self.pairs.len() == other.pairs.len()
            && self.pairs().all(|(kind, value)| {
                other.value_of(kind).is_some_and(|theirs| super::fold(theirs) == super::fold(value))
            })
    }
}

/// Splits at a separator that no backslash stands before.
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
pub(super) fn read_pair(text: &str) -> Option<(String, String)> {
    let (kind, value) = text.split_once('=')?;
    let kind = kind.trim();
    let is_type =
        !kind.is_empty() && kind.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-.;".contains(&octet));
    let value = unescape(trim_unescaped(value))?;
    (is_type && !value.is_empty()).then(|| (kind.to_owned(), value))
}

/// Trims blanks, but not one that a backslash protects.
fn trim_unescaped(value: &str) -> &str {
    let value = value.trim_start();
    let trimmed = value.trim_end();
    let backslashes = trimmed.bytes().rev().take_while(|octet| *octet == b'\\').count();
    if backslashes % 2 == 1 { value.get(..=trimmed.len()).unwrap_or(trimmed) } else { trimmed }
}

/// `pair = ESC ( ESC / special / hexpair )` (RFC 4514 §3); a `#` form (BER) is not read.
fn unescape(value: &str) -> Option<String> {
    if value.starts_with('#') {
        return None;
    }
    let mut octets = Vec::with_capacity(value.len());
    let mut rest = value.bytes();
    while let Some(octet) = rest.next() {
        if octet != b'\\' {
            octets.push(octet);
            continue;
        }
        let escaped = rest.next()?;
        match (escaped as char).to_digit(16) {
            Some(high) => {
                let low = (rest.next()? as char).to_digit(16)?;
                octets.push(u8::try_from(high * 16 + low).ok()?);
            }
            None => octets.push(escaped),
        }
    }
    String::from_utf8(octets).ok()
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

    #[test]
    fn what_is_no_name_is_not_read() {
        for text in
            ["", "ajones", "Jones, Alan", "cn=Jones, Alan", "cn=", "=x", "cn=a,,dc=x", r"cn=a\", r"cn=a\4", "a b=c"]
        {
            assert_eq!(Dn::parse(text), None, "{text}");
        }
    }

    #[test]
    fn lies_below_its_base_whatever_the_case() {
        let base = dn("ou=People,dc=Renovations,dc=example");
        assert!(dn("uid=ajones,ou=Sales,OU=people, dc=renovations, DC=EXAMPLE").is_within(&base));
        assert!(base.is_within(&base));
        assert!(!dn("uid=ajones,ou=Groups,dc=renovations,dc=example").is_within(&base));
        assert!(!dn("dc=example").is_within(&base));
        assert!(dn("UID=A+CN=B,dc=x").matches(&dn("cn=b+uid=a,dc=x")));
    }
}

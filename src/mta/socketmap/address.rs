//! Which addresses a key stands for. Postfix asks a socketmap once for each form of an address that is not a pattern: it
//! strips neither quotes nor extensions, so that is done here.

use crate::names::LoginName;

/// A mail address, in lower case as far as it is ASCII. The local part has no quotes (RFC 5321 §4.1.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MailAddress {
    local: String,
    domain: String,
}

impl MailAddress {
    /// Parses a key; none if it is not an address with both its parts.
    pub(super) fn parse(key: &str) -> Option<Self> {
        let (local, domain) = key.trim().rsplit_once('@')?;
        let local = unquoted(local);
        if local.is_empty() || domain.is_empty() || domain.contains(char::is_whitespace) {
            return None;
        }
        Some(Self { local: local.to_ascii_lowercase(), domain: domain.to_ascii_lowercase() })
    }

    /// The same without its extension, and the extension with its delimiter; none if it has none. An extension begins at
    /// the first of the delimiters, but never at the beginning of the address.
    pub(super) fn without_extension(&self, delimiters: &str) -> Option<(Self, &str)> {
        let at = self.local.char_indices().skip(1).find(|(_, character)| delimiters.contains(*character))?.0;
        let (local, extension) = self.local.split_at_checked(at)?;
        Some((Self { local: local.to_owned(), domain: self.domain.clone() }, extension))
    }

    /// The forms in which a directory may hold it, as far as anybody can have them: a local part that is no `Dot-string`
    /// (RFC 5321 §4.1.2) needs quotes, which not every administrator knows.
    pub(super) fn names(&self) -> impl Iterator<Item = LoginName> {
        let plain = format!("{}@{}", self.local, self.domain);
        let quoted = (!self.local.chars().all(is_atom)).then(|| {
            let escaped = self.local.replace('\\', "\\\\").replace('"', "\\\"");
            format!("\"{escaped}\"@{}", self.domain)
        });
        std::iter::once(plain).chain(quoted).filter_map(|name| LoginName::new(name.as_bytes()).ok())
    }
}

/// `atext` (RFC 5322 §3.2.3, RFC 6531 §3.3), or a dot.
fn is_atom(character: char) -> bool {
    character.is_ascii_alphanumeric() || !character.is_ascii() || "!#$%&'*+-/=?^_`{|}~.".contains(character)
}

/// `Quoted-string = DQUOTE *QcontentSMTP DQUOTE`, with `quoted-pairSMTP = %d92 %d32-126` (RFC 5321 §4.1.2).
fn unquoted(local: &str) -> String {
    let Some(inside) = local.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else { return local.to_owned() };
    let (mut text, mut is_escaped) = (String::new(), false);
    for character in inside.chars() {
        is_escaped = character == '\\' && !is_escaped;
        if !is_escaped {
            text.push(character);
        }
    }
    text
}

/// An address with an extension put behind its local part.
pub(super) fn extended(address: &str, extension: &str) -> String {
    match address.rsplit_once('@') {
        Some((local, domain)) => format!("{local}{extension}@{domain}"),
        None => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(key: &str) -> Vec<String> {
        let names = |address: MailAddress| address.names().map(|name| name.as_str().to_owned()).collect();
        MailAddress::parse(key).map(names).unwrap_or_default()
    }

    #[test]
    fn a_key_is_an_address_in_all_its_forms() {
        for (key, forms) in [
            ("Ada@Renovations.Example", &["ada@renovations.example"][..]),
            ("\"ada.m\"@x.example", &["ada.m@x.example"]),
            ("\"ada m\"@x.example", &["ada m@x.example", "\"ada m\"@x.example"]),
            ("ada m@x.example", &["ada m@x.example", "\"ada m\"@x.example"]),
            ("\"a\\\"b\\\\c\"@x.example", &["a\"b\\c@x.example", "\"a\\\"b\\\\c\"@x.example"]),
            ("\"a@b\"@x.example", &["a@b@x.example", "\"a@b\"@x.example"]),
            ("jürgen@x.example", &["jürgen@x.example"]),
            ("ada", &[]),
            ("@x.example", &[]),
            ("ada@", &[]),
            ("\"\"@x.example", &[]),
            ("", &[]),
            ("a\u{0}b@x.example", &[]),
        ] {
            assert_eq!(names(key), forms, "{key}");
        }
        assert!(names(&format!("{}@x.example", "a".repeat(9_000))).is_empty());
    }

    #[test]
    fn an_extension_begins_at_the_first_delimiter() {
        let without = |key: &str, delimiters: &str| {
            let address = MailAddress::parse(key).unwrap();
            address.without_extension(delimiters).map(|(short, extension)| (short.local, extension.to_owned()))
        };
        let found = |local: &str, extension: &str| Some((local.to_owned(), extension.to_owned()));
        assert_eq!(without("ada+lists+more@x", "+"), found("ada", "+lists+more"));
        assert_eq!(without("ada-x+y@x", "+-"), found("ada", "-x+y"));
        assert_eq!(without("ada+@x", "+"), found("ada", "+"));
        for (key, delimiters) in [("ada@x", "+"), ("+ada@x", "+"), ("ada+x@x", ""), ("ada@x+y", "+")] {
            assert_eq!(without(key, delimiters), None, "{key}");
        }
        assert_eq!(extended("alan.jones@x.example", "+lists"), "alan.jones+lists@x.example");
    }
}

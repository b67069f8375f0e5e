//! The values of an entry, by attribute.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

use ldap3::SearchEntry;
use zeroize::Zeroize;

/// The values of every attribute that was read.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) struct EntryValues(HashMap<String, OfAttribute>);

/// The values under one attribute description: its own, then those under further options.
#[derive(Clone, Debug, PartialEq, Eq, Default, Hash)]
struct OfAttribute {
    texts: Vec<String>,
    /// The number of texts, from the first on, that have no further option.
    plain: usize,
    /// Values that are not UTF-8.
    octets: Vec<Vec<u8>>,
}

impl EntryValues {
    /// Reads what a search found. If one value is not UTF-8, the library returns all values of the attribute as octets;
    /// here the others remain texts.
    pub(crate) fn read(found: SearchEntry) -> Self {
        // Sorted by name, so that values without options come first.
        let mut by_description: BTreeMap<Description, OfAttribute> = BTreeMap::new();
        for (name, texts) in found.attrs {
            by_description.entry(Description::of(&name)).or_default().texts.extend(texts);
        }
        for (name, values) in found.bin_attrs {
            let own = by_description.entry(Description::of(&name)).or_default();
            for value in values {
                match String::from_utf8(value) {
                    Ok(text) => own.texts.push(text),
                    Err(fault) => own.octets.push(fault.into_bytes()),
                }
            }
        }
        let mut values = Self::default();
        for (description, own) in by_description {
            values.note(&description, own);
        }
        values
    }

    /// "An attribute description with options is a subtype of the one without" (RFC 4512 §2.5.2).
    fn note(&mut self, description: &Description, mut own: OfAttribute) {
        own.plain = own.texts.len();
        if !description.options.is_empty() {
            let base = self.0.entry(description.base.clone()).or_default();
            for text in &own.texts {
                if !base.texts.contains(text) {
                    base.texts.push(text.clone());
                }
            }
            base.octets.extend(own.octets.iter().cloned());
        }
        self.0.insert(description.to_string(), own);
    }

    /// All that are text.
    pub(super) fn texts(&self, attribute: &str) -> &[String] {
        self.get(attribute).map(|own| own.texts.as_slice()).unwrap_or_default()
    }

    /// Those without further options; only if there are none, the others.
    pub(super) fn plain_texts(&self, attribute: &str) -> &[String] {
        let Some(own) = self.get(attribute) else { return &[] };
        own.texts.get(..own.plain).filter(|plain| !plain.is_empty()).unwrap_or(&own.texts)
    }

    /// All, text or not.
    pub(crate) fn octets(&self, attribute: &str) -> impl Iterator<Item = &[u8]> {
        let own = self.get(attribute);
        let octets = own.into_iter().flat_map(|own| &own.octets).map(Vec::as_slice);
        octets.chain(own.into_iter().flat_map(|own| &own.texts).map(String::as_bytes))
    }

    /// All attributes except these (in lower case), in the order of their names.
    pub(super) fn without(&self, attributes: &[&str]) -> impl Hash {
        let all = self.0.iter().filter(|(name, _)| !attributes.contains(&name.as_str()));
        all.collect::<BTreeMap<_, _>>()
    }

    /// Takes all of them; nothing of the attribute remains in memory.
    pub(crate) fn take(&mut self, attribute: &str) -> Vec<Vec<u8>> {
        let description = Description::of(attribute);
        let taken = self.0.remove(&description.to_string()).unwrap_or_default();
        for (name, own) in &mut self.0 {
            if Description::of(name).base == description.base {
                own.texts.zeroize();
                own.octets.zeroize();
                own.plain = 0;
            }
        }
        taken.texts.into_iter().map(String::into_bytes).chain(taken.octets).collect()
    }

    fn get(&self, attribute: &str) -> Option<&OfAttribute> {
        self.0.get(&Description::of(attribute).to_string())
    }
}

/// `attributedescription = attributetype options` (RFC 4512 §2.5), in lower case, the options in order. The transfer
/// option (`;binary`, RFC 4522 §3) does not count.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Description {
    base: String,
    options: Vec<String>,
}

impl Description {
    fn of(name: &str) -> Self {
        let name = name.to_ascii_lowercase();
        let mut parts = name.split(';');
        let base = parts.next().unwrap_or_default().to_owned();
        let mut options: Vec<String> = parts.filter(|option| *option != "binary").map(str::to_owned).collect();
        options.sort_unstable();
        options.dedup();
        Self { base, options }
    }
}

impl std::fmt::Display for Description {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.base)?;
        self.options.iter().try_for_each(|option| write!(f, ";{option}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(texts: &[(&str, &[&str])], octets: &[(&str, &[&[u8]])]) -> EntryValues {
        let attrs = texts
            .iter()
            .map(|(name, values)| ((*name).to_owned(), values.iter().map(|value| (*value).to_owned()).collect()));
        let bin_attrs = octets
            .iter()
            .map(|(name, values)| ((*name).to_owned(), values.iter().map(|value| value.to_vec()).collect()));
        EntryValues::read(SearchEntry { dn: "cn=x".to_owned(), attrs: attrs.collect(), bin_attrs: bin_attrs.collect() })
    }

    #[test]
    fn options_make_subtypes() {
        let values = values(
            &[("MAIL;x-work", &["b@x", "a@x"]), ("mail", &["a@x"]), ("cn;lang-ru;x-a", &["Алан"])],
            &[("userCertificate;binary", &[b"\xff"])],
        );
        assert_eq!(values.texts("mail"), ["a@x", "b@x"]);
        assert_eq!(values.plain_texts("Mail"), ["a@x"]);
        assert_eq!(values.texts("mail;X-Work"), ["b@x", "a@x"]);
        assert_eq!(
            (values.texts("cn"), values.plain_texts("cn")),
            (&["Алан".to_owned()][..], &["Алан".to_owned()][..])
        );
        assert_eq!(values.texts("cn;x-a;lang-ru"), ["Алан"]);
        assert_eq!(values.octets("userCertificate").collect::<Vec<_>>(), [b"\xff"]);
        assert_eq!((values.texts("sn"), values.plain_texts("sn")), (&[][..], &[][..]));
    }

    #[test]
    fn one_value_that_is_not_utf8_leaves_the_others_alone() {
        let mut values = values(&[], &[("uid", &[b"jm\xfcller", b"jmueller"])]);
        assert_eq!(values.texts("uid"), ["jmueller"]);
        assert_eq!(values.octets("uid").collect::<Vec<_>>(), [&b"jm\xfcller"[..], b"jmueller"]);
        assert_eq!(values.take("UID"), [b"jmueller".to_vec(), b"jm\xfcller".to_vec()]);
        assert_eq!(values.octets("uid").next(), None);
    }
}

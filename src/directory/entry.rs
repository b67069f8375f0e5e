//! A person's entry, as far as it was read.

use std::collections::HashMap;
use std::fmt;

use ldap3::SearchEntry;

use super::{Attributes, Fault};
use crate::names::{Dn, Kind, LookUp, fold};

/// What identifies an entry whatever it is called and wherever it lies.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EntryId(String);

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The entry's own id: entryUUID (RFC 4530) or nsUniqueId, else its DN.
    pub id: EntryId,
    /// Its distinguished name.
    pub dn: Dn,
    /// Moves when the password may have changed: pwdChangedTime, else modifyTimestamp; none where neither may be read.
    pub stamp: Option<String>,
    /// By lower-case name.
    values: HashMap<String, Vec<String>>,
    /// Values that are no text, by lower-case name without the option `;binary`.
    octets: HashMap<String, Vec<Vec<u8>>>,
}

/// Operational attributes that are read of every entry.
pub(super) const OPERATIONAL: [&str; 4] = ["entryUUID", "nsUniqueId", "pwdChangedTime", "modifyTimestamp"];

impl Entry {
    /// Takes what a search found. Servers spell attributes their own way: case does not count.
    pub(super) fn read(found: SearchEntry) -> Result<Self, Fault> {
        let dn = Dn::parse(&found.dn)
            .ok_or_else(|| Fault::Misconfigured(format!("an entry's DN cannot be read: {:?}", found.dn)))?;
        let values: HashMap<_, _> =
            found.attrs.into_iter().map(|(name, values)| (name.to_ascii_lowercase(), values)).collect();
        let octets = found.bin_attrs.into_iter().map(|(name, values)| (without_option(&name), values)).collect();
        let first = |name: &str| values.get(name).and_then(|values: &Vec<String>| values.first()).cloned();
        let id = first("entryuuid").or_else(|| first("nsuniqueid")).unwrap_or_else(|| fold(dn.as_str()));
        let stamp = first("pwdchangedtime").or_else(|| first("modifytimestamp"));
        Ok(Self { id: EntryId(id), dn, stamp, values, octets })
    }

    /// All values of an attribute; none if it is missing or may not be read.
    #[must_use]
    pub fn values(&self, attribute: &str) -> &[String] {
        self.values.get(&attribute.to_ascii_lowercase()).map(Vec::as_slice).unwrap_or_default()
    }

    /// All values of an attribute that holds octets, such as `userCertificate;binary`. Servers give the option `;binary`
    /// back or not (RFC 4522 §4); it does not count here.
    pub fn octets(&self, attribute: &str) -> impl Iterator<Item = &[u8]> {
        let name = without_option(attribute);
        // What happens to be UTF-8 was taken for a text.
        let texts = self.values.iter().filter(move |(own, _)| without_option(own) == without_option(attribute));
        let texts = texts.flat_map(|(_, values)| values).map(String::as_bytes);
        self.octets.get(&name).into_iter().flatten().map(Vec::as_slice).chain(texts)
    }

    /// The kind of name by which a look-up meant this entry, if our comparison and the directory's agree on one.
    #[must_use]
    pub fn kind_of_match(&self, look_up: &LookUp, attributes: &Attributes) -> Option<Kind> {
        if look_up.entry.as_ref().is_some_and(|dn| dn.matches(&self.dn)) {
            return Some(Kind::DistinguishedName);
        }
        let equal = look_up.equal.iter().find(|equality| {
            let values = attributes.of(equality.kind).map(|attribute| self.values(attribute)).unwrap_or_default();
            values.iter().any(|value| fold(value) == fold(&equality.value))
        });
        let hierarchical = look_up.hierarchical.as_ref().filter(|name| name.fits(&self.dn));
        equal.map(|equality| equality.kind).or(hierarchical.map(|_| Kind::HierarchicalName))
    }
}

fn without_option(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    name.strip_suffix(";binary").map_or(name.clone(), str::to_owned)
}

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

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
        let first = |name: &str| values.get(name).and_then(|values: &Vec<String>| values.first()).cloned();
        let id = first("entryuuid").or_else(|| first("nsuniqueid"));
        let id = id.map_or_else(|| EntryId(fold(dn.as_str())), |id| EntryId::of_text(&id));
        let stamp = first("pwdchangedtime").or_else(|| first("modifytimestamp"));
        Ok(Self { id, dn, stamp, values })
    }

    /// All values of an attribute; none if it is missing or may not be read.
    #[must_use]
    pub fn values(&self, attribute: &str) -> &[String] {
        self.values.get(&attribute.to_ascii_lowercase()).map(Vec::as_slice).unwrap_or_default()
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

impl EntryId {
    /// Of the sixteen octets by which content synchronisation names an entry (RFC 4533 §2.1).
    pub(super) fn of_uuid(octets: &[u8]) -> Self {
        Self(octets.iter().fold(String::new(), |text, octet| text + &format!("{octet:02x}")))
    }

    /// Of an entryUUID (RFC 4530) or an nsUniqueId: the same sixteen octets, their digits grouped in different ways.
    fn of_text(text: &str) -> Self {
        Self(text.chars().filter(char::is_ascii_hexdigit).map(|digit| digit.to_ascii_lowercase()).collect())
    }
}

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

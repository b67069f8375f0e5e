//! An entry, as far as it was read.

use std::fmt;
use std::hash::Hash;
use std::sync::Arc;

use ldap3::asn1::PL;
use ldap3::{ResultEntry, SearchEntry};

use super::attributes::Attributes;
use super::shut_out::{Exclusion, OutOfScope};
use super::stamp::{Stamp, was_refused_last};
use super::values::EntryValues;
use crate::names::{Dn, Kind, LookUp, Rdn};

/// Identifies an entry even if it is renamed or moved. Two directories may hold entries with the same id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId {
    directory: Arc<str>,
    own: String,
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The entry's own id: entryUUID (RFC 4530), nsUniqueId or objectGUID, else its DN.
    pub id: EntryId,
    /// The other ids by which content synchronisation may name it (RFC 4533 §2.1): 389 Directory Server can give an entry
    /// both an entryUUID and an nsUniqueId.
    pub other_ids: Vec<EntryId>,
    /// Its distinguished name.
    pub dn: Dn,
    /// Changes when the password may have changed; none if no attribute that shows it may be read.
    pub stamp: Option<Stamp>,
    /// Why this person may not use the service, if that was asked.
    pub exclusion: Option<Exclusion>,
    /// Why this entry is out of scope, if so.
    pub out_of_scope: Option<OutOfScope>,
    values: EntryValues,
}

/// Operational attributes that are read of every entry: the first that is present identifies it.
pub(crate) const IDS: [&str; 3] = ["entryUUID", "nsUniqueId", "objectGUID"];

/// These change when a password may have changed; so does `pwdLastSet`, which also shows the account's state.
pub(crate) const CHANGE_STAMPS: [&str; 3] = ["pwdChangedTime", "modifyTimestamp", "whenChanged"];

/// These are finer, if the directory has them.
pub(crate) const FINER_STAMPS: [&str; 2] = ["entryCSN", "pwdFailureTime"];

/// Present in an entry that lost a replication conflict: in 389 Directory Server and its kin, in `OpenDJ` and its kin.
pub(crate) const CONFLICT: [&str; 2] = ["nsds5ReplConflict", "ds-sync-conflict"];

/// Added to the RDN of such an entry, so that the winner keeps its name.
const CONFLICT_NAMING: [&str; 2] = ["nsuniqueid", "entryuuid"];

/// In the RDN of such an entry in Active Directory, before the entry's id.
const CONFLICT_MARK: &str = "\nCNF:";

impl Entry {
    /// Reads what a search found in a directory. Its DN may be unreadable.
    pub(crate) fn read(found: SearchEntry, directory: &Arc<str>) -> Self {
        let dn = Dn::of_entry(&found.dn);
        let values = EntryValues::read(found);
        let id = EntryId { directory: directory.clone(), own: String::new() };
        let other_ids = Vec::new();
        let mut entry = Self { id, other_ids, dn, stamp: None, exclusion: None, out_of_scope: None, values };
        entry.id.own = entry.own_id();
        entry.other_ids = entry.synchronised_ids().filter(|id| *id != entry.id).collect();
        entry.stamp = Stamp::of(&entry.values);
        entry
    }

    fn synchronised_ids(&self) -> impl Iterator<Item = EntryId> {
        let texts = ["entryUUID", "nsUniqueId"].into_iter().filter_map(|name| self.values(name).first());
        texts.map(|text| EntryId { directory: self.id.directory.clone(), own: digits_of(text) })
    }

    /// Active Directory's id is octets: it is written in hexadecimal digits.
    fn own_id(&self) -> String {
        let text = ["entryUUID", "nsUniqueId"].into_iter().find_map(|name| self.values(name).first());
        if let Some(text) = text {
            return digits_of(text);
        }
        self.octets("objectGUID").next().map_or_else(|| self.dn.as_str().to_lowercase(), hexadecimal)
    }

    /// All values of an attribute that are text, those under options included (RFC 4512 §2.5.2: `cn;lang-ru` is a
    /// subtype of `cn`); none if it is missing or may not be read.
    #[must_use]
    pub fn values(&self, attribute: &str) -> &[String] {
        self.values.texts(attribute)
    }

    /// Those without options; only if there are none, those with options.
    #[must_use]
    pub fn plain_values(&self, attribute: &str) -> &[String] {
        self.values.plain_texts(attribute)
    }

    /// All values of an attribute that holds octets, such as `userCertificate;binary`. Servers may or may not return
    /// the option `;binary` (RFC 4522 §4); it is ignored here.
    pub fn octets(&self, attribute: &str) -> impl Iterator<Item = &[u8]> {
        self.values.octets(attribute)
    }

    /// Everything that was read except these attributes (in lower case), in an order that is always the same.
    pub(crate) fn values_without(&self, attributes: &[&str]) -> impl Hash {
        self.values.without(attributes)
    }

    /// Whether the entry's last change was a refused bind.
    pub(crate) fn was_refused_last(&self) -> bool {
        was_refused_last(&self.values)
    }

    /// Takes the values of an attribute out of the entry, so that they can be wiped.
    pub(crate) fn take_octets(&mut self, attribute: &str) -> Vec<Vec<u8>> {
        self.values.take(attribute)
    }

    /// Whether this entry lost a replication conflict: two servers added or renamed entries to one name at the same
    /// time, and this one was given a made-up name until an administrator resolves that.
    #[must_use]
    pub fn lost_conflict(&self) -> bool {
        let is_marked = CONFLICT.into_iter().any(|attribute| self.octets(attribute).next().is_some());
        is_marked || self.dn.rdns().first().is_some_and(is_made_up)
    }

    /// The kind of name by which a look-up found this entry, if our comparison and the directory's agree on one.
    #[must_use]
    pub fn kind_of_match(&self, look_up: &LookUp, attributes: &Attributes) -> Option<Kind> {
        if look_up.entry.as_ref().is_some_and(|dn| dn.matches(&self.dn)) {
            return Some(Kind::DistinguishedName);
        }
        let equal = look_up.equal.iter().find(|equality| {
            let held = attributes.sought(equality.kind, &equality.value);
            held.iter().any(|(name, sought)| self.values(name).iter().any(|value| equality.fits(value, sought)))
        });
        let hierarchical = look_up.hierarchical.as_ref().filter(|name| name.fits(&self.dn));
        equal.map(|equality| equality.kind).or(hierarchical.map(|_| Kind::HierarchicalName))
    }
}

impl EntryId {
    /// Of the sixteen octets by which content synchronisation names an entry (RFC 4533 §2.1).
    pub(crate) fn of_uuid(octets: &[u8], directory: &Arc<str>) -> Self {
        Self { directory: directory.clone(), own: hexadecimal(octets) }
    }

    /// A search filter for the entry with this id, whichever attribute has it (RFC 4515); none if the entry has no id but
    /// its DN.
    pub(crate) fn filter(&self) -> Option<String> {
        let digits = Some(self.own.as_str()).filter(|own| own.len() == 32);
        let digits = digits.filter(|own| own.chars().all(|digit| digit.is_ascii_hexdigit()))?;
        let grouped = |sizes: &[usize]| {
            let (mut rest, mut groups) = (digits.chars(), Vec::new());
            groups.extend(sizes.iter().map(|size| rest.by_ref().take(*size).collect::<String>()));
            groups
        };
        let (uuid, unique_id) = (grouped(&[8, 4, 4, 4, 12]).join("-"), grouped(&[8; 4]).join("-"));
        let octets = grouped(&[2; 16]).join("\\");
        Some(format!("(|(entryUUID={uuid})(nsUniqueId={unique_id})(objectGUID=\\{octets}))"))
    }

    /// The name of the directory that holds the entry.
    #[must_use]
    pub fn directory(&self) -> &str {
        &self.directory
    }
}

/// Of an entryUUID (RFC 4530) or an nsUniqueId: the same sixteen octets, their digits grouped in different ways.
fn digits_of(text: &str) -> String {
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).map(|digit| digit.to_ascii_lowercase()).collect();
    if digits.len() == 32 { digits } else { text.to_owned() }
}

/// What a search found. The library panics on a DN that is not UTF-8, which would end the task that found other entries
/// as well; so such a DN is replaced by a text that cannot be parsed.
pub(crate) fn constructed(mut found: ResultEntry) -> SearchEntry {
    if let PL::C(parts) = &mut found.0.payload
        && let Some(PL::P(dn)) = parts.first_mut().map(|part| &mut part.payload)
        && std::str::from_utf8(dn).is_err()
    {
        *dn = format!("{:?}", String::from_utf8_lossy(dn)).into_bytes();
    }
    SearchEntry::construct(found)
}

/// Whether a name was made up for the loser of a conflict. The attribute that says so may not be readable.
fn is_made_up(rdn: &Rdn) -> bool {
    let is_id = |kind: &str| CONFLICT_NAMING.iter().any(|naming| kind.eq_ignore_ascii_case(naming));
    let (mut of_ids, mut others) = (0, 0);
    for (kind, value) in rdn.pairs() {
        if value.contains(CONFLICT_MARK) {
            return true;
        }
        if is_id(kind) { of_ids += 1 } else { others += 1 }
    }
    of_ids > 0 && others > 0
}

fn hexadecimal(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |digits, octet| digits + &format!("{octet:02x}"))
}

#[cfg(test)]
impl Entry {
    /// An entry of these values, for tables.
    pub(crate) fn with(pairs: &[(&str, &str)]) -> Self {
        use std::collections::HashMap;

        let mut found = SearchEntry { dn: "cn=x".to_owned(), attrs: HashMap::new(), bin_attrs: HashMap::new() };
        for (name, value) in pairs {
            found.attrs.entry((*name).to_owned()).or_default().push((*value).to_owned());
        }
        Self::read(found, &Arc::from("test"))
    }
}

impl fmt::Display for EntryId {
    /// As the directory writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.own)
    }
}

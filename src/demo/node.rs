//! One entry of the embedded directory, with its operational attributes.

use std::time::SystemTime;

use ldap3_proto::proto::LdapSearchRequest;
use ldap3_proto::{LdapPartialAttribute, LdapSearchResultEntry};

use super::ldif::{LdifAttribute, LdifRecord};
use crate::date::Date;
use crate::names::{Dn, Rdn, fold};

/// The attribute that is compared at a bind, and never returned.
pub(super) const PASSWORD: &str = "userPassword";
/// Operational attributes; returned only if requested by name or by `+`.
const OPERATIONAL: [&str; 4] = ["entryUUID", "createTimestamp", "modifyTimestamp", "pwdChangedTime"];

/// One entry with its operational attributes.
#[derive(Clone, Debug)]
pub(super) struct StoredEntry {
    pub(super) dn: Dn,
    pub(super) key: DnKey,
    of_people: Vec<LdifAttribute>,
    operational: Vec<LdifAttribute>,
}

/// A DN as it is compared: its parts from the entry upwards, each as its sorted pairs.
pub(super) type DnKey = Vec<Vec<(String, String)>>;

impl StoredEntry {
    pub(super) fn new(entry: LdifRecord) -> Self {
        let (operational, of_people) = entry.attributes.into_iter().partition(is_operational);
        let mut node = Self { key: key_of(&entry.dn), dn: entry.dn, of_people, operational };
        for name in ["createTimestamp", "modifyTimestamp"] {
            if values(&node.operational, name).next().is_none() {
                node.stamp(name);
            }
        }
        if values(&node.operational, "entryUUID").next().is_none() {
            let uuid = uuid_of(&node.key);
            node.operational.push(LdifAttribute { name: "entryUUID".to_owned(), values: vec![uuid.into_bytes()] });
        }
        node
    }

    /// Whether this is one of its passwords, which are stored in clear and compared octet by octet.
    pub(super) fn has_password(&self, password: &str) -> bool {
        values(&self.of_people, PASSWORD).any(|value| value == password.as_bytes())
    }

    /// The values that a filter may look at: never the password.
    pub(super) fn searchable<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        let attributes = self.of_people.iter().chain(&self.operational);
        values(attributes.filter(|attribute| !is_password(attribute)), name)
    }

    /// The entry with the attributes that a search requests.
    pub(super) fn requested(&self, request: &LdapSearchRequest) -> LdapSearchResultEntry {
        let requested = |attribute: &LdifAttribute| request.attrs.iter().any(|name| is_named(attribute, name));
        let all = |mark: &str| request.attrs.iter().any(|name| name == mark);
        let of_people = self.of_people.iter().filter(|own| request.attrs.is_empty() || all("*") || requested(own));
        let operational = self.operational.iter().filter(|own| all("+") || requested(own));
        let returned = of_people.filter(|own| !is_password(own)).chain(operational).map(|own| LdapPartialAttribute {
            atype: own.name.clone(),
            vals: if request.typesonly { Vec::new() } else { own.values.clone() },
        });
        LdapSearchResultEntry { dn: self.dn.to_string(), attributes: returned.collect() }
    }

    pub(super) fn replace(&mut self, name: &str, values: Vec<Vec<u8>>) {
        let operational = OPERATIONAL.iter().any(|known| known.eq_ignore_ascii_case(name));
        let attributes = if operational { &mut self.operational } else { &mut self.of_people };
        let at = attributes.iter().position(|attribute| attribute.name.eq_ignore_ascii_case(name));
        match at.and_then(|at| attributes.get_mut(at)) {
            Some(attribute) => attribute.values = values,
            None => attributes.push(LdifAttribute { name: name.to_owned(), values }),
        }
        attributes.retain(|attribute| !attribute.values.is_empty());
    }

    pub(super) fn stamp(&mut self, name: &str) {
        self.replace(name, vec![Date::of(SystemTime::now()).generalized().into_bytes()]);
    }

    pub(super) fn rename(&mut self, dn: Dn) {
        let old = pairs_of(&self.dn);
        self.key = key_of(&dn);
        self.dn = dn;
        for (name, value) in old {
            self.of_people
                .iter_mut()
                .filter(|attribute| attribute.name.eq_ignore_ascii_case(&name))
                .for_each(|attribute| attribute.values.retain(|own| *own != value.as_bytes()));
        }
        for (name, value) in pairs_of(&self.dn) {
            let mut values: Vec<_> = values(&self.of_people, &name).map(<[u8]>::to_vec).collect();
            if !values.contains(&value.clone().into_bytes()) {
                values.push(value.into_bytes());
            }
            self.replace(&name, values);
        }
        self.of_people.retain(|attribute| !attribute.values.is_empty());
    }
}

/// The values of an attribute, including its forms with options (RFC 4512 §2.5.2: those are its subtypes).
fn values<'a>(
    attributes: impl IntoIterator<Item = &'a LdifAttribute>,
    name: &'a str,
) -> impl Iterator<Item = &'a [u8]> {
    let named = attributes.into_iter().filter(move |attribute| is_named(attribute, name));
    named.flat_map(|attribute| attribute.values.iter().map(Vec::as_slice))
}

pub(super) fn key_of(dn: &Dn) -> DnKey {
    let part = |rdn: &Rdn| {
        let mut pairs: Vec<_> = rdn.pairs().map(|(kind, value)| (kind.to_lowercase(), fold(&value))).collect();
        pairs.sort();
        pairs
    };
    dn.rdns().iter().map(part).collect()
}

fn pairs_of(dn: &Dn) -> Vec<(String, String)> {
    let own = dn.rdns().first().into_iter().flat_map(Rdn::pairs);
    own.map(|(kind, value)| (kind.to_owned(), value.into_owned())).collect()
}

fn is_operational(attribute: &LdifAttribute) -> bool {
    OPERATIONAL.iter().any(|known| known.eq_ignore_ascii_case(&attribute.name))
}

fn is_password(attribute: &LdifAttribute) -> bool {
    is_named(attribute, PASSWORD)
}

fn is_named(attribute: &LdifAttribute, name: &str) -> bool {
    let own = &attribute.name;
    let base = own.split_once(';').map_or(own.as_str(), |(base, _)| base);
    own.eq_ignore_ascii_case(name) || base.eq_ignore_ascii_case(name)
}

/// An `entryUUID` that is the same at every start: FNV-1a over the DN, marked as version 8 (RFC 9562 §5.8).
fn uuid_of(key: &DnKey) -> String {
    let octets = format!("{key:?}");
    let hash = octets.bytes().fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128, |hash, octet| {
        (hash ^ u128::from(octet)).wrapping_mul(0x0100_0000_0000_0000_0000_013b)
    });
    let marked = hash & !(0xf000_u128 << 64) & !(0xc000_u128 << 48) | (0x8000_u128 << 64) | (0x8000_u128 << 48);
    let hex = format!("{marked:032x}");
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| hex.get(part).unwrap_or_default());
    parts.join("-")
}

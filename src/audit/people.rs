//! Everybody seen so far, by number: findings come later than people.

use super::Person;
use crate::identity::Identity;

/// The people of all directories. About 150 octets of memory each.
#[derive(Default)]
pub(super) struct People(Vec<(Box<str>, Box<str>)>);

/// A person's number.
pub(super) type PersonNumber = u32;

impl People {
    pub(super) fn note(&mut self, identity: &Identity) -> PersonNumber {
        let number = PersonNumber::try_from(self.0.len()).unwrap_or(PersonNumber::MAX);
        self.0.push((identity.canonical_name.as_str().into(), identity.dn.as_str().into()));
        number
    }

    pub(super) fn person(&self, number: PersonNumber) -> Person {
        let found = usize::try_from(number).ok().and_then(|at| self.0.get(at));
        let (canonical_name, dn) = found.map(|(name, dn)| (&**name, &**dn)).unwrap_or_default();
        Person { canonical_name: canonical_name.to_owned(), dn: dn.to_owned() }
    }

    pub(super) fn dn(&self, number: PersonNumber) -> &str {
        usize::try_from(number).ok().and_then(|at| self.0.get(at)).map(|(_, dn)| &**dn).unwrap_or_default()
    }

    pub(super) fn count(&self) -> u64 {
        u64::try_from(self.0.len()).unwrap_or(u64::MAX)
    }
}

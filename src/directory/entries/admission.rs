//! Which of its people a directory admits to this service: by an attribute, or by membership in a group.

use super::entry::Entry;
use super::shut_out::Exclusion;
use crate::names::{Dn, fold};

/// Which people of a directory may use the service; everybody by default.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Admission {
    /// The members of this group only, and of the groups within it.
    pub group: Option<Group>,
    /// Only people whose entry has this attribute with this value; case does not matter.
    pub enabled_attribute: Option<(String, String)>,
}

/// A group, and how its members are found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its entry.
    pub dn: Dn,
    /// The search base for groups within groups.
    pub base: Dn,
    /// Whether the directory computes all groups of a person itself, as Active Directory does: the primary one, which
    /// no entry lists, and groups within groups.
    pub computed: bool,
}

/// Maintained by some directories: the groups of which an entry is a direct member, or all of them.
pub(crate) const MEMBER_OF: &str = "memberOf";

/// What every group that is walked matches (RFC 4519 §2.17, §2.40; RFC 2307 §4).
pub(crate) const WITH_MEMBERS: &str = "(|(member=*)(uniqueMember=*)(memberUid=*))";

impl Admission {
    /// What must be read of a person's entry.
    pub(crate) fn attributes(&self) -> impl Iterator<Item = &str> {
        let switch = self.enabled_attribute.iter().map(|(name, _)| name.as_str());
        switch.chain(self.group.iter().map(|_| MEMBER_OF))
    }

    /// Whether the attribute that switches the service on is off.
    pub(crate) fn switched_off(&self, entry: &Entry) -> Option<Exclusion> {
        let (name, on) = self.enabled_attribute.as_ref()?;
        let is_on = entry.values(name).iter().any(|value| fold(value) == fold(on));
        (!is_on).then(|| Exclusion::SwitchedOff(name.clone()))
    }
}

impl Group {
    /// Whether the entry itself lists the group.
    pub(crate) fn is_listed_in(&self, entry: &Entry) -> bool {
        entry.values(MEMBER_OF).iter().filter_map(|dn| Dn::parse(dn)).any(|dn| dn.matches(&self.dn))
    }
}

//! Whom of its people a directory lets use this service: by an attribute of theirs, by membership of a group.

use std::collections::BTreeSet;
use std::fmt;

use ldap3::{Scope, ldap_escape};

use crate::directory::entries::Entry;
use crate::directory::fault::Fault;
use crate::directory::ldap::{Question, Searcher, Servers};
use crate::directory::settings::Settings;
use crate::names::{Dn, Kind, fold};

/// Whom of its people a directory lets in; everybody by default.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Admission {
    /// The members of this group only, and of the groups within it.
    pub group: Option<Group>,
    /// Those only whose entry has this attribute at this value, upper or lower case alike.
    pub enabled_attribute: Option<(String, String)>,
}

/// A group, and how its members are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its entry.
    pub dn: Dn,
    /// Below which groups within groups are sought.
    pub base: Dn,
    /// Whether the directory computes all groups of a person itself, as Active Directory does: the primary one, of
    /// which no entry tells, and groups within groups.
    pub computed: bool,
}

/// Why a person is not let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exclusion {
    /// Not a member; the group's DN.
    NotInGroup(String),
    /// The attribute is missing, or has another value; its name.
    SwitchedOff(String),
}

/// Active Directory's computed groups of a person, and the id by which a group is named there.
const TOKEN_GROUPS: &str = "tokenGroups";
const GROUP_ID: &str = "objectSid";

/// Kept by some directories: the groups that an entry is a direct member of, or all of them.
const MEMBER_OF: &str = "memberOf";

/// What every group that is walked matches (RFC 4519 §2.17, §2.40; RFC 2307 §4).
pub(crate) const WITH_MEMBERS: &str = "(|(member=*)(uniqueMember=*)(memberUid=*))";

/// How deep a group may lie within groups.
const DEEPEST: usize = 16;

/// Groups asked about at once.
const AT_ONCE: usize = 50;

impl Admission {
    /// What must be read of a person's entry.
    pub(crate) fn attributes(&self) -> impl Iterator<Item = &str> {
        let switch = self.enabled_attribute.iter().map(|(name, _)| name.as_str());
        switch.chain(self.group.iter().map(|_| MEMBER_OF))
    }

    /// Whether the attribute that switches the service on is off.
    fn switched_off(&self, entry: &Entry) -> Option<Exclusion> {
        let (name, on) = self.enabled_attribute.as_ref()?;
        let is_on = entry.values(name).iter().any(|value| fold(value) == fold(on));
        (!is_on).then(|| Exclusion::SwitchedOff(name.clone()))
    }
}

impl Searcher {
    /// Why a person is not let in, if so.
    pub(crate) async fn exclusion(
        &self,
        settings: &Settings,
        servers: &Servers,
        entry: &Entry,
    ) -> Result<Option<Exclusion>, Fault> {
        if let Some(off) = settings.admission.switched_off(entry) {
            return Ok(Some(off));
        }
        let Some(group) = &settings.admission.group else { return Ok(None) };
        let asking = Asking { searcher: self, settings, servers, group };
        let is_member = if group.computed {
            asking.is_computed_member(entry).await?
        } else {
            is_listed(entry, group) || asking.is_walked_member(entry).await?
        };
        Ok((!is_member).then(|| Exclusion::NotInGroup(group.dn.to_string())))
    }

    /// Whether the group is there.
    pub(crate) async fn probe_group(&self, settings: &Settings, servers: &Servers) -> Result<(), Fault> {
        let Some(group) = &settings.admission.group else { return Ok(()) };
        let asking = Asking { searcher: self, settings, servers, group };
        asking.read(&group.dn, GROUP_ID).await?.map(drop).ok_or_else(|| no_group(group))
    }
}

/// Somebody's membership of a group, asked of a directory.
struct Asking<'a> {
    searcher: &'a Searcher,
    settings: &'a Settings,
    servers: &'a Servers,
    group: &'a Group,
}

impl Asking<'_> {
    async fn is_computed_member(&self, entry: &Entry) -> Result<bool, Fault> {
        let group = self.read(&self.group.dn, GROUP_ID).await?.ok_or_else(|| no_group(self.group))?;
        // The rule that walks a chain of members misses the primary group.
        let Some(person) = self.read(&entry.dn, TOKEN_GROUPS).await? else { return Ok(false) };
        let id = group.octets(GROUP_ID).next().ok_or_else(|| {
            Fault::Misconfigured(format!("the group {} has no {GROUP_ID} that may be read", group.dn))
        })?;
        Ok(person.octets(TOKEN_GROUPS).any(|own| own == id))
    }

    /// From the person upwards, a level at a time; a group that was seen is not asked about again, so circles end.
    async fn is_walked_member(&self, entry: &Entry) -> Result<bool, Fault> {
        let mut seen = BTreeSet::from([fold(entry.dn.as_str())]);
        let mut level = vec![member_filter(entry.dn.as_str())];
        let names = self.settings.attributes.of(Kind::ShortName).iter().flat_map(|own| entry.values(&own.attribute));
        // RFC 2307: a posixGroup holds the members' uid values.
        level.extend(names.map(|name| format!("(memberUid={})", ldap_escape(name.as_str()))));
        level.extend(new_groups(&mut seen, entry.values(MEMBER_OF)));
        for _ in 0..DEEPEST {
            let mut above = Vec::new();
            for some in level.chunks(AT_ONCE) {
                let found = self.groups_of(some).await?;
                if found.iter().any(|group| group.dn.matches(&self.group.dn)) {
                    return Ok(true);
                }
                let names: Vec<String> = found.iter().map(|group| group.dn.to_string()).collect();
                above.extend(new_groups(&mut seen, &names));
            }
            if above.is_empty() {
                return Ok(false);
            }
            level = above;
        }
        Ok(false)
    }

    async fn groups_of(&self, members: &[String]) -> Result<Vec<Entry>, Fault> {
        let question = Question {
            base: self.group.base.to_string(),
            scope: Scope::Subtree,
            filter: format!("(|{})", members.concat()),
            limit: 0,
            parents: None,
            certificates: false,
            wanted: Some(vec!["1.1".to_owned()]),
        };
        self.searcher.ask(self.settings, self.servers, &question).await
    }

    async fn read(&self, dn: &Dn, attribute: &str) -> Result<Option<Entry>, Fault> {
        let question = Question {
            base: dn.to_string(),
            scope: Scope::Base,
            filter: "(objectClass=*)".to_owned(),
            limit: 0,
            parents: None,
            certificates: false,
            wanted: Some(vec![attribute.to_owned()]),
        };
        Ok(self.searcher.ask(self.settings, self.servers, &question).await?.into_iter().next())
    }
}

fn is_listed(entry: &Entry, group: &Group) -> bool {
    entry.values(MEMBER_OF).iter().filter_map(|dn| Dn::parse(dn)).any(|dn| dn.matches(&group.dn))
}

/// What finds the groups that those not seen before are members of.
fn new_groups(seen: &mut BTreeSet<String>, groups: &[String]) -> Vec<String> {
    groups.iter().filter(|dn| seen.insert(fold(dn))).map(|dn| member_filter(dn)).collect()
}

fn member_filter(dn: &str) -> String {
    let dn = ldap_escape(dn);
    format!("(member={dn})(uniqueMember={dn})")
}

fn no_group(group: &Group) -> Fault {
    Fault::Misconfigured(format!("there is no group {} that may be read", group.dn))
}

impl fmt::Display for Exclusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotInGroup(group) => write!(f, "not in the group {group}"),
            Self::SwitchedOff(attribute) => write!(f, "switched off by the attribute {attribute}"),
        }
    }
}

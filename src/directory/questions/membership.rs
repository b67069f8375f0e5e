//! Whether a person is admitted, if that takes a search: membership in a group.

use std::collections::BTreeSet;

use ldap3::ldap_escape;

use crate::directory::entries::{Entry, Exclusion, Group, MEMBER_OF};
use crate::directory::fault::Fault;
use crate::directory::ldap::{Question, Searcher};
use crate::names::{Dn, Kind, fold};

/// Active Directory's computed groups of a person, and the id of a group in them.
const TOKEN_GROUPS: &str = "tokenGroups";
const GROUP_ID: &str = "objectSid";

/// How deep groups may be nested.
const DEEPEST: usize = 16;

/// Groups asked about at once.
const AT_ONCE: usize = 50;

/// Why a person is not admitted, if so.
pub(super) async fn exclusion(searcher: &Searcher, entry: &Entry) -> Result<Option<Exclusion>, Fault> {
    let admission = &searcher.settings().admission;
    if let Some(off) = admission.switched_off(entry) {
        return Ok(Some(off));
    }
    let Some(group) = &admission.group else { return Ok(None) };
    let membership = Membership { searcher, group };
    let is_member = if group.computed {
        membership.is_computed(entry).await?
    } else {
        group.is_listed_in(entry) || membership.is_walked(entry).await?
    };
    Ok((!is_member).then(|| Exclusion::NotInGroup(group.dn.to_string())))
}

/// Whether the group exists.
pub(super) async fn probe_group(searcher: &Searcher) -> Result<(), Fault> {
    let Some(group) = &searcher.settings().admission.group else { return Ok(()) };
    Membership { searcher, group }.read(&group.dn, GROUP_ID).await?.map(drop).ok_or_else(|| no_group(group))
}

/// Somebody's membership in a group.
struct Membership<'a> {
    searcher: &'a Searcher,
    group: &'a Group,
}

impl Membership<'_> {
    async fn is_computed(&self, entry: &Entry) -> Result<bool, Fault> {
        let group = self.read(&self.group.dn, GROUP_ID).await?.ok_or_else(|| no_group(self.group))?;
        // The rule that walks a chain of members misses the primary group.
        let Some(person) = self.read(&entry.dn, TOKEN_GROUPS).await? else { return Ok(false) };
        let id = group.octets(GROUP_ID).next().ok_or_else(|| {
            Fault::Misconfigured(format!("the group {} has no {GROUP_ID} that may be read", group.dn))
        })?;
        Ok(person.octets(TOKEN_GROUPS).any(|own| own == id))
    }

    /// From the person upwards, a level at a time; each group is searched for only once, so circles end.
    async fn is_walked(&self, entry: &Entry) -> Result<bool, Fault> {
        let mut seen = BTreeSet::from([fold(entry.dn.as_str())]);
        let mut level = vec![member_filter(entry.dn.as_str())];
        let names =
            self.searcher.settings().attributes.of(Kind::ShortName).iter().flat_map(|own| entry.values(&own.attribute));
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
        let question = Question::below(&self.group.base, format!("(|{})", members.concat()), 0, &["1.1"]);
        self.searcher.ask(&question).await
    }

    async fn read(&self, dn: &Dn, attribute: &str) -> Result<Option<Entry>, Fault> {
        self.searcher.ask_for_one(&Question::read(dn.as_str(), "(objectClass=*)", &[attribute])).await
    }
}

/// Filters for the groups of which groups not seen before are members.
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

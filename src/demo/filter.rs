//! Whether an entry matches a filter (RFC 4511 §4.5.1.7).

use ldap3_proto::LdapFilter;
use ldap3_proto::proto::LdapSubstringFilter;

use super::node::StoredEntry;
use crate::names::fold;

/// Decides a filter for one entry. There is no schema here: every attribute compares without regard to case, one that
/// an entry lacks matches nothing, and the order of values (`>=`, `<=`) and matching rules by name match nothing either.
pub(super) fn matches(filter: &LdapFilter, node: &StoredEntry) -> bool {
    match filter {
        LdapFilter::And(parts) => parts.iter().all(|part| matches(part, node)),
        LdapFilter::Or(parts) => parts.iter().any(|part| matches(part, node)),
        LdapFilter::Not(part) => !matches(part, node),
        LdapFilter::Present(name) => node.searchable(name).next().is_some(),
        LdapFilter::Equality(name, value) | LdapFilter::Approx(name, value) => {
            let wanted = fold(value);
            texts(node, name).any(|text| text == wanted)
        }
        LdapFilter::Substring(name, pattern) => texts(node, name).any(|text| has_parts(&text, pattern)),
        LdapFilter::GreaterOrEqual(..) | LdapFilter::LessOrEqual(..) | LdapFilter::Extensible(_) => false,
    }
}

fn texts<'a>(node: &'a StoredEntry, name: &'a str) -> impl Iterator<Item = String> + 'a {
    node.searchable(name).filter_map(|value| std::str::from_utf8(value).ok()).map(fold)
}

/// The parts must stand in the value one after the other, none in another.
fn has_parts(text: &str, pattern: &LdapSubstringFilter) -> bool {
    let part = |part: &String| part.to_lowercase();
    let initial = pattern.initial.as_ref().map(part).unwrap_or_default();
    let last = pattern.final_.as_ref().map(part).unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(initial.as_str()) else { return false };
    for middle in pattern.any.iter().map(part) {
        let Some((_, behind)) = rest.split_once(middle.as_str()) else { return false };
        rest = behind;
    }
    rest.ends_with(last.as_str())
}

//! What the embedded directory says about itself (RFC 4512 §5.1).

use ldap3_proto::proto::{LdapPartialAttribute, LdapSearchRequest};
use ldap3_proto::{LdapResultCode, LdapSearchResultEntry, LdapSearchScope};

use super::tree::{SearchResult, Tree};

/// The control of paged results (RFC 2696), the only one that it knows.
const PAGED_RESULTS: &str = "1.2.840.113556.1.4.319";

/// The root DSE, if a search is for it: every client may read it, before any bind.
pub(super) fn requested(tree: &Tree, request: &LdapSearchRequest) -> Option<SearchResult> {
    if !request.base.is_empty() || request.scope != LdapSearchScope::Base {
        return None;
    }
    let all = [
        ("objectClass", vec!["top".to_owned()]),
        ("namingContexts", tree.naming_contexts()),
        ("supportedControl", vec![PAGED_RESULTS.to_owned()]),
        ("supportedLDAPVersion", vec!["3".to_owned()]),
        ("vendorName", vec!["Restante (demonstration)".to_owned()]),
    ];
    // Operational attributes are returned only if they are requested by name or by `+` (RFC 4512 §5.1).
    let is_requested = |name: &str| {
        let is_named = request.attrs.iter().any(|own| own.eq_ignore_ascii_case(name));
        let mark = if name == "objectClass" { "*" } else { "+" };
        is_named || request.attrs.iter().any(|own| own == mark) || (request.attrs.is_empty() && mark == "*")
    };
    let requested = all.into_iter().filter(|(name, _)| is_requested(name));
    let attributes = requested.map(|(name, values)| LdapPartialAttribute {
        atype: name.to_owned(),
        vals: if request.typesonly { Vec::new() } else { values.into_iter().map(String::into_bytes).collect() },
    });
    let entry = LdapSearchResultEntry { dn: String::new(), attributes: attributes.collect() };
    Some(SearchResult { code: LdapResultCode::Success, entries: vec![entry], matched: String::new() })
}

//! The kinds of name, each in every spelling.

use super::Server::{self, Ds389, Samba, Slapd};
use super::people::Person;

/// One way to type a person's name.
pub(super) struct Name {
    /// How it is called here.
    pub(super) what: &'static str,
    /// The kind that the log tells.
    pub(super) kind: &'static str,
    /// Whether "fewer name variations" has it; "more" has every kind.
    pub(super) in_fewer: bool,
    /// What is typed; the DN differs from server to server.
    pub(super) typed: fn(&Person, &str) -> String,
    /// The servers that cannot hold such a name.
    pub(super) nowhere_in: &'static [Lacking],
}

/// A server that cannot hold something: the attribute, and why.
pub(super) struct Lacking(pub(super) Server, pub(super) &'static str, pub(super) &'static str);

const BOTH: bool = true;
const MORE: bool = false;

#[rustfmt::skip]
pub(super) const NAMES: [Name; 15] = [
    name("distinguished name",           "distinguished_name", BOTH, |_, dn| dn.to_owned()),
    name("distinguished, other letters", "distinguished_name", BOTH, |_, dn| dn.to_uppercase().replace(',', ", ")),
    name("hierarchical, canonical",      "hierarchical_name",  BOTH, |who, _| format!("cn={}/ou=Sales/ou=people", who.common_name())),
    name("hierarchical, abbreviated",    "hierarchical_name",  BOTH, |who, _| format!("{}/Sales/people", who.common_name())),
    name("common name",                  "common_name",        BOTH, |who, _| who.common_name()),
    name("common name behind CN=",       "common_name",        BOTH, |who, _| format!("CN={}", who.common_name())),
    name("alias",                        "common_name",        BOTH, |who, _| who.alias())
        .not_in(&[Lacking(Samba, "cn", "cn has one value there, which names the entry")]),
    name("short name",                   "short_name",         BOTH, |who, _| who.short.to_owned()),
    name("short name behind UID=",       "short_name",         BOTH, |who, _| format!("UID={}", who.short)),
    name("short name behind the domain", "short_name",         BOTH, |who, _| format!(r"RENOVATIONS\{}", who.short))
        .not_in(&[Lacking(Slapd, "sAMAccountName", "only Active Directory has Windows domains"),
                  Lacking(Ds389, "sAMAccountName", "only Active Directory has Windows domains")]),
    name("mail address",                 "mail",               BOTH, |who, _| who.mail()),
    // A second value of mail; of proxyAddresses in Active Directory, where mail has one.
    name("further mail address",         "mail",               BOTH, |who, _| who.further_mail()),
    name("user principal name",          "mail",               BOTH, |who, _| who.principal_name())
        .not_in(&[Lacking(Slapd, "userPrincipalName", "only Active Directory has user principal names"),
                  Lacking(Ds389, "userPrincipalName", "only Active Directory has user principal names")]),
    name("first name",                   "first_name",         MORE, |who, _| who.first.to_owned()),
    name("last name",                    "last_name",          MORE, |who, _| who.last.to_owned()),
];

const fn name(what: &'static str, kind: &'static str, in_fewer: bool, typed: fn(&Person, &str) -> String) -> Name {
    Name { what, kind, in_fewer, typed, nowhere_in: &[] }
}

impl Name {
    const fn not_in(self, nowhere_in: &'static [Lacking]) -> Self {
        Self { nowhere_in, ..self }
    }
}

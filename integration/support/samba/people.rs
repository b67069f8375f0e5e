//! The people of an LDIF as Active Directory can hold them.
//!
//! A user's own part of the DN must be the common name, of which there is one; so is there one mail address, and further
//! ones stand in `proxyAddresses`.

use std::fmt::Write as _;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ldap3::dn_escape;
use restante::demo::ldif::LdifRecord;
use restante::names::Rdn;

/// `userAccountControl` of a user who may not log in: `ACCOUNTDISABLE` and `NORMAL_ACCOUNT`.
pub(super) const DISABLED: &str = "514";
const NORMAL: &str = "512";
/// `DONT_EXPIRE_PASSWORD` and `NORMAL_ACCOUNT`.
const LASTING: &str = "66048";
const DOMAIN: &str = "renovations.example";

/// A person's names.
pub(super) struct Person {
    pub(super) short_name: String,
    pub(super) dn: String,
}

/// The people among the entries.
pub(super) fn of(entries: &[LdifRecord]) -> Vec<Person> {
    let person = |entry: &LdifRecord| Some(Person { short_name: first(entry, "uid")?, dn: dn(entry) });
    entries.iter().filter_map(person).collect()
}

/// Change records that add the entries, all but the first, which is the domain itself.
pub(super) fn records(entries: &[LdifRecord]) -> String {
    entries.iter().skip(1).map(|entry| record(entry, entries)).collect()
}

/// A password as `unicodePwd` wants it: quoted, in UTF-16.
pub(super) fn quoted(password: &str) -> Vec<u8> {
    format!("\"{password}\"").encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn record(entry: &LdifRecord, entries: &[LdifRecord]) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: &[u8]| writeln!(text, "{name}:: {}", STANDARD.encode(value)).unwrap();
    line("dn", dn(entry).as_bytes());
    line("changetype", b"add");
    for (name, value) in attributes(entry, entries) {
        line(name, &value);
    }
    text + "\n"
}

type Attributes = Vec<(&'static str, Vec<u8>)>;

fn attributes(entry: &LdifRecord, entries: &[LdifRecord]) -> Attributes {
    let is = |class| entry.texts("objectClass").any(|own| own == class);
    if is("inetOrgPerson") {
        return person(entry);
    }
    if is("simpleSecurityObject") {
        return user(&first(entry, "cn").unwrap(), LASTING, entry);
    }
    if is("groupOfNames") {
        return group(entry, entries);
    }
    vec![("objectClass", "organizationalUnit".into())]
}

fn user(account: &str, control: &str, entry: &LdifRecord) -> Attributes {
    vec![
        ("objectClass", "user".into()),
        ("sAMAccountName", account.into()),
        ("userPrincipalName", format!("{account}@{DOMAIN}").into()),
        ("userAccountControl", control.into()),
        ("unicodePwd", quoted(&first(entry, "userPassword").unwrap())),
    ]
}

fn person(entry: &LdifRecord) -> Attributes {
    let mut attributes = user(&first(entry, "uid").unwrap(), NORMAL, entry);
    for name in ["givenName", "sn", "mail", "uidNumber", "gidNumber", "employeeNumber", "employeeType"] {
        attributes.extend(first(entry, name).map(|value| (name, value.into())));
    }
    let prefixes = ["SMTP"].into_iter().chain(std::iter::repeat("smtp"));
    let addresses = prefixes.zip(entry.texts("mail")).map(|(prefix, mail)| format!("{prefix}:{mail}"));
    attributes.extend(addresses.map(|address| ("proxyAddresses", address.into())));
    attributes
}

fn group(entry: &LdifRecord, entries: &[LdifRecord]) -> Attributes {
    let members = entry.texts("member").map(|member| {
        let known = entries.iter().find(|entry| entry.dn.as_str() == member);
        ("member", known.map_or_else(|| member.to_owned(), dn).into())
    });
    let name = first(entry, "cn").unwrap();
    [("objectClass", "group".into()), ("sAMAccountName", name.into())].into_iter().chain(members).collect()
}

fn dn(entry: &LdifRecord) -> String {
    let (own, above) = entry.dn.rdns().split_first().unwrap();
    let own = match (own.value_of("uid"), first(entry, "cn")) {
        (Some(_), Some(name)) => format!("cn={}", dn_escape(name)),
        _ => text(own),
    };
    std::iter::once(own).chain(above.iter().map(text)).collect::<Vec<_>>().join(",")
}

fn text(rdn: &Rdn) -> String {
    rdn.pairs().map(|(kind, value)| format!("{kind}={}", dn_escape(value))).collect::<Vec<_>>().join("+")
}

fn first(entry: &LdifRecord, name: &str) -> Option<String> {
    entry.texts(name).next().map(str::to_owned)
}

//! `directories[].schema`, `.filter`, `.attributes`, `.allowed_group`, `.enabled_attribute`: which entries are people, which
//! attributes hold their names, and who may use the service.

use super::section::Section;
use super::tree::{Node, quoted};
use super::values;
use crate::directory::{self, Admission, Attributes, Group, Source};
use crate::names::Dn;

/// The schemas.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Schema {
    InetOrgPerson,
    Posix,
    ActiveDirectory,
    Directory389,
}

impl Schema {
    /// The schema of a directory.
    pub(super) fn read(section: &Section<'_>) -> Self {
        let words = [
            ("inet_org_person", Self::InetOrgPerson),
            ("posix", Self::Posix),
            ("active_directory", Self::ActiveDirectory),
            ("389ds", Self::Directory389),
        ];
        section.word("schema", Self::InetOrgPerson, &words)
    }

    /// What makes an entry a person.
    fn filter(self) -> &'static str {
        match self {
            // RFC 2798 and RFC 2307.
            Self::InetOrgPerson => "(objectClass=inetOrgPerson)",
            Self::Posix => "(objectClass=posixAccount)",
            Self::ActiveDirectory => "(&(objectCategory=person)(objectClass=user))",
            // dsidm creates people that are not inetOrgPerson.
            Self::Directory389 => "(|(objectClass=inetOrgPerson)(objectClass=nsPerson))",
        }
    }
}

/// What makes an entry a person: the schema's filter, unless one is given.
pub(super) fn filter(section: &Section<'_>, schema: Schema) -> String {
    let own = section.parsed("filter", |text| directory::check_filter(text).map(|()| text.to_owned()));
    own.unwrap_or_else(|| schema.filter().to_owned())
}

/// The attributes of the schema's names, each unless another is given.
pub(super) fn attributes(section: &Section<'_>, schema: Schema, base: Option<&Dn>) -> Attributes {
    let domain = domain(section, schema, base);
    let default = match schema {
        Schema::ActiveDirectory => Attributes::active_directory(domain),
        _ => Attributes::default(),
    };
    let section = section.section("attributes");
    Attributes {
        common_name: sources(&section, "common_name", default.common_name),
        short_name: sources(&section, "short_name", default.short_name),
        mail: sources(&section, "mail", default.mail),
        first_name: sources(&section, "first_name", default.first_name),
        last_name: sources(&section, "last_name", default.last_name),
        certificate: section.parsed("certificate", attribute).unwrap_or(default.certificate),
        scram: section.parsed("scram", attribute),
        domain: default.domain,
    }
}

/// The Windows domain's name: the first `dc` of the base, as Active Directory itself proposes, unless one is given.
fn domain(section: &Section<'_>, schema: Schema, base: Option<&Dn>) -> Option<String> {
    let given = section.text("domain").map(str::to_owned);
    if given.is_some() && schema != Schema::ActiveDirectory {
        let what = "has no effect where schema is not active_directory; expected no such key";
        section.fault("domain", section.place_of("domain"), what);
    }
    if schema != Schema::ActiveDirectory {
        return None;
    }
    given.or_else(|| base?.rdns().iter().find_map(|rdn| rdn.value_of("dc")).map(str::to_owned))
}

/// One attribute, or a list of them.
fn sources(section: &Section<'_>, key: &str, default: Vec<Source>) -> Vec<Source> {
    let Some(items) = section.one_or_list(key) else { return default };
    if items.is_empty() {
        section.fault(key, section.place_of(key), "the list is empty; expected an attribute such as uid");
    }
    let source = |item: &Node| section.parsed_of(key, item, source);
    items.iter().filter_map(source).collect()
}

/// An attribute, with the prefix of its values before it: `smtp:proxyAddresses`.
fn source(text: &str) -> Result<Source, String> {
    match text.rsplit_once(':') {
        Some((prefix, name)) if !prefix.is_empty() => Ok(Source::behind(&format!("{prefix}:"), &attribute(name)?)),
        _ => attribute(text).map(|name| Source::plain(&name)),
    }
}

/// A name such as `uid`, or a numeric object identifier (RFC 4512 §2.5).
pub(super) fn attribute(text: &str) -> Result<String, String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ';');
    if text.is_empty() || !text.chars().all(is_name) {
        return Err(format!("{} is not an attribute; expected a name such as uid", quoted(text)));
    }
    Ok(text.to_owned())
}

/// Who may use the service.
pub(super) fn admission(section: &Section<'_>, schema: Schema) -> Admission {
    let group = section.parsed("allowed_group", values::dn);
    let base = section.parsed("group_base", values::dn);
    if base.is_some() && section.get("allowed_group").is_none() {
        let what = "has no effect without allowed_group; expected no such key";
        section.fault("group_base", section.place_of("group_base"), what);
    }
    let group = group.map(|dn| Group {
        base: base.or_else(|| dn.parent()).unwrap_or_else(|| dn.clone()),
        computed: schema == Schema::ActiveDirectory,
        dn,
    });
    Admission { group, enabled_attribute: enabled_attribute(section) }
}

fn enabled_attribute(section: &Section<'_>) -> Option<(String, String)> {
    let block = section.section("enabled_attribute");
    let value = block.text("value").map(str::to_owned);
    if block.get("name").is_some() || value.is_some() {
        block.require("name", "the attribute that enables the service for a person");
        block.require("value", "the value that enables it, such as \"TRUE\", in quotes");
    }
    Some((block.parsed("name", attribute)?, value?))
}

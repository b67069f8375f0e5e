//! `directories`: who is asked.

use std::time::Duration;

use super::paths::Base;
use super::schema::{self, Schema};
use super::section::Section;
use super::tree::quoted;
use super::values;
use crate::directory::{self, CertificateMapping, LdapUrl, Limits, ServiceBind, Settings};

/// The directory, unless it lacks what has no default. `further` are attributes that others want read.
pub(super) fn read(root: &Section<'_>, base: &Base, further: Vec<String>) -> Option<Settings> {
    root.require("directories", "a list of one with urls and base");
    let listed = root.sections("directories")?;
    if root.list("directories").is_some_and(<[_]>::is_empty) {
        let what = "an empty list knows nobody; right would be a list of one with urls and base";
        root.fault("directories", root.place_of("directories"), what);
    }
    if let Some(second) = listed.get(1) {
        let what = "this version asks one directory only; right would be one, with all its servers under urls";
        root.fault("directories", second.place(), what);
    }
    let directories: Vec<Option<Settings>> = listed.iter().map(|section| directory(section, base)).collect();
    let first = directories.into_iter().next()??;
    Some(Settings { further_attributes: further, ..first })
}

fn directory(section: &Section<'_>, base: &Base) -> Option<Settings> {
    let urls = urls(section);
    section.require("base", "the DN below which people are sought, such as \"ou=people,dc=example,dc=org\"");
    let ca = section.parsed("ca", |path| base.resolve(path));
    let untrusted = |fault: String| {
        let right = "right would be a PEM file of the authorities that sign the directory's certificates";
        section.fault("ca", section.place_of("ca"), format!("{fault}; {right}"));
    };
    let tls = directory::trust(ca.as_deref()).map_err(untrusted).ok();
    let base_dn = section.parsed("base", values::dn);
    let schema = Schema::read(section);
    Some(Settings {
        name: section.text("name").unwrap_or("directory").to_owned(),
        starttls: section.flag("starttls"),
        bind: bind(section, base),
        filter: schema::filter(section, schema),
        attributes: schema::attributes(section, schema, base_dn.as_ref()),
        admission: schema::admission(section, schema),
        certificate_mapping: section.word(
            "certificate_mapping",
            CertificateMapping::default(),
            &[("key", CertificateMapping::Key), ("subject", CertificateMapping::Subject)],
        ),
        further_attributes: Vec::new(),
        follow: section.flag("follow"),
        limits: limits(section),
        urls,
        base: base_dn?,
        tls: tls?,
    })
}

fn urls(section: &Section<'_>) -> Vec<LdapUrl> {
    section.require("urls", "a list such as [ldaps://ldap.example.org]");
    let items = section.list("urls").unwrap_or_default();
    if section.list("urls").is_some_and(<[_]>::is_empty) {
        let what = "an empty list names no server; right would be a list such as [ldaps://ldap.example.org]";
        section.fault("urls", section.place_of("urls"), what);
    }
    let clear_is_fine = section.flag("allow_clear_text") || section.flag("starttls");
    let url = |text: &str| {
        let url = LdapUrl::parse(text)?;
        if url.is_ldaps() || url.is_loopback() || clear_is_fine {
            return Ok(url);
        }
        Err(format!(
            "{} would carry passwords in clear; right would be ldaps://, starttls: true, or allow_clear_text: true",
            quoted(text)
        ))
    };
    let urls: Vec<LdapUrl> = items.iter().filter_map(|item| section.parsed_of("urls", item, url)).collect();
    if urls.len() == items.len() {
        needless(section, &urls);
    }
    urls
}

/// Settings of TLS that no connection would obey.
fn needless(section: &Section<'_>, urls: &[LdapUrl]) {
    let is_plain = |url: &LdapUrl| matches!(url, LdapUrl::Tcp { tls: false, .. });
    let starttls = section.flag("starttls");
    if urls.is_empty() {
        return;
    }
    if starttls && !urls.iter().any(is_plain) {
        let what = "true means nothing where no URL begins with ldap://; right would be false";
        section.fault("starttls", section.place_of("starttls"), what);
    } else if section.get("ca").is_some() && !starttls && !urls.iter().any(LdapUrl::is_ldaps) {
        let what = "means nothing where no connection has TLS; right would be ldaps:// URLs, or starttls: true";
        section.fault("ca", section.place_of("ca"), what);
    }
}

fn bind(section: &Section<'_>, base: &Base) -> Option<ServiceBind> {
    let bind = section.section("bind");
    if section.get("bind").is_some() {
        bind.require("dn", "the DN of the entry that looks people up");
        bind.require("password_file", "a file whose first line is the password");
    }
    let (name, password) = (bind.parsed("dn", values::dn), bind.parsed("password_file", |path| base.password(path)));
    Some(ServiceBind { dn: name?, password: password? })
}

fn limits(section: &Section<'_>) -> Limits {
    let default = Limits::default();
    let timeouts = section.section("timeouts");
    let bounds = Duration::from_secs(1)..=Duration::from_secs(5 * 60);
    let connections = section.count("bind_connections", default.bind_connections as u64, 1..=1000);
    Limits {
        connect: timeouts.duration("connect", default.connect, bounds.clone()),
        operation: timeouts.duration("operation", default.operation, bounds.clone()),
        search: timeouts.duration("search", default.search, bounds),
        bind_connections: usize::try_from(connections).unwrap_or(default.bind_connections),
    }
}

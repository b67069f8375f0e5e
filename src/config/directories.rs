//! `directories`: the LDAP servers that are asked.

use std::path::PathBuf;
use std::time::Duration;

use super::paths::Base;
use super::schema::{self, Schema};
use super::section::Section;
use super::tree::quoted;
use super::values;
use crate::directory::{self, CertificateMapping, DirectoryLimits, LdapUrl, NameLimits, ServiceBind};
use crate::names::DnPattern;

/// The name of the only directory if it is not given.
const UNNAMED: &str = "directory";

/// The directories; none if one lacks a required key. `further`: attributes that other settings need.
pub(super) fn read(root: &Section<'_>, base: &Base, further: &[String]) -> Option<Vec<directory::Settings>> {
    root.require("directories", "a list, each with urls and base");
    let listed = root.sections("directories")?;
    if root.is_empty_list("directories") {
        let what = "the list is empty; expected a list of one with urls and base";
        root.fault("directories", root.place_of("directories"), what);
        return None;
    }
    names(&listed);
    let directories: Vec<Option<directory::Settings>> =
        listed.iter().map(|section| directory(section, base, further)).collect();
    directories.into_iter().collect()
}

/// The files behind `ca`, each with the name of its directory.
pub(super) fn authorities(root: &Section<'_>, base: &Base) -> Vec<(String, PathBuf)> {
    let sections = root.sections("directories").unwrap_or_default();
    let of_one = |section: &Section<'_>| {
        let file = base.resolve(section.text("ca")?).ok()?;
        Some((section.text("name").unwrap_or(UNNAMED).to_owned(), file))
    };
    sections.iter().filter_map(of_one).collect()
}

/// The name of a directory distinguishes its entries, and identifies it in the log.
fn names(listed: &[Section<'_>]) {
    let mut seen: Vec<&str> = Vec::new();
    for section in listed {
        if listed.len() > 1 {
            section.require("name", "a unique name, since there are several directories");
        }
        let Some(name) = section.text("name") else { continue };
        if seen.contains(&name) {
            let what = format!("{} is the name of another directory; expected a unique one", quoted(name));
            section.fault("name", section.place_of("name"), what);
        }
        seen.push(name);
    }
}

fn directory(section: &Section<'_>, base: &Base, further: &[String]) -> Option<directory::Settings> {
    let urls = urls(section);
    section.require("base", "the DN below which people are searched for, such as \"ou=people,dc=example,dc=org\"");
    let ca = section.parsed("ca", |path| base.resolve(path));
    let untrusted = |fault: String| {
        let right = "expected a PEM file of the authorities that sign the directory's certificates";
        section.fault("ca", section.place_of("ca"), format!("{fault}; {right}"));
    };
    let tls = directory::trust(ca.as_deref()).map_err(untrusted).ok();
    let base_dn = section.parsed("base", values::dn);
    let schema = Schema::read(section);
    Some(directory::Settings {
        name: section.text("name").unwrap_or(UNNAMED).into(),
        starttls: section.flag("starttls"),
        bind: bind(section, base),
        filter: schema::filter(section, schema),
        names: name_limits(section),
        attributes: schema::attributes(section, schema, base_dn.as_ref()),
        admission: schema::admission(section, schema),
        certificate_mapping: section.word(
            "certificate_mapping",
            CertificateMapping::default(),
            &[("key", CertificateMapping::Key), ("subject", CertificateMapping::Subject)],
        ),
        further_attributes: further.to_vec(),
        follow: section.flag("follow"),
        limits: limits(section),
        urls,
        base: base_dn?,
        tls: tls?,
    })
}

/// The names that the directory is responsible for.
fn name_limits(section: &Section<'_>) -> NameLimits {
    let right = "expected something like \"ou=*,o=example\": a DN (RFC 4514) in which * stands for any value, or any single part";
    let pattern =
        |text: &str| DnPattern::parse(text).ok_or_else(|| format!("{} is not a DN pattern; {right}", quoted(text)));
    let items = |key| section.list(key).unwrap_or_default().iter();
    for key in ["names_below", "mail_domains"] {
        if section.list(key).is_some_and(<[_]>::is_empty) {
            let what = "an empty list excludes every name; expected no such key";
            section.fault(key, section.place_of(key), what);
        }
    }
    NameLimits {
        below: items("names_below").filter_map(|item| section.parsed_of("names_below", item, pattern)).collect(),
        mail_domains: items("mail_domains")
            .filter_map(|item| section.parsed_of("mail_domains", item, values::domain))
            .collect(),
    }
}

fn urls(section: &Section<'_>) -> Vec<LdapUrl> {
    section.require("urls", "a list such as [ldaps://ldap.example.org]");
    let items = section.list("urls").unwrap_or_default();
    if section.list("urls").is_some_and(<[_]>::is_empty) {
        let what = "the list is empty; expected a list such as [ldaps://ldap.example.org]";
        section.fault("urls", section.place_of("urls"), what);
    }
    let clear_is_fine = section.flag("allow_clear_text") || section.flag("starttls");
    let url = |text: &str| {
        let url = LdapUrl::parse(text)?;
        if url.is_ldaps() || url.is_loopback() || clear_is_fine {
            return Ok(url);
        }
        Err(format!(
            "{} would send passwords in clear; expected ldaps://, starttls: true, or allow_clear_text: true",
            quoted(text)
        ))
    };
    let urls: Vec<LdapUrl> = items.iter().filter_map(|item| section.parsed_of("urls", item, url)).collect();
    if urls.len() == items.len() {
        needless(section, &urls);
    }
    urls
}

/// Reports TLS settings that no connection would use.
fn needless(section: &Section<'_>, urls: &[LdapUrl]) {
    let is_plain = |url: &LdapUrl| matches!(url, LdapUrl::Tcp { tls: false, .. });
    let starttls = section.flag("starttls");
    if urls.is_empty() {
        return;
    }
    if starttls && !urls.iter().any(is_plain) {
        let what = "has no effect if no URL begins with ldap://; expected false";
        section.fault("starttls", section.place_of("starttls"), what);
    } else if section.get("ca").is_some() && !starttls && !urls.iter().any(LdapUrl::is_ldaps) {
        let what = "has no effect without TLS; expected ldaps:// URLs, or starttls: true";
        section.fault("ca", section.place_of("ca"), what);
    }
}

fn bind(section: &Section<'_>, base: &Base) -> Option<ServiceBind> {
    let bind = section.section("bind");
    if section.get("bind").is_some() {
        bind.require("dn", "the DN of the entry that searches for people");
        bind.require("password_file", "a file whose first line is the password");
    }
    let (name, password) = (bind.parsed("dn", values::dn), bind.parsed("password_file", |path| base.password(path)));
    Some(ServiceBind { dn: name?, password: password? })
}

fn limits(section: &Section<'_>) -> DirectoryLimits {
    let default = DirectoryLimits::default();
    let timeouts = section.section("timeouts");
    let bounds = Duration::from_secs(1)..=Duration::from_secs(5 * 60);
    let count =
        |key, default: usize, most| usize::try_from(section.count(key, default as u64, 1..=most)).unwrap_or(default);
    DirectoryLimits {
        connect: timeouts.duration("connect", default.connect, bounds.clone()),
        operation: timeouts.duration("operation", default.operation, bounds.clone()),
        search: timeouts.duration("search", default.search, bounds),
        concurrent_lookups: count("concurrent_lookups", default.concurrent_lookups, 10_000),
        bind_connections: count("bind_connections", default.bind_connections, 1000),
        keep_alive: section.duration("keep_alive", default.keep_alive, Duration::ZERO..=Duration::from_secs(60 * 60)),
    }
}

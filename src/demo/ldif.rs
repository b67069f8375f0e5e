//! LDIF, the text form of a directory's entries (RFC 2849): content records only.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::names::Dn;

/// One content record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LdifRecord {
    /// Its DN.
    pub dn: Dn,
    /// Its attributes, in the order of the text; an attribute that appears twice is merged.
    pub attributes: Vec<LdifAttribute>,
}

/// One attribute description and its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LdifAttribute {
    /// As the text spells it, options included (`userCertificate;binary`).
    pub name: String,
    /// Its values in the order of the text.
    pub values: Vec<Vec<u8>>,
}

/// What is wrong with the text, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LdifFault {
    /// The number of its line, from 1.
    pub line: usize,
    /// What is wrong, as a sentence without a full stop.
    pub what: &'static str,
}

impl fmt::Display for LdifFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

impl std::error::Error for LdifFault {}

impl LdifRecord {
    /// Adds one value to an attribute, which is created if it is missing.
    pub fn add(&mut self, name: &str, value: Vec<u8>) {
        match self.attributes.iter_mut().find(|attribute| attribute.name.eq_ignore_ascii_case(name)) {
            Some(attribute) => attribute.values.push(value),
            None => self.attributes.push(LdifAttribute { name: name.to_owned(), values: vec![value] }),
        }
    }

    /// The values of an attribute that are text; none if the record has no such attribute.
    pub fn texts(&self, name: &str) -> impl Iterator<Item = &str> {
        self.attributes
            .iter()
            .filter(move |attribute| attribute.name.eq_ignore_ascii_case(name))
            .flat_map(|attribute| &attribute.values)
            .filter_map(|value| std::str::from_utf8(value).ok())
    }
}

/// Reads a file of content records. UTF-8 is accepted as it is, though the standard requires base64: `slapadd`
/// does the same, and people write it.
///
/// # Errors
/// The first fault. Change records and values given by a URL (`name:< file:///…`) are refused.
pub fn parse(text: &str) -> Result<Vec<LdifRecord>, LdifFault> {
    let mut entries = Vec::new();
    let mut open: Option<LdifRecord> = None;
    for (line, content) in unfold(text)? {
        let fault = |what| LdifFault { line, what };
        if content.is_empty() {
            entries.extend(open.take());
            continue;
        }
        let (name, value) = read_pair(&content).map_err(fault)?;
        match &mut open {
            Some(entry) => read_attribute(entry, name, value).map_err(fault)?,
            None if name.eq_ignore_ascii_case("version") => read_version(&value, &entries).map_err(fault)?,
            None => open = Some(LdifRecord { dn: read_dn(name, value).map_err(fault)?, attributes: Vec::new() }),
        }
    }
    entries.extend(open);
    Ok(entries)
}

/// Joins the lines that belong together, without comments; each with the number of its first line. An empty line stays:
/// it ends a record.
///
/// RFC 2849, note 2: "Any non-empty line, including comment lines, in an LDIF file MAY be folded by inserting a line
/// separator (SEP) and a SPACE."
fn unfold(text: &str) -> Result<Vec<(usize, String)>, LdifFault> {
    let mut joined: Vec<(usize, String)> = Vec::new();
    for (line, content) in (1..).zip(text.lines()) {
        match (content.strip_prefix(' '), joined.last_mut()) {
            (None, _) => joined.push((line, content.to_owned())),
            (Some(more), Some((_, before))) if !before.is_empty() => before.push_str(more),
            (Some(_), _) => return Err(LdifFault { line, what: "a continuation line without a line before it" }),
        }
    }
    joined.retain(|(_, content)| !content.starts_with('#'));
    Ok(joined)
}

/// `attrval-spec = AttributeDescription value-spec SEP` (RFC 2849).
fn read_pair(content: &str) -> Result<(&str, Vec<u8>), &'static str> {
    let (name, value) = content.split_once(':').ok_or("no colon after an attribute's name")?;
    let is_name = name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-.;".contains(&octet));
    if !is_name {
        return Err("not an attribute's name before the colon");
    }
    if value.starts_with('<') {
        return Err("values from a URL are not supported");
    }
    match value.strip_prefix(':') {
        Some(encoded) => Ok((name, STANDARD.decode(encoded.trim_matches(' ')).map_err(|_| "not base64")?)),
        None => Ok((name, value.trim_start_matches(' ').as_bytes().to_vec())),
    }
}

fn read_version(value: &[u8], before: &[LdifRecord]) -> Result<(), &'static str> {
    match (value, before) {
        (b"1", []) => Ok(()),
        (_, []) => Err("only version 1 of LDIF is supported"),
        _ => Err("the version must come before the first record"),
    }
}

fn read_dn(name: &str, value: Vec<u8>) -> Result<Dn, &'static str> {
    if !name.eq_ignore_ascii_case("dn") {
        return Err("a record begins with its dn");
    }
    let text = String::from_utf8(value).map_err(|_| "the dn is not UTF-8")?;
    Dn::parse(&text).ok_or("not a distinguished name")
}

fn read_attribute(entry: &mut LdifRecord, name: &str, value: Vec<u8>) -> Result<(), &'static str> {
    let begins = entry.attributes.is_empty();
    if begins && (name.eq_ignore_ascii_case("changetype") || name.eq_ignore_ascii_case("control")) {
        return Err("change records are not supported");
    }
    if name.eq_ignore_ascii_case("dn") {
        return Err("a second dn: an empty line must stand between two records");
    }
    entry.add(name, value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> (usize, &'static str) {
        let fault = parse(text).unwrap_err();
        (fault.line, fault.what)
    }

    #[test]
    fn reads_folded_encoded_and_commented_records() {
        let text = "version: 1\r\n# people\r\n# fold\r\n ed comment\r\n\r\n\r\ndn: uid=ajones,ou=Sa\r\n les,dc=example\r\n\
                    cn: Alan Jones\r\n# between\r\nCN:Al Jones\r\nsn::  SsO8cmdlbg==\r\ndescription:\r\n\r\n\
                    dn:: b3U9TcO8bGxlcg==\nuserCertificate;binary:: AP8=\nou: Müller";
        let entries = parse(text).unwrap();
        assert_eq!(entries.len(), 2);
        assert_eq!(entries[0].dn.as_str(), "uid=ajones,ou=Sales,dc=example");
        assert_eq!(entries[0].texts("cn").collect::<Vec<_>>(), ["Alan Jones", "Al Jones"]);
        assert_eq!(entries[0].texts("sn").collect::<Vec<_>>(), ["Jürgen"]);
        assert_eq!(entries[0].texts("description").collect::<Vec<_>>(), [""]);
        assert_eq!(entries[1].dn.as_str(), "ou=Müller");
        assert_eq!(entries[1].attributes[0].values, [vec![0x00, 0xFF]]);
        assert_eq!(entries[1].texts("ou").collect::<Vec<_>>(), ["Müller"]);
    }

    #[test]
    fn nothing_is_no_entry() {
        assert_eq!(parse(""), Ok(Vec::new()));
        assert_eq!(parse("version: 1\n\n# nobody\n"), Ok(Vec::new()));
    }

    #[test]
    fn reports_the_line_of_an_error() {
        assert_eq!(fault("dn: dc=x\nphoto:< file:///etc/passwd"), (2, "values from a URL are not supported"));
        assert_eq!(fault("dn: dc=x\nchangetype: delete"), (2, "change records are not supported"));
        assert_eq!(fault("dn: dc=x\ncontrol: 1.2.3\nchangetype: add"), (2, "change records are not supported"));
        assert_eq!(fault("dn: dc=x\n\n\ncn: Alan"), (4, "a record begins with its dn"));
        assert_eq!(fault("dn: dc=x\ndc: x\ndn: dc=y").0, 3);
        assert_eq!(fault("dn: Alan\nsn: Jones"), (1, "not a distinguished name"));
        assert_eq!(fault("dn: dc=x\ndc: x\nsn:: SsO8cm\n dlbg="), (3, "not base64"));
        assert_eq!(fault("dn: dc=x\ndc"), (2, "no colon after an attribute's name"));
        assert_eq!(fault("dn: dc=x\nd c: x").0, 2);
        assert_eq!(fault("version: 2"), (1, "only version 1 of LDIF is supported"));
        assert_eq!(fault("dn: dc=x\n\nversion: 1").0, 3);
        assert_eq!(fault("\n continued").0, 2);
    }
}

//! `tokens`: the issuers of bearer tokens, and how a token identifies a person.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::paths::Base;
use super::section::Section;
use super::tree::{Position, quoted};
use super::values;
use crate::names::{Kind, Policy};
use crate::token::{self, Algorithm, Issuers};

/// How far clocks may differ, unless something else is configured.
const LEEWAY: Duration = Duration::from_secs(30);

const MINUTE: Duration = Duration::from_secs(60);

/// The signature algorithms with a key pair.
const ALGORITHMS: [(&str, Algorithm); 9] = [
    ("RS256", Algorithm::RS256),
    ("RS384", Algorithm::RS384),
    ("RS512", Algorithm::RS512),
    ("PS256", Algorithm::PS256),
    ("PS384", Algorithm::PS384),
    ("PS512", Algorithm::PS512),
    ("ES256", Algorithm::ES256),
    ("ES384", Algorithm::ES384),
    ("EdDSA", Algorithm::EdDSA),
];

/// An issuer with the places of its files.
struct IssuerSection<'f> {
    section: Section<'f>,
    settings: token::Settings,
    places: Vec<Position>,
}

/// The issuers with their keys, if any are configured and every file can be read.
pub(super) fn read(root: &Section<'_>, base: &Base, policy: &Policy) -> Option<Arc<Issuers>> {
    let sections = root.sections("tokens")?;
    let mut listed: Vec<IssuerSection<'_>> = Vec::new();
    for section in sections {
        let Some(issuer) = issuer(section, base, policy) else { continue };
        if listed.iter().any(|other| other.settings.issuer == issuer.settings.issuer) {
            let what = format!("{} is a duplicate issuer; expected each only once", quoted(&issuer.settings.issuer));
            issuer.section.fault("issuer", issuer.section.place_of("issuer"), what);
        }
        listed.push(issuer);
    }
    if listed.is_empty() {
        return None;
    }
    match Issuers::read(listed.iter().map(|issuer| issuer.settings.clone()).collect()) {
        Ok(issuers) => Some(Arc::new(issuers)),
        Err(faults) => {
            for (number, fault) in faults {
                let Some(IssuerSection { section, settings, places }) = listed.get(number) else { continue };
                let at = settings.keys.iter().zip(places).find(|(file, _)| **file == fault.file);
                let place = at.map_or(section.place_of("keys"), |(_, place)| *place);
                section.fault("keys", place, format!("{} {}", fault.file.display(), fault.what));
            }
            None
        }
    }
}

/// Every key without a default is asked for, so that one run reports everything that is missing.
fn issuer<'f>(section: Section<'f>, base: &Base, policy: &Policy) -> Option<IssuerSection<'f>> {
    section.require("issuer", "what the tokens' claim iss says, such as https://id.example.org");
    section.require("audience", "what the tokens' claim aud says of this service");
    section.require("keys", "a list of files of the issuer's public keys, PEM or a JWK set");
    section.require("algorithms", "the issuer's signature algorithms, such as [RS256]");
    section.require("claim", "the claim that identifies the person, such as email");
    section.require("name", "the kind of name that this claim holds: mail, short_name or distinguished_name");
    let (issuer, audience) = (section.text("issuer"), section.text("audience"));
    let (keys, places) = keys(&section, base).into_iter().unzip();
    let algorithms = algorithms(&section);
    let claim = section.text("claim");
    let kind = kind(&section, policy);
    let leeway = section.duration("leeway", LEEWAY, Duration::ZERO..=5 * MINUTE);
    let max_age = section.duration("max_age", MINUTE, MINUTE..=30 * 24 * 60 * MINUTE);
    let max_age = section.get("max_age").map(|_| max_age);
    let required_scope = section.parsed("required_scope", scope);
    let openid_configuration = section.parsed("openid_configuration", url);
    let settings = token::Settings {
        issuer: issuer?.to_owned(),
        audience: audience?.to_owned(),
        keys,
        algorithms: algorithms?,
        claim: claim?.to_owned(),
        kind: kind?,
        leeway,
        max_age,
        required_scope,
        openid_configuration,
    };
    Some(IssuerSection { section, settings, places })
}

/// The files, with the places where they are named.
fn keys(section: &Section<'_>, base: &Base) -> Vec<(PathBuf, Position)> {
    let items = section.list("keys").unwrap_or_default();
    if section.list("keys").is_some_and(<[_]>::is_empty) {
        let what = "the list is empty; expected a list of files of the issuer's public keys";
        section.fault("keys", section.place_of("keys"), what);
    }
    let file = |item| Some((section.parsed_of("keys", item, |path| base.resolve(path))?, item.place));
    items.iter().filter_map(file).collect()
}

/// The algorithms of a list that must hold some; none if there is no such list.
fn algorithms(section: &Section<'_>) -> Option<Vec<Algorithm>> {
    let key = "algorithms";
    let items = section.word_list(key, &ALGORITHMS)?;
    if items.is_empty() {
        section.fault(key, section.place_of(key), "an empty list rejects everybody; expected something like [RS256]");
    }
    let parsed: Vec<Algorithm> = items.iter().filter_map(|item| section.parsed_of(key, item, algorithm)).collect();
    (!parsed.is_empty()).then_some(parsed)
}

/// Whoever can verify a token by a shared secret can make one for anybody, and so can whoever reads the file it is in.
fn algorithm(text: &str) -> Result<Algorithm, String> {
    if text.starts_with("HS") {
        let what = "uses a shared secret, with which this server could make tokens for anybody";
        return Err(format!("{} {what}; expected an algorithm with a key pair, such as RS256", quoted(text)));
    }
    values::word(text, &ALGORITHMS)
}

/// Common, first and last names are excluded: people can often choose them freely at the issuer.
fn kind(section: &Section<'_>, policy: &Policy) -> Option<Kind> {
    let words = [Kind::Mail, Kind::ShortName, Kind::DistinguishedName].map(|kind| (kind.word(), kind));
    let kind = section.chosen("name", &words)?;
    if !policy.allows(kind) {
        let what = format!("internet_authentication.names leaves out {kind}; expected a kind that it allows");
        section.fault("name", section.place_of("name"), what);
    }
    Some(kind)
}

/// `scope-token = 1*( %x21 / %x23-5B / %x5D-7E )` (RFC 6749 §3.3)
fn scope(text: &str) -> Result<String, String> {
    if text.bytes().all(|octet| octet.is_ascii_graphic() && octet != b'"' && octet != b'\\') {
        return Ok(text.to_owned());
    }
    Err(format!("{} is not a scope; expected one word, such as mail", quoted(text)))
}

fn url(text: &str) -> Result<String, String> {
    if text.starts_with("https://") && !text.contains(char::is_whitespace) {
        return Ok(text.to_owned());
    }
    let right = "expected something like https://id.example.org/.well-known/openid-configuration";
    Err(format!("{} is not an https:// URL; {right}", quoted(text)))
}

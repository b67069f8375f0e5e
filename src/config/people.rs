//! `internet_authentication`, `mailboxes`, `cache`, `lockout`: who a person is, and where their mail is.

use std::path::PathBuf;
use std::time::Duration;

use super::mailboxes;
use super::paths::Base;
use super::scram;
use super::section::Section;
use super::tokens;
use super::tree::NodeKind;
use super::uidl;
use super::value_kind::ValueKind;
use super::values;
use crate::identity::{self, Ambiguous, Lifetimes, RelayPolicy, RetentionPolicy};
use crate::lockout::{self, Block};
use crate::maildir::{self, EightBitHeaders, PathTemplate};
use crate::names::{Kind, Policy};

/// The upper bound of all lifetimes.
const MONTH: Duration = Duration::from_secs(30 * 24 * 60 * 60);

const ROOT: &str = "/srv/mail";
const PATH: &str = "{short_name}/Maildir";

const EIGHT_BIT_HEADERS: [(&str, EightBitHeaders); 2] =
    [("as_they_are", EightBitHeaders::AsTheyAre), ("wrapped", EightBitHeaders::Wrapped)];

/// The settings of Maildirs.
pub(super) fn maildir(root: &Section<'_>, base: &Base, retention: &RetentionPolicy) -> maildir::Settings {
    let section = root.section("mailboxes");
    let mail_root = section.parsed("root", |path| base.resolve(path)).unwrap_or_else(|| PathBuf::from(ROOT));
    let default = maildir::Settings::new(mail_root);
    maildir::Settings {
        markers: mailboxes::markers(&section),
        missing: mailboxes::missing(&section),
        unique_ids: uidl::read(root, base),
        kept_octets: root.section("cache").octets("maildrops", default.kept_octets, 0..=1 << 40),
        largest_message: section.octets("largest_message", default.largest_message, mailboxes::LARGEST_MESSAGE),
        eight_bit_headers: section.word("eight_bit_headers", default.eight_bit_headers, &EIGHT_BIT_HEADERS),
        offer: mailboxes::offer(&section),
        ageing: retention.is_on(),
        terms_differ: retention.by_person.is_some(),
        deletion: mailboxes::deletion(&section),
        mark_seen: mailboxes::mark_seen(&section),
        timestamp_granularity: section.duration(
            "settling",
            default.timestamp_granularity,
            Duration::ZERO..=Duration::from_secs(60),
        ),
        ..default
    }
}

/// The settings of the identity map, unless the path is wrong.
pub(super) fn identity(
    root: &Section<'_>,
    base: &Base,
    maildir: &maildir::Settings,
    retention: RetentionPolicy,
    relay: Option<RelayPolicy>,
) -> Option<identity::Settings> {
    let names = root.section("internet_authentication");
    let policy = policy(&names);
    let words = [("refuse", Ambiguous::Refuse), ("try_each", Ambiguous::TryEach)];
    let ambiguous = names.word("ambiguous", Ambiguous::default(), &words);
    let words = [("end", true), ("keep", false)];
    let ends_sessions = names.word("sessions_of_disabled_people", true, &words);
    let cache = lifetimes(&root.section("cache"));
    let lockout = lockout(&root.section("lockout"));
    let tokens = tokens::read(root, base, &policy);
    let scram = scram::read(root, base);
    let template = template(&root.section("mailboxes"))?.with_markers(&maildir.markers);
    let template = uidl::with_lists(root, template, &maildir.unique_ids);
    let root = maildir.root.clone();
    Some(identity::Settings {
        policy,
        ambiguous,
        ends_sessions,
        template,
        root,
        retention,
        cache,
        lockout,
        scram,
        tokens,
        relay,
    })
}

/// A mistake inside the path is reported at its own position if the file contains the path literally.
fn template(mailboxes: &Section<'_>) -> Option<PathTemplate> {
    mailboxes.accept("path", ValueKind::Text);
    let text = mailboxes.get("path").and_then(|node| mailboxes.text_of("path", node));
    let fault = match PathTemplate::parse(text.map_or(PATH, |text| &text.value)) {
        Ok(template) => return Some(template),
        Err(fault) => fault,
    };
    let begins = text.and_then(|text| text.begins).map(|begins| begins.right_by(fault.at));
    mailboxes.fault("path", begins.unwrap_or_else(|| mailboxes.place_of("path")), fault.what);
    None
}

fn policy(section: &Section<'_>) -> Policy {
    let policy = names(section);
    let domain = section.parsed("default_domain", values::domain);
    if domain.is_some() && !policy.allows(Kind::Mail) {
        let what = "has no effect where names leaves out mail; expected mail among the names, or no such key";
        section.fault("default_domain", section.place_of("default_domain"), what);
    }
    policy.with_default_domain(domain)
}

/// A preset, or a list of kinds.
fn names(section: &Section<'_>) -> Policy {
    let (presets, words) = ([("fewer", false), ("more", true)], Kind::ALL.map(|kind| (kind.word(), kind)));
    section.accept("names", ValueKind::Word(presets.map(|(word, _)| word).into()));
    section.accept("names", ValueKind::List(words.map(|(word, _)| word).into()));
    let Some(node) = section.get("names") else { return Policy::fewer() };
    let NodeKind::List(items) = &node.kind else {
        let more = section.word("names", false, &presets);
        return if more { Policy::more() } else { Policy::fewer() };
    };
    if items.is_empty() {
        let what = "an empty list rejects everybody; expected fewer, more, or kinds such as [mail, short_name]";
        section.fault("names", node.place, what);
    }
    Policy::of(items.iter().filter_map(|item| section.parsed_of("names", item, |text| values::word(text, &words))))
}

fn lifetimes(section: &Section<'_>) -> Lifetimes {
    let default = Lifetimes::default();
    let time = |key, default| section.duration(key, default, Duration::ZERO..=MONTH);
    Lifetimes {
        found: time("found", default.found),
        missed: time("missed", default.missed),
        password: time("password", default.password),
        refused: time("refused", default.refused),
        outage_grace: time("outage_grace", default.outage_grace),
        people: section.count("people", default.people, 1..=100_000_000),
    }
}

/// The thresholds for wrong passwords.
fn lockout(section: &Section<'_>) -> lockout::Settings {
    let default = lockout::Settings::default();
    let count = |key, default| usize::try_from(section.count(key, default as u64, 0..=10_000)).unwrap_or(default);
    let time = |key, default| section.duration(key, default, Duration::from_secs(1)..=MONTH);
    let networks = section.list("exempt_networks").unwrap_or_default();
    let lasts = time("lasts", default.lasts);
    lockout::Settings {
        person: count("person", default.person),
        network: count("network", default.network),
        within: time("within", default.within),
        lasts,
        lasts_at_most: section.duration("lasts_at_most", default.lasts_at_most.max(lasts), lasts..=MONTH),
        exempt_networks: networks
            .iter()
            .filter_map(|node| section.parsed_of("exempt_networks", node, Block::parse))
            .collect(),
    }
}

//! `mailboxes`, `expire`: how mail is served, deleted and expired.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::paths;
use super::schema;
use super::section::Section;
use super::tree::{NodeKind, quoted};
use super::value_kind::ValueKind;
use crate::connection::SessionsPerMaildrop;
use crate::identity::{RetentionAttribute, RetentionPolicy};
use crate::maildir::{Deletion, FolderName, MarkSeen, Missing, Offer, PathTemplate};

const HOUR: Duration = Duration::from_secs(60 * 60);
const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The default of the shortest time that an entry can set.
const AT_LEAST: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The default idle time after which a session can be taken over.
const TAKEOVER_AFTER: Duration = Duration::from_secs(2 * 60);

/// Octets that the largest message may have.
pub(super) const LARGEST_MESSAGE: RangeInclusive<u64> = 1 << 20..=1 << 40;

/// How many sessions a maildrop may have at once.
pub(super) fn sessions(mailboxes: &Section<'_>) -> SessionsPerMaildrop {
    let after = mailboxes.duration("takeover_after", TAKEOVER_AFTER, Duration::from_secs(1)..=DAY);
    let words = [
        ("many", SessionsPerMaildrop::Many),
        ("one", SessionsPerMaildrop::One),
        ("one_with_takeover", SessionsPerMaildrop::OneWithTakeover(after)),
    ];
    mailboxes.word("sessions_per_maildrop", SessionsPerMaildrop::Many, &words)
}

/// How messages that a client deletes are treated: the word `remove`, or a mapping of keys.
pub(super) fn deletion(mailboxes: &Section<'_>) -> Deletion {
    mailboxes.accept("deletion", ValueKind::Word(vec!["remove"]));
    if let Some(NodeKind::String(_)) = mailboxes.get("deletion").map(|node| &node.kind) {
        mailboxes.word("deletion", (), &[("remove", ())]);
        return Deletion::Remove;
    }
    let section = mailboxes.section("deletion");
    let time = section.duration("keep_for", Duration::ZERO, HOUR..=10 * YEAR);
    let time = (!time.is_zero()).then_some(time);
    let folder =
        section.parsed("move_to", |text| FolderName::parse(text).map_err(|fault| format!("{} {fault}", quoted(text))));
    match (folder, time) {
        (Some(folder), time) => Deletion::Move(folder, time),
        (None, Some(time)) => Deletion::Keep(time),
        (None, None) => Deletion::Remove,
    }
}

/// The files that show that file systems are mounted: one, or a list, below the section's root.
pub(super) fn markers(section: &Section<'_>) -> Vec<PathTemplate> {
    let Some(items) = section.one_or_list("marker") else { return Vec::new() };
    if items.is_empty() {
        section.fault("marker", section.place_of("marker"), "the list is empty; expected a file such as .mounted");
    }
    let marker = |text: &str| {
        paths::below(text)?;
        let right = "expected a file such as .mounted, or one for each disk such as {mail.domain}/.mounted";
        PathTemplate::parse_marker(text).map_err(|fault| format!("{}; {right}", fault.what))
    };
    items.iter().filter_map(|item| section.parsed_of("marker", item, marker)).collect()
}

/// How a missing Maildir is treated.
pub(super) fn missing(mailboxes: &Section<'_>) -> Missing {
    mailboxes.word("missing", Missing::Empty, &[("empty", Missing::Empty), ("refuse", Missing::Refuse)])
}

/// Which messages are marked as seen.
pub(super) fn mark_seen(mailboxes: &Section<'_>) -> MarkSeen {
    mailboxes.word("mark_seen", MarkSeen::None, &[("none", MarkSeen::None), ("retrieved", MarkSeen::Retrieved)])
}

/// Which messages clients are offered.
pub(super) fn offer(mailboxes: &Section<'_>) -> Offer {
    mailboxes.word("offer", Offer::All, &[("all", Offer::All), ("unread", Offer::Unread)])
}

/// When mail that was left on the server is removed.
pub(super) fn retention(section: &Section<'_>) -> RetentionPolicy {
    let time = |key, default| section.duration(key, default, DAY..=10 * YEAR);
    let (after, at_least) = (time("after", Duration::ZERO), time("at_least", AT_LEAST));
    let retention = RetentionPolicy {
        after: (!after.is_zero()).then_some(after),
        also_unretrieved: section.flag("also_unretrieved"),
        by_person: section
            .parsed("attribute", schema::attribute)
            .map(|attribute| RetentionAttribute { attribute, at_least }),
    };
    contradictions(section, &retention, at_least);
    retention
}

/// Reports keys that have no effect because of others.
fn contradictions(section: &Section<'_>, retention: &RetentionPolicy, at_least: Duration) {
    let is_by_person = section.get("attribute").is_some();
    if section.get("after").is_none() && !is_by_person && retention.also_unretrieved {
        let what = "has no effect without expire.after or expire.attribute; expected one of these keys as well, or no \
                    such key";
        section.fault("also_unretrieved", section.place_of("also_unretrieved"), what);
    }
    if !is_by_person && at_least != AT_LEAST {
        let what = "has no effect without expire.attribute; expected that key as well, or neither";
        section.fault("at_least", section.place_of("at_least"), what);
    }
    if is_by_person && retention.after.is_some_and(|after| after < at_least) {
        let what = "is shorter than expire.at_least, which clients are told; expected the same or longer";
        section.fault("after", section.place_of("after"), what);
    }
}

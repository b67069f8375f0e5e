//! `mailboxes`, `expire`: what becomes of mail while it is fetched, and after.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::paths;
use super::schema;
use super::section::Section;
use super::tree::{Kind, quoted};
use crate::connection::SessionsPerMaildrop;
use crate::identity::{RetentionAttribute, RetentionPolicy};
use crate::maildir::{Deletion, FolderName, MarkSeen, Missing, Offer, PathTemplate};

const HOUR: Duration = Duration::from_secs(60 * 60);
const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The shortest time that a person's entry can give their mail, where nothing is said.
const AT_LEAST: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How long a session must have been idle to give way, where nothing is said.
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

/// What becomes of a message that a client deleted: the word `remove`, or a block of keys.
pub(super) fn deletion(mailboxes: &Section<'_>) -> Deletion {
    if let Some(Kind::Text(_)) = mailboxes.get("deletion").map(|node| &node.kind) {
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

/// The files that show that disks are mounted: one, or a list of them, below the root that the section names.
pub(super) fn markers(section: &Section<'_>) -> Vec<PathTemplate> {
    let Some(node) = section.get("marker") else { return Vec::new() };
    let items = match &node.kind {
        Kind::List(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    if items.is_empty() {
        section.fault("marker", node.place, "an empty list looks for nothing; right would be a file such as .mounted");
    }
    let marker = |text: &str| {
        paths::below(text)?;
        let right = "right would be a file such as .mounted, or one for each disk such as {mail.domain}/.mounted";
        PathTemplate::parse_marker(text).map_err(|fault| format!("{}; {right}", fault.what))
    };
    items.iter().filter_map(|item| section.parsed_of("marker", item, marker)).collect()
}

/// What a Maildir means that is not there.
pub(super) fn missing(mailboxes: &Section<'_>) -> Missing {
    mailboxes.word("missing", Missing::Empty, &[("empty", Missing::Empty), ("refuse", Missing::Refuse)])
}

/// What is marked as seen.
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

/// Keys that others leave without a meaning.
fn contradictions(section: &Section<'_>, retention: &RetentionPolicy, at_least: Duration) {
    let is_by_person = section.get("attribute").is_some();
    if section.get("after").is_none() && !is_by_person && retention.also_unretrieved {
        let what = "means nothing without expire.after or expire.attribute; right would be one of these keys, too, or no \
                    such key";
        section.fault("also_unretrieved", section.place_of("also_unretrieved"), what);
    }
    if !is_by_person && at_least != AT_LEAST {
        let what = "means nothing without expire.attribute; right would be that key too, or no such key";
        section.fault("at_least", section.place_of("at_least"), what);
    }
    if is_by_person && retention.after.is_some_and(|after| after < at_least) {
        let what = "is shorter than expire.at_least, which clients are told; right would be as long as that, or longer";
        section.fault("after", section.place_of("after"), what);
    }
}

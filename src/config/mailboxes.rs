//! `mailboxes`, `expire`: what becomes of mail while it is fetched, and after.

use std::time::Duration;

use super::section::Section;
use super::tree::{Kind, quoted};
use crate::connection::SessionsPerMaildrop;
use crate::maildir::{Deletion, Expiry, FolderName, MarkSeen, Offer};

const HOUR: Duration = Duration::from_secs(60 * 60);
const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a session must have been idle to give way, where nothing is said.
const TAKEOVER_AFTER: Duration = Duration::from_secs(2 * 60);

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

/// What is marked as seen.
pub(super) fn mark_seen(mailboxes: &Section<'_>) -> MarkSeen {
    mailboxes.word("mark_seen", MarkSeen::None, &[("none", MarkSeen::None), ("retrieved", MarkSeen::Retrieved)])
}

/// Which messages clients are offered.
pub(super) fn offer(mailboxes: &Section<'_>) -> Offer {
    mailboxes.word("offer", Offer::All, &[("all", Offer::All), ("unread", Offer::Unread)])
}

/// When mail that was left on the server is removed.
pub(super) fn expiry(section: &Section<'_>) -> Option<Expiry> {
    let after = section.duration("after", Duration::ZERO, DAY..=10 * YEAR);
    let also_unretrieved = section.flag("also_unretrieved");
    if after.is_zero() && also_unretrieved {
        let what = "means nothing without expire.after; right would be that key too, or no such key";
        section.fault("also_unretrieved", section.place_of("also_unretrieved"), what);
    }
    (!after.is_zero()).then_some(Expiry { after, also_unretrieved })
}

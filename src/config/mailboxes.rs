//! `mailboxes`: what becomes of mail while it is fetched, and after.

use std::time::Duration;

use super::section::Section;
use crate::connection::SessionsPerMaildrop;

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

//! Whether the clock of this machine is right, as far as others show it. Certificates, tokens, lock-outs and the expiry of
//! mail depend on it.

use std::path::Path;

use crate::date::Date;

/// From this difference on, in seconds, it is noted: tokens are accepted for as long beyond their time by default.
const NOTED: i64 = 60;

/// From this difference on it is a fault: no leeway for tokens can be longer, and Kerberos has the same limit.
const FAULT: i64 = 5 * 60;

/// Where systemd-timesyncd says that it has set the clock.
const SYNCHRONISED: &str = "synchronized";

/// How wrong a clock is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ClockFinding {
    Note(String),
    Fault(String),
}

/// Compares a directory's time with ours, both in seconds since 1970.
pub(super) fn compare(theirs: i64, ours: i64) -> Option<ClockFinding> {
    let difference = ours.saturating_sub(theirs);
    let (seconds, way) = (difference.abs(), if difference > 0 { "ahead of" } else { "behind" });
    if seconds < NOTED {
        return None;
    }
    let at = Date::after_seconds(theirs).of_log();
    let sentence = format!(
        "the clock of this machine is {seconds} s {way} the directory's, which says {at}; check on both machines that the \
         clock is set by NTP"
    );
    Some(if seconds < FAULT { ClockFinding::Note(sentence) } else { ClockFinding::Fault(sentence) })
}

/// Whether systemd-timesyncd runs and has not set the clock since the start of the machine. Of other programs that set the
/// clock nothing is known.
pub(super) fn unsynchronised(folder: &Path) -> Option<String> {
    (folder.is_dir() && !folder.join(SYNCHRONISED).exists()).then(|| {
        "clock: systemd-timesyncd has not set the clock since the machine was started; `timedatectl timesync-status` shows \
         why"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_wrong_is_noted_and_one_that_is_far_wrong_is_a_fault() {
        let now = 1_796_083_200;
        for (theirs, expected) in [(now, None), (now - 59, None), (now + 59, None), (now - 60, Some("60 s ahead of"))] {
            let found = compare(theirs, now);
            assert_eq!(found.is_some(), expected.is_some());
            let words = expected.unwrap_or_default();
            assert!(found.is_none_or(|found| matches!(found, ClockFinding::Note(text) if text.contains(words))));
        }
        let Some(ClockFinding::Fault(text)) = compare(now + 300, now) else { panic!("no fault") };
        assert!(text.contains("300 s behind the directory's, which says 2026-12-01T00:05:00Z"), "{text}");
    }

    #[test]
    fn a_clock_that_timesyncd_has_not_set_is_noted() {
        let run = tempfile::tempdir().unwrap();
        assert_eq!(unsynchronised(&run.path().join("timesync")), None, "another program may set it");
        assert!(unsynchronised(run.path()).is_some());
        std::fs::write(run.path().join(SYNCHRONISED), "").unwrap();
        assert_eq!(unsynchronised(run.path()), None);
    }
}

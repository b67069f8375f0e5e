//! Change stamps: what changes in an entry when its password may have changed, and with which granularity.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::timestamps::{generalized, of_windows};
use super::values::EntryValues;

/// Changes when a password may have changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stamp {
    /// When the password was set: pwdChangedTime or pwdLastSet.
    OfPassword(String),
    /// When anything of the entry was changed: entryCSN, which counts microseconds, else modifyTimestamp or whenChanged.
    OfEntry(String),
    /// The same, if that last change was a refused bind, which slapd's ppolicy records in the entry. It also dates each
    /// change of a password (pwdChangedTime), so an entry without such a date has the password that it had before.
    OfRefusedBind(String),
}

/// Directories write whole seconds, unless there is a fraction. Their clocks may be two seconds behind ours: 389 Directory
/// Server looks at the time once a second, later where the machine is busy.
const WHOLE_SECONDS: Duration = Duration::from_secs(1 + 2);

/// The dates of a refused bind and of the change of the entry that it causes differ by no more than this, in seconds.
const OF_ONE_BIND: i64 = 1;

impl Stamp {
    /// The finest of the stamps that may be read; none if there is none. A `pwdLastSet` of 0 says that the password must be
    /// changed, not when it was.
    pub(crate) fn of(values: &EntryValues) -> Option<Self> {
        let first_of = |names: &[&str]| {
            names.iter().find_map(|name| values.texts(name).first().filter(|value| *value != "0").cloned())
        };
        if let Some(set) = first_of(&["pwdChangedTime", "pwdLastSet"]) {
            return Some(Self::OfPassword(set));
        }
        let changed = first_of(&["entryCSN", "modifyTimestamp", "whenChanged"])?;
        Some(if was_refused_last(values) { Self::OfRefusedBind(changed) } else { Self::OfEntry(changed) })
    }

    /// Whether the password may be the same under both: only a stamp of the password shows when it was set.
    #[must_use]
    pub fn may_mean_the_same_password(&self, other: &Self) -> bool {
        self == other || !self.is_of_password() && !other.is_of_password()
    }

    /// Whether this later stamp shows that the password is the same as under an earlier stamp.
    #[must_use]
    pub fn means_the_password_of(&self, earlier: &Self) -> bool {
        self == earlier || self.is_of_refused_bind() && !earlier.is_of_password()
    }

    /// Whether the password of that moment is valid as long as this stamp does not change. A stamp proves nothing while
    /// it is younger than its own granularity: a second change within that would not change it.
    #[must_use]
    pub fn is_settled_at(&self, moment: SystemTime) -> bool {
        let is_old = |(changed, step)| moment.duration_since(changed).is_ok_and(|age| age >= step);
        self.is_of_refused_bind() || self.moment().is_some_and(is_old)
    }

    /// Whether the entry's last change was a refused bind, by a directory that dates each change of a password.
    #[must_use]
    pub fn is_of_refused_bind(&self) -> bool {
        matches!(self, Self::OfRefusedBind(_))
    }

    pub(crate) fn is_of_password(&self) -> bool {
        matches!(self, Self::OfPassword(_))
    }

    /// The time of the change, and its granularity.
    fn moment(&self) -> Option<(SystemTime, Duration)> {
        let (Self::OfPassword(text) | Self::OfEntry(text) | Self::OfRefusedBind(text)) = self;
        if let Ok(count) = text.parse::<i64>() {
            return Some((since_1970(of_windows(count)?)?, Duration::ZERO));
        }
        // A CSN is a time, followed by parts that make it unique.
        let text = text.split('#').next().unwrap_or_default();
        let digits = text.split_once(['.', ',']).map_or("", |(_, fraction)| fraction);
        let digits = digits.bytes().take_while(u8::is_ascii_digit).count();
        // Active Directory writes a fraction that is always 0.
        let step = if digits > 1 { Duration::ZERO } else { WHOLE_SECONDS };
        Some((since_1970(generalized(text)?)?, step))
    }
}

fn since_1970(seconds: i64) -> Option<SystemTime> {
    UNIX_EPOCH.checked_add(Duration::from_secs(u64::try_from(seconds).ok()?))
}

/// Whether the entry's last change was a refused bind.
pub(super) fn was_refused_last(values: &EntryValues) -> bool {
    let latest = |name: &str| values.texts(name).iter().filter_map(|value| generalized(value)).max();
    let changed = latest("modifyTimestamp");
    latest("pwdFailureTime").zip(changed).is_some_and(|(refused, changed)| (changed - refused).abs() <= OF_ONE_BIND)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::Entry;

    const CSN: &str = "20261123191500.123456Z#000000#001#000000";

    fn of(pairs: &[(&str, &str)]) -> Option<Stamp> {
        Entry::with(pairs).stamp
    }

    #[test]
    fn the_finest_readable_stamp_counts() {
        let (modified, set) = (("modifyTimestamp", "20261123191500Z"), ("pwdChangedTime", "20260101000000Z"));
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[modified]), Some(Stamp::OfEntry(modified.1.to_owned())));
        assert_eq!(of(&[modified, ("entryCSN", CSN)]), Some(Stamp::OfEntry(CSN.to_owned())));
        assert_eq!(of(&[modified, ("entryCSN", CSN), set]), Some(Stamp::OfPassword(set.1.to_owned())));
        assert_eq!(of(&[("pwdLastSet", "0"), modified]), Some(Stamp::OfEntry(modified.1.to_owned())));
    }

    #[test]
    fn a_refused_bind_changes_no_password() {
        let modified = ("modifyTimestamp", "20261123191501Z");
        let before = of(&[("modifyTimestamp", "20200101000000Z")]).unwrap();
        let refused = of(&[modified, ("pwdFailureTime", "20261123191500.987654Z")]).unwrap();
        assert!(refused.means_the_password_of(&before));
        assert!(!before.means_the_password_of(&refused), "something else was changed");
        let changed = of(&[modified, ("pwdFailureTime", "20261123191300.987654Z")]).unwrap();
        assert!(!changed.means_the_password_of(&before), "behind the refused bind something else was changed");
        let set = of(&[modified, ("pwdChangedTime", modified.1), ("pwdFailureTime", modified.1)]).unwrap();
        assert!(!set.means_the_password_of(&before) && !set.may_mean_the_same_password(&before));
    }

    #[test]
    fn a_stamp_proves_nothing_while_it_is_younger_than_its_granularity() {
        let at = |seconds| since_1970(1_795_461_300 + seconds).unwrap();
        let settled = |name: &str, value: &str, seconds: i64| of(&[(name, value)]).unwrap().is_settled_at(at(seconds));
        for (name, value) in [
            ("pwdChangedTime", "20261123191500Z"),
            ("modifyTimestamp", "20261123191500Z"),
            ("whenChanged", "20261123191500.0Z"),
            ("entryCSN", CSN),
            ("pwdLastSet", "134399349000000000"),
        ] {
            for young in [-3600, -1] {
                assert!(!settled(name, value, young), "{name} after {young} seconds");
            }
            assert!(settled(name, value, 3), "{name}");
        }
        assert!(settled("entryCSN", CSN, 1) && settled("pwdLastSet", "134399349000000000", 0));
        for young in [0, 2] {
            assert!(!settled("modifyTimestamp", "20261123191500Z", young), "the directory's clock may be behind ours");
        }
        assert!(!settled("modifyTimestamp", "yesterday", 0));
    }
}

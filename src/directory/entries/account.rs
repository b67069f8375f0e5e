//! The state of an account, as its entry shows it: for logins without a bind, and for states that the answer to a bind
//! does not show.
//!
//! Pure: an entry becomes a list of bars, each with its time; the current time is a parameter.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::entry::Entry;
use super::refusal::DirectoryRefusal;
use super::timestamps::{generalized, of_shadow, of_windows};

/// What bars a person from logging in, and when.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Account {
    bars: Vec<AccountBar>,
}

/// One reason to refuse a person for a time, in seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
struct AccountBar {
    refusal: DirectoryRefusal,
    from: i64,
    /// The first second after it.
    until: i64,
    /// Whether a bind later than `from` overrides it.
    yields_to_bind: bool,
    /// Whether wrong passwords, which anybody can send, cause it.
    by_guesses: bool,
}

/// A reason to refuse a person now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Barred {
    /// The reason.
    pub refusal: DirectoryRefusal,
    /// A password proven later than this is accepted nevertheless; none if no proof is.
    ///
    /// Some entries show when a lock began and not how long it lasts, and an expired password may have a few grace
    /// logins left: the directory decides both at a bind.
    pub unless_proven_since: Option<SystemTime>,
}

/// The attributes that show an account's state, read of every entry. Of several reasons the first is reported: a
/// password that must be changed counts as expired, too.
pub(crate) const STATE: [&str; 12] = [
    "userAccountControl",
    "nsAccountLock",
    "pwdStartTime",
    "accountExpires",
    "pwdEndTime",
    "shadowExpire",
    "pwdLastSet",
    "pwdReset",
    "msDS-User-Account-Control-Computed",
    "accountUnlockTime",
    "pwdAccountLockedTime",
    "passwordExpirationTime",
];

/// Bits of `userAccountControl` and of its computed companion.
const DISABLED: i64 = 0x2;
const LOCKED_OUT: i64 = 0x10;
const PASSWORD_EXPIRED: i64 = 0x80_0000;

/// A lock that only an administrator ends, as the draft of LDAP's password policy writes it.
const LOCKED_FOR_GOOD: &str = "000001010000Z";

impl Account {
    /// What an entry says. An attribute that is missing or may not be read bars nobody; one that cannot be understood
    /// does.
    fn of(entry: &Entry) -> Self {
        let said = STATE.iter().filter_map(|attribute| Some((*attribute, entry.values(attribute).first()?)));
        Self { bars: said.flat_map(|(attribute, value)| bars(attribute, value)).collect() }
    }

    /// Why this person may not log in now; what no bind can change comes first.
    #[must_use]
    pub fn barred(&self, now: SystemTime) -> Option<Barred> {
        let now = seconds(now);
        let mut down = self.bars.iter().filter(|bar| bar.from <= now && now < bar.until);
        let bar = down.clone().find(|bar| !bar.yields_to_bind).or_else(|| down.next())?;
        let since = bar.yields_to_bind.then(|| UNIX_EPOCH + Duration::from_secs(u64::try_from(bar.from).unwrap_or(0)));
        Some(Barred { refusal: bar.refusal.clone(), unless_proven_since: since })
    }

    /// Why this person may no longer use the service, if an administrator has decided so, or the account's time is over:
    /// neither the state of a password nor a lock after wrong passwords, which anybody can send, is such a reason.
    #[must_use]
    pub fn withdrawn(&self, now: SystemTime) -> Option<DirectoryRefusal> {
        use DirectoryRefusal::{AccountExpired, Disabled, Locked, NotYet};
        let now = seconds(now);
        let mut down = self.bars.iter().filter(|bar| bar.from <= now && now < bar.until && !bar.by_guesses);
        let bar = down.find(|bar| matches!(bar.refusal, Disabled | AccountExpired | NotYet | Locked))?;
        Some(bar.refusal.clone())
    }
}

impl Entry {
    /// The state of the account now.
    #[must_use]
    pub fn account(&self) -> Account {
        Account::of(self)
    }
}

impl AccountBar {
    fn always(refusal: DirectoryRefusal) -> Self {
        Self { refusal, from: i64::MIN, until: i64::MAX, yields_to_bind: false, by_guesses: false }
    }

    fn from(moment: i64, refusal: DirectoryRefusal) -> Self {
        Self { from: moment, ..Self::always(refusal) }
    }

    fn until(moment: i64, refusal: DirectoryRefusal) -> Self {
        Self { until: moment, ..Self::always(refusal) }
    }

    fn by_guesses(self) -> Self {
        Self { by_guesses: true, ..self }
    }

    fn yielding(self) -> Self {
        Self { yields_to_bind: true, ..self }
    }
}

/// What one attribute says.
fn bars(attribute: &'static str, value: &str) -> Vec<AccountBar> {
    let understood = match attribute {
        "userAccountControl" | "msDS-User-Account-Control-Computed" => flags(attribute, value),
        "accountExpires" => whole(value).map(|count| expiry(of_windows(count))),
        "shadowExpire" => whole(value).map(|day| expiry(of_shadow(day))),
        "pwdLastSet" => whole(value).map(|count| only_if(count == 0, DirectoryRefusal::MustChange)),
        "nsAccountLock" => Some(only_if(value.eq_ignore_ascii_case("true"), DirectoryRefusal::Disabled)),
        "pwdReset" => Some(only_if(value.eq_ignore_ascii_case("true"), DirectoryRefusal::MustChange)),
        _ => timed(attribute, value),
    };
    understood.unwrap_or_else(|| {
        vec![AccountBar::always(DirectoryRefusal::Other(format!("{attribute} cannot be read: {value:?}")))]
    })
}

fn whole(value: &str) -> Option<i64> {
    value.trim().parse().ok()
}

fn only_if(is_so: bool, refusal: DirectoryRefusal) -> Vec<AccountBar> {
    is_so.then(|| AccountBar::always(refusal)).into_iter().collect()
}

fn expiry(moment: Option<i64>) -> Vec<AccountBar> {
    moment.map(|moment| AccountBar::from(moment, DirectoryRefusal::AccountExpired)).into_iter().collect()
}

/// The bits for a lock and an expired password count only where the directory computes them.
fn flags(attribute: &str, value: &str) -> Option<Vec<AccountBar>> {
    let flags = whole(value)?;
    if attribute == "userAccountControl" {
        return Some(only_if(flags & DISABLED != 0, DirectoryRefusal::Disabled));
    }
    let bits = [(LOCKED_OUT, DirectoryRefusal::Locked), (PASSWORD_EXPIRED, DirectoryRefusal::PasswordExpired)];
    let down = bits.into_iter().flat_map(|(bit, refusal)| only_if(flags & bit != 0, refusal));
    Some(down.map(AccountBar::by_guesses).collect())
}

/// What 389 Directory Server and the password policy of slapd write as Generalized Time.
///
/// The former marks a lock without end, and a password that must be changed at once, by the beginning of 1970.
fn timed(attribute: &str, value: &str) -> Option<Vec<AccountBar>> {
    if value == LOCKED_FOR_GOOD {
        return Some(vec![AccountBar::always(DirectoryRefusal::Locked)]);
    }
    let moment = generalized(value)?;
    Some(vec![match attribute {
        "accountUnlockTime" if moment == 0 => AccountBar::always(DirectoryRefusal::Locked).by_guesses(),
        "accountUnlockTime" => AccountBar::until(moment, DirectoryRefusal::Locked).by_guesses(),
        "passwordExpirationTime" if moment == 0 => AccountBar::always(DirectoryRefusal::MustChange),
        "passwordExpirationTime" => AccountBar::from(moment, DirectoryRefusal::PasswordExpired).yielding(),
        "pwdAccountLockedTime" => AccountBar::from(moment, DirectoryRefusal::Locked).yielding().by_guesses(),
        "pwdStartTime" => AccountBar::until(moment, DirectoryRefusal::NotYet),
        "pwdEndTime" => AccountBar::from(moment, DirectoryRefusal::AccountExpired),
        _ => return None,
    }])
}

fn seconds(moment: SystemTime) -> i64 {
    let since = moment.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-23 19:15:00
    const NOW: u64 = 1_795_461_300;

    fn barred(entry: &[(&str, &str)], now: u64) -> Option<Barred> {
        Account::of(&Entry::with(entry)).barred(UNIX_EPOCH + Duration::from_secs(now))
    }

    #[test]
    fn neither_the_state_of_a_password_nor_guesses_end_sessions() {
        use DirectoryRefusal::{AccountExpired, Disabled, Locked, NotYet};
        for (attribute, value, refusal) in [
            ("userAccountControl", "514", Some(Disabled)),
            ("nsAccountLock", "TRUE", Some(Disabled)),
            ("accountExpires", "134399349000000000", Some(AccountExpired)),
            ("pwdStartTime", "20261123191501Z", Some(NotYet)),
            ("pwdAccountLockedTime", "000001010000Z", Some(Locked)),
            ("pwdAccountLockedTime", "20261123191400Z", None),
            ("accountUnlockTime", "19700101000000Z", None),
            ("accountUnlockTime", "20261123191501Z", None),
            ("msDS-User-Account-Control-Computed", "16", None),
            ("msDS-User-Account-Control-Computed", "8388608", None),
            ("pwdLastSet", "0", None),
            ("pwdReset", "TRUE", None),
            ("passwordExpirationTime", "20261123191500Z", None),
            ("shadowExpire", "unreadable", None),
        ] {
            let account = Account::of(&Entry::with(&[(attribute, value)]));
            let withdrawn = account.withdrawn(UNIX_EPOCH + Duration::from_secs(NOW));
            assert_eq!(withdrawn, refusal, "{attribute}: {value}");
        }
    }

    #[test]
    fn each_attribute_has_its_meaning() {
        use DirectoryRefusal::{AccountExpired, Disabled, Locked, MustChange, NotYet, PasswordExpired};
        for (attribute, value, refusal) in [
            ("userAccountControl", "512", None),
            ("userAccountControl", "514", Some(Disabled)),
            ("useraccountcontrol", "66050", Some(Disabled)),
            ("userAccountControl", "528", None),
            ("accountExpires", "0", None),
            ("accountExpires", "9223372036854775807", None),
            ("accountExpires", "134399349010000000", None),
            ("accountExpires", "134399349000000000", Some(AccountExpired)),
            ("pwdLastSet", "0", Some(MustChange)),
            ("pwdLastSet", "134399348990000000", None),
            ("msDS-User-Account-Control-Computed", "0", None),
            ("msDS-User-Account-Control-Computed", "16", Some(Locked)),
            ("msDS-User-Account-Control-Computed", "8388608", Some(PasswordExpired)),
            ("nsAccountLock", "TRUE", Some(Disabled)),
            ("nsAccountLock", "false", None),
            ("accountUnlockTime", "20261123191501Z", Some(Locked)),
            ("accountUnlockTime", "20261123191500Z", None),
            ("accountUnlockTime", "19700101000000Z", Some(Locked)),
            ("passwordExpirationTime", "20261123191501Z", None),
            ("passwordExpirationTime", "20261123191500Z", Some(PasswordExpired)),
            ("passwordExpirationTime", "19700101000000Z", Some(MustChange)),
            ("passwordExpirationTime", "20380119031407Z", None),
            ("pwdAccountLockedTime", "000001010000Z", Some(Locked)),
            ("pwdAccountLockedTime", "20261123191400Z", Some(Locked)),
            ("pwdReset", "TRUE", Some(MustChange)),
            ("pwdReset", "FALSE", None),
            ("pwdStartTime", "20261123191501Z", Some(NotYet)),
            ("pwdStartTime", "20261123191500Z", None),
            ("pwdEndTime", "20261123191501Z", None),
            ("pwdEndTime", "20261123191500Z", Some(AccountExpired)),
            ("shadowExpire", "-1", None),
            ("shadowExpire", "20781", None),
            ("shadowExpire", "20780", Some(AccountExpired)),
        ] {
            let barred = barred(&[(attribute, value)], NOW).map(|barred| barred.refusal);
            assert_eq!(barred, refusal, "{attribute}: {value}");
        }
    }

    #[test]
    fn an_unreadable_state_bars() {
        for attribute in ["userAccountControl", "accountExpires", "pwdEndTime", "accountUnlockTime", "shadowExpire"] {
            let barred = barred(&[(attribute, "soon")], NOW).unwrap();
            assert_eq!(barred.refusal, DirectoryRefusal::Other(format!("{attribute} cannot be read: \"soon\"")));
        }
    }

    #[test]
    fn only_states_that_a_bind_overrides_yield_to_a_proof() {
        let began = Some(UNIX_EPOCH + Duration::from_secs(NOW - 60));
        for (attribute, value, since) in [
            ("pwdAccountLockedTime", "20261123191400Z", began),
            ("passwordExpirationTime", "20261123191400Z", began),
            ("pwdAccountLockedTime", "000001010000Z", None),
            ("pwdEndTime", "20261123191400Z", None),
            ("userAccountControl", "514", None),
        ] {
            assert_eq!(barred(&[(attribute, value)], NOW).unwrap().unless_proven_since, since, "{attribute}: {value}");
        }
        let twice = [("msDS-User-Account-Control-Computed", "8388608"), ("pwdLastSet", "0")];
        assert_eq!(barred(&twice, NOW).unwrap().refusal, DirectoryRefusal::MustChange);
        let both = [("passwordExpirationTime", "20261123191400Z"), ("pwdReset", "TRUE")];
        assert_eq!(
            barred(&both, NOW),
            Some(Barred { refusal: DirectoryRefusal::MustChange, unless_proven_since: None })
        );
    }
}

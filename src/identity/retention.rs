//! How long mail that people leave on the server stays: the same for everybody, or as each person's entry says.

use std::fmt;
use std::time::Duration;

use crate::directory::Entry;
use crate::maildir::Expiry;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Characters of a value that are quoted.
const MOST_QUOTED: usize = 40;

/// When mail that people leave on the server is removed; by default, never.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RetentionPolicy {
    /// The time from when it arrived and was retrieved, for people whose entry says nothing; none for never.
    pub after: Option<Duration>,
    /// Mail that was not retrieved is removed as well, the same time after it arrived.
    pub also_unretrieved: bool,
    /// What entries may say about their people.
    pub by_person: Option<RetentionAttribute>,
}

/// Where entries say how long a person's mail stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetentionAttribute {
    /// The attribute: a number of days, or `never`.
    pub attribute: String,
    /// The shortest time; it replaces a shorter one in an entry. At least a day.
    pub at_least: Duration,
}

/// How long one person's mail stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retention {
    /// When it is removed; none for never.
    pub expiry: Option<Expiry>,
    /// Where that comes from.
    pub source: RetentionSource,
}

/// Where a retention comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RetentionSource {
    /// Nobody's mail expires.
    Off,
    /// The setting for people whose entry says nothing.
    Setting,
    /// The person's entry.
    Entry,
    /// The shortest time, since the entry has a shorter one.
    AtLeast,
    /// The entry has a value that cannot be understood: then nothing is removed. Why.
    Unclear(Box<str>),
}

/// What an entry states.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stated {
    Days(u32),
    Never,
}

/// Why it is unclear what an entry states.
enum UnclearValue {
    /// It has several values, which differ.
    Differ,
    /// It is neither a number of days nor `never`; its beginning.
    NotDays(String),
}

impl RetentionPolicy {
    /// Whether anybody's mail may expire.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.after.is_some() || self.by_person.is_some()
    }

    /// "If the expiration policy differs per user (that is, the EXPIRE argument might change after authentication), the
    /// server MUST announce in AUTHORIZATION state the smallest value which could be set for any user." (RFC 2449 §6.7)
    #[must_use]
    pub fn shortest(&self) -> Option<Expiry> {
        let at_least = self.by_person.iter().map(|by_person| by_person.at_least);
        self.after.into_iter().chain(at_least).min().map(|after| self.expiry(after))
    }

    /// How long the mail of the person with this entry stays.
    pub(super) fn retention(&self, entry: &Entry) -> Retention {
        let Some(by_person) = &self.by_person else {
            let source = if self.after.is_some() { RetentionSource::Setting } else { RetentionSource::Off };
            return self.of(self.after, source);
        };
        match stated(entry.octets(&by_person.attribute)) {
            Ok(None) => self.of(self.after, RetentionSource::Setting),
            Ok(Some(Stated::Never)) => self.of(None, RetentionSource::Entry),
            Ok(Some(Stated::Days(days))) => match DAY * days {
                after if after < by_person.at_least => self.of(Some(by_person.at_least), RetentionSource::AtLeast),
                after => self.of(Some(after), RetentionSource::Entry),
            },
            Err(why) => self.of(None, RetentionSource::Unclear(format!("{} {why}", by_person.attribute).into())),
        }
    }

    fn of(&self, after: Option<Duration>, source: RetentionSource) -> Retention {
        Retention { expiry: after.map(|after| self.expiry(after)), source }
    }

    fn expiry(&self, after: Duration) -> Expiry {
        let (also_unretrieved, differs) = (self.also_unretrieved, self.by_person.is_some());
        Expiry { after, also_unretrieved, differs }
    }
}

impl Retention {
    /// Whether nobody's mail expires.
    pub(crate) fn is_off(&self) -> bool {
        self.source == RetentionSource::Off
    }
}

/// What all values say together. They have no order, so values that differ are unclear.
fn stated<'v>(values: impl Iterator<Item = &'v [u8]>) -> Result<Option<Stated>, UnclearValue> {
    let mut all = None;
    for value in values {
        let one = of_value(value)?;
        if all.is_some_and(|before| before != one) {
            return Err(UnclearValue::Differ);
        }
        all = Some(one);
    }
    Ok(all)
}

/// Zero may be meant for "at once" or for "never", so it is neither.
fn of_value(value: &[u8]) -> Result<Stated, UnclearValue> {
    let text = std::str::from_utf8(value).unwrap_or_default().trim();
    if text.eq_ignore_ascii_case("never") {
        return Ok(Stated::Never);
    }
    let is_number = text.bytes().all(|octet| octet.is_ascii_digit());
    let days = text.parse().ok().filter(|days| is_number && *days > 0);
    let quoted = || String::from_utf8_lossy(value).chars().take(MOST_QUOTED).collect();
    days.map(Stated::Days).ok_or_else(|| UnclearValue::NotDays(quoted()))
}

impl fmt::Display for UnclearValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Differ => f.write_str("has several values, which differ"),
            Self::NotDays(quoted) => write!(f, "is {quoted:?}, neither a number of days nor `never`"),
        }
    }
}

impl fmt::Display for Retention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.expiry {
            Some(Expiry { after, also_unretrieved, .. }) => {
                let hours = after.as_secs() / (60 * 60);
                let from = if also_unretrieved { "it arrived" } else { "it was retrieved" };
                match hours % 24 {
                    0 => write!(f, "{}d after {from}, ", hours / 24)?,
                    _ => write!(f, "{hours}h after {from}, ")?,
                }
            }
            None => f.write_str("never, ")?,
        }
        match &self.source {
            RetentionSource::Off | RetentionSource::Setting => f.write_str("by expire.after"),
            RetentionSource::Entry => f.write_str("by the entry"),
            RetentionSource::AtLeast => f.write_str("by expire.at_least, since the entry says less"),
            RetentionSource::Unclear(why) => write!(f, "since {why}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(values: &[&str]) -> String {
        match stated(values.iter().map(|value| value.as_bytes())) {
            Ok(None) => "nothing".to_owned(),
            Ok(Some(Stated::Never)) => "never".to_owned(),
            Ok(Some(Stated::Days(days))) => days.to_string(),
            Err(why) => why.to_string(),
        }
    }

    #[test]
    fn a_value_is_a_number_of_days_or_never() {
        for (values, expected) in [
            (&[][..], "nothing"),
            (&["30"], "30"),
            (&[" 030 "], "30"),
            (&["4294967295"], "4294967295"),
            (&["Never"], "never"),
            (&["30", "030"], "30"),
            (&["NEVER", "never"], "never"),
        ] {
            assert_eq!(words(values), expected, "{values:?}");
        }
    }

    #[test]
    fn what_cannot_be_understood_says_nothing() {
        for value in ["", " ", "0", "-1", "+1", "1.5", "30d", "soon", "4294967296", "\0", "٣"] {
            assert!(words(&[value]).contains("neither a number of days nor `never`"), "{value:?}");
            assert!(words(&["30", value]).contains("neither"), "{value:?}");
        }
        assert!(words(&["x".repeat(1 << 20).as_str()]).len() < 200);
        assert!(stated([&b"30\xff"[..]].into_iter()).is_err(), "no text");
        for values in [&["30", "31"], &["never", "30"]] {
            assert_eq!(words(values), "has several values, which differ");
        }
    }
}

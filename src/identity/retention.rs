//! How long mail stays that people leave on the server: for everybody alike, or as each one's entry says.

use std::fmt;
use std::time::Duration;

use crate::directory::Entry;
use crate::maildir::Expiry;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Characters of a value that are told.
const TOLD: usize = 40;

/// When mail that people leave on the server is removed; by default, never.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RetentionPolicy {
    /// So long after it arrived and was retrieved, for those whose entry says nothing; none for never.
    pub after: Option<Duration>,
    /// Mail that was not yet retrieved is removed as well, so long after it arrived.
    pub also_unretrieved: bool,
    /// What entries may say of their people.
    pub by_person: Option<RetentionAttribute>,
}

/// Where entries say how long a person's mail stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetentionAttribute {
    /// The attribute: a number of days, or `never`.
    pub attribute: String,
    /// The shortest time; an entry that says less means this. A day at least.
    pub at_least: Duration,
}

/// How long one person's mail stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retention {
    /// When it is removed; none for never.
    pub expiry: Option<Expiry>,
    /// What says so.
    pub source: RetentionSource,
}

/// What says how long mail stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RetentionSource {
    /// Nobody's mail ages.
    Off,
    /// The setting for those whose entry says nothing.
    Setting,
    /// The person's entry.
    Entry,
    /// The shortest time, since the entry says less.
    AtLeast,
    /// The entry, but not in a way that can be understood: then nothing is removed. Why.
    Unclear(Box<str>),
}

/// What an entry says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Said {
    Days(u32),
    Never,
}

impl RetentionPolicy {
    /// Whether anybody's mail may age.
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

    /// How long the mail of the person stays whose entry this is.
    pub(super) fn retention(&self, entry: &Entry) -> Retention {
        let Some(by_person) = &self.by_person else {
            let source = if self.after.is_some() { RetentionSource::Setting } else { RetentionSource::Off };
            return self.of(self.after, source);
        };
        match said(entry.octets(&by_person.attribute)) {
            Ok(None) => self.of(self.after, RetentionSource::Setting),
            Ok(Some(Said::Never)) => self.of(None, RetentionSource::Entry),
            Ok(Some(Said::Days(days))) => match DAY * days {
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

/// What all values say together. They have no order: those that differ say nothing.
fn said<'v>(values: impl Iterator<Item = &'v [u8]>) -> Result<Option<Said>, String> {
    let mut all = None;
    for value in values {
        let one = of_value(value)?;
        if all.is_some_and(|before| before != one) {
            return Err("has several values, which differ".to_owned());
        }
        all = Some(one);
    }
    Ok(all)
}

/// Zero may be meant for "at once" or for "never", so it is neither.
fn of_value(value: &[u8]) -> Result<Said, String> {
    let text = std::str::from_utf8(value).unwrap_or_default().trim();
    if text.eq_ignore_ascii_case("never") {
        return Ok(Said::Never);
    }
    let is_number = text.bytes().all(|octet| octet.is_ascii_digit());
    let days = text.parse().ok().filter(|days| is_number && *days > 0);
    let told: String = String::from_utf8_lossy(value).chars().take(TOLD).collect();
    days.map(Said::Days).ok_or_else(|| format!("is {told:?}, neither a number of days nor `never`"))
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
        match said(values.iter().map(|value| value.as_bytes())) {
            Ok(None) => "nothing".to_owned(),
            Ok(Some(Said::Never)) => "never".to_owned(),
            Ok(Some(Said::Days(days))) => days.to_string(),
            Err(why) => why,
        }
    }

    #[test]
    fn a_value_is_a_number_of_days_or_never() {
        for (values, told) in [
            (&[][..], "nothing"),
            (&["30"], "30"),
            (&[" 030 "], "30"),
            (&["4294967295"], "4294967295"),
            (&["Never"], "never"),
            (&["30", "030"], "30"),
            (&["NEVER", "never"], "never"),
        ] {
            assert_eq!(words(values), told, "{values:?}");
        }
    }

    #[test]
    fn what_cannot_be_understood_says_nothing() {
        for value in ["", " ", "0", "-1", "+1", "1.5", "30d", "soon", "4294967296", "\0", "٣"] {
            assert!(words(&[value]).contains("neither a number of days nor `never`"), "{value:?}");
            assert!(words(&["30", value]).contains("neither"), "{value:?}");
        }
        assert!(words(&["x".repeat(1 << 20).as_str()]).len() < 200);
        assert!(said([&b"30\xff"[..]].into_iter()).is_err(), "no text");
        for values in [&["30", "31"], &["never", "30"]] {
            assert_eq!(words(values), "has several values, which differ");
        }
    }
}

//! Courier's `courierpop3dsizelist`: which message has which number in its POP3 server.
//!
//! Courier writes version 3 (1.0.3 and later) or 2. Older ones are read as well, though today's Courier discards them.
//! The list belongs to Courier: it is only read.

use std::borrow::Cow;
use std::collections::HashMap;

use super::UnreadLines;
use super::text::{decimal, last_word, lines, word};
use crate::maildir::files::file_name;

/// A list; each base name with the last of its records.
#[derive(Debug)]
pub(super) struct Sizelist<'a> {
    records: HashMap<&'a [u8], SizelistRecord>,
    /// The first line that could not be read, and how many there are.
    pub(super) unread: UnreadLines,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SizelistRecord {
    /// 0 in version 0.
    number: u64,
    /// 0 before version 2.
    validity: u64,
}

impl<'a> Sizelist<'a> {
    /// Reads a list.
    ///
    /// # Errors
    /// It is empty, its first line has an unknown version, or it has no first line: its writing was interrupted.
    pub(super) fn parse(octets: &'a [u8]) -> Result<Self, &'static str> {
        if octets.is_empty() {
            return Err("is empty");
        }
        let first = lines(octets).next().map_or(&b""[..], |(_, line)| line);
        let version: u8 = match first.strip_prefix(b"/") {
            None => 0,
            Some(rest) => decimal(word(rest).0)
                .filter(|version| (1..=3).contains(version))
                .ok_or("is of a version that Courier did not write until now")?,
        };
        let mut list = Self { records: HashMap::new(), unread: UnreadLines::default() };
        for (number, line) in lines(octets).skip(usize::from(version > 0)) {
            match record(line, version) {
                Some((base, record)) => drop(list.records.insert(base, record)),
                None => list.unread.note(number),
            }
        }
        // The oldest version has no first line of its own, and it differs from a fragment only in that it can be parsed.
        if version == 0 && list.unread.count > 0 {
            return Err("has no first line that Courier writes");
        }
        Ok(list)
    }

    pub(super) fn get(&self, base: &[u8]) -> Option<&SizelistRecord> {
        self.records.get(base)
    }

    /// The base names listed.
    pub(super) fn bases(&self) -> impl Iterator<Item = &'a [u8]> + '_ {
        self.records.keys().copied()
    }
}

impl SizelistRecord {
    /// The unique-id that Courier makes from a record.
    pub(super) fn unique_id<'a>(&self, base: &'a [u8]) -> Cow<'a, [u8]> {
        match self {
            Self { number: 0, .. } => escaped(base),
            Self { number, validity: 0 } => Cow::Owned(format!("UID{number}").into_bytes()),
            Self { number, validity } => Cow::Owned(format!("UID{number}-{validity}").into_bytes()),
        }
    }
}

/// `1700000000.M1P2.mx1,S=2034:2,S 2088 12:1690000000:0`, parsed from the right, since a name may contain blanks.
fn record(line: &[u8], version: u8) -> Option<(&[u8], SizelistRecord)> {
    let (line, numbers) = if version == 0 { (line, &b""[..]) } else { last_word(line)? };
    let (file, octets) = last_word(line)?;
    decimal::<u64>(octets)?;
    let base = file_name::base(file);
    if base.is_empty() || base.contains(&b'/') {
        return None;
    }
    let mut parts = numbers.split(|octet| *octet == b':');
    let (number, validity) = (parts.next().unwrap_or_default(), parts.next());
    let record = SizelistRecord {
        number: if version == 0 { 0 } else { decimal(number)? },
        validity: validity.map_or(Some(0), decimal)?,
    };
    Some((base, record))
}

/// The base name with unprintable octets, `'`, `"` and `+` written as `+` and two hexadecimal digits.
fn escaped(base: &[u8]) -> Cow<'_, [u8]> {
    let is_plain = |octet: &u8| (0x21..=0x7e).contains(octet) && !matches!(octet, b'\'' | b'"' | b'+');
    if base.iter().all(is_plain) {
        return Cow::Borrowed(base);
    }
    let mut text = Vec::with_capacity(base.len() + 8);
    for octet in base {
        if is_plain(octet) {
            text.push(*octet);
        } else {
            text.extend_from_slice(format!("+{octet:02X}").as_bytes());
        }
    }
    Cow::Owned(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(list: &str, base: &str) -> Option<String> {
        let list = Sizelist::parse(list.as_bytes()).unwrap();
        let record = *list.get(base.as_bytes())?;
        Some(String::from_utf8(record.unique_id(base.as_bytes()).into_owned()).unwrap())
    }

    #[test]
    fn a_record_gives_the_string_that_courier_told() {
        for (list, base, string) in [
            ("/3 15 1690000000\nB:2,S 100 12:1690000000:0\n", "B", "UID12-1690000000"),
            ("/2 15 1690000000\nB 100 12:1690000000\n", "B", "UID12-1690000000"),
            ("/2 15\nB 100 12:1690000000\nB:2, 100 14:1690000000\n", "B", "UID14-1690000000"),
            ("/1 15\nB 100 12\n", "B", "UID12"),
            ("a+b 100\n", "a+b", "a+2Bb"),
            ("a b 100\nB 9\n", "a b", "a+20b"),
            ("/3 15 1\na b:2,S 100 12:1:1\n", "a b", "UID12-1"),
            ("/3 15 1\nB 100 0:0:0\n", "B", "B"),
        ] {
            assert_eq!(told(list, base).as_deref(), Some(string), "{list}");
        }
    }

    #[test]
    fn a_line_that_cannot_be_read_costs_itself() {
        for record in ["B", "B 100", "B x 12:1:0", "B 100 x:1:0", "B 100 12:x:0", " 100 12:1:0", "B/C 100 12:1:0"] {
            let text = format!("/3 15 1\n{record}\nD 100 13:1:0\n");
            let list = Sizelist::parse(text.as_bytes()).unwrap();
            assert_eq!((list.get(b"B"), list.unread.first), (None, Some(2)), "{record}");
            assert!(list.get(b"D").is_some(), "{record}");
        }
        assert_eq!(told("/3 15 1\nB 100 12:1:0", "B"), None);
        assert!(Sizelist::parse(b"/4 15 1\n").is_err());
        assert!(Sizelist::parse(b"/x\n").is_err());
        for stump in ["", "B 100 12:1:0\nD 100 13:1:0\n", "B 100\nC\n"] {
            assert!(Sizelist::parse(stump.as_bytes()).is_err(), "{stump:?}");
        }
    }
}

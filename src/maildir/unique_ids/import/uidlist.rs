//! Dovecot's `dovecot-uidlist`: which message has which IMAP uid, and its POP3 unique-id if one was saved.
//!
//! Version 3 is that of Dovecot 1.1 and later, version 1 that of 0.99 and 1.0. The list belongs to Dovecot: it is only
//! read. Dovecot discards a damaged one; here every line that can be parsed is used.

use std::collections::HashMap;

use super::UnreadLines;
use super::format::{FormatValues, UidlFormat};
use super::text::{decimal, lines, word};
use crate::maildir::files::file_name;

/// A list; each base name with the last of its records.
#[derive(Debug)]
pub(super) struct Uidlist<'a> {
    validity: u32,
    records: HashMap<&'a [u8], UidlistRecord<'a>>,
    /// The first line that could not be read, and how many there are.
    pub(super) unread: UnreadLines,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct UidlistRecord<'a> {
    uid: u32,
    order: Option<u32>,
    saved: Option<SavedUid<'a>>,
    guid: Option<&'a [u8]>,
}

/// The contents of the field `P`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SavedUid<'a> {
    BaseName,
    Text(&'a [u8]),
}

/// The contents of the first line.
struct UidlistHead {
    validity: u32,
    /// The uid that would be given next; no record of version 1 has it or a greater one.
    next: u32,
}

impl<'a> Uidlist<'a> {
    /// Reads a list.
    ///
    /// # Errors
    /// The first line is not one that Dovecot writes.
    pub(super) fn parse(octets: &'a [u8]) -> Result<Self, &'static str> {
        let mut lines = lines(octets);
        let Some((_, first)) = lines.next() else { return Err("is empty") };
        let (version, rest) = word(first);
        let head = match version {
            b"3" => head(rest),
            b"1" => old_head(rest),
            _ => return Err("is of a version that Dovecot does not write any more"),
        };
        let head = head.ok_or("has no uid validity or no next uid in its first line")?;
        let mut list = Self { validity: head.validity, records: HashMap::new(), unread: UnreadLines::default() };
        let mut highest = 0;
        for (number, line) in lines {
            let read = if version == b"3" { record(line) } else { old_record(line, &head) };
            match read.filter(|(record, _)| record.uid > highest) {
                Some((record, base)) => {
                    highest = record.uid;
                    list.records.insert(base, record);
                }
                None => list.unread.note(number),
            }
        }
        Ok(list)
    }

    pub(super) fn get(&self, base: &[u8]) -> Option<&UidlistRecord<'a>> {
        self.records.get(base)
    }

    /// The base names listed.
    pub(super) fn bases(&self) -> impl Iterator<Item = &'a [u8]> + '_ {
        self.records.keys().copied()
    }

    /// Whether POP3 wrote unique-ids into the list.
    pub(super) fn has_saved(&self) -> bool {
        self.records.values().any(|record| record.saved.is_some())
    }

    /// The unique-id that the format makes from a record.
    pub(super) fn formatted(&self, record: &UidlistRecord<'_>, base: &[u8], format: &UidlFormat) -> Vec<u8> {
        format.expand(&FormatValues { uid: record.uid, validity: self.validity, base, guid: record.guid })
    }
}

impl<'a> UidlistRecord<'a> {
    /// The unique-id that is stored in the list itself.
    pub(super) fn saved(&self, base: &'a [u8]) -> Option<&'a [u8]> {
        self.saved.map(|saved| match saved {
            SavedUid::BaseName => base,
            SavedUid::Text(text) => text,
        })
    }

    /// Dovecot's order: messages with an order of their own first; the others, and those with the same order, by uid.
    pub(super) fn rank(&self) -> u64 {
        u64::from(self.order.unwrap_or(u32::MAX)) << 32 | u64::from(self.uid)
    }
}

/// ` V1700000000 N45 G8a1f…`: fields in any order.
fn head(mut rest: &[u8]) -> Option<UidlistHead> {
    let (mut validity, mut next) = (None, None);
    while !rest.is_empty() {
        let (field, behind) = word(rest);
        match field.split_first() {
            Some((b'V', digits)) => validity = decimal(digits),
            Some((b'N', digits)) => next = decimal(digits),
            _ => {}
        }
        rest = behind;
    }
    let head = UidlistHead { validity: validity?, next: next? };
    (head.validity != 0 && head.next != 0).then_some(head)
}

/// ` <uid validity> <next uid>`
fn old_head(rest: &[u8]) -> Option<UidlistHead> {
    let (validity, rest) = word(rest);
    let (next, _) = word(rest);
    let head = UidlistHead { validity: decimal(validity)?, next: decimal(next)? };
    (head.validity != 0 && head.next != 0).then_some(head)
}

/// `7 O1 PUID12-1690000000 W5120 :1700000300.M9P2.mx1`. A value may hold a `:`; the name begins with the first one that
/// is in the place of a field.
fn record(line: &[u8]) -> Option<(UidlistRecord<'_>, &[u8])> {
    let (uid, mut rest) = uid(line)?;
    let mut record = UidlistRecord { uid, order: None, saved: None, guid: None };
    while rest.first().is_some_and(|octet| *octet != b':') {
        let (field, behind) = word(rest);
        match field.split_first() {
            Some((b'P', [])) => record.saved = Some(SavedUid::BaseName),
            Some((b'P', text)) => record.saved = Some(SavedUid::Text(text)),
            Some((b'O', digits)) => record.order = decimal(digits),
            Some((b'G', text)) if !text.is_empty() => record.guid = Some(text),
            _ => {}
        }
        rest = behind;
    }
    base_name(rest.strip_prefix(b":")?).map(|base| (record, base))
}

/// `7 1700000300.M9P2.mx1:2,S`
fn old_record<'a>(line: &'a [u8], head: &UidlistHead) -> Option<(UidlistRecord<'a>, &'a [u8])> {
    let (uid, rest) = uid(line)?;
    let record = UidlistRecord { uid, order: None, saved: None, guid: None };
    (uid < head.next).then_some(())?;
    base_name(rest).map(|base| (record, base))
}

fn uid(line: &[u8]) -> Option<(u32, &[u8])> {
    let (digits, rest) = word(line);
    let uid = decimal(digits).filter(|uid| (1..u32::MAX).contains(uid))?;
    (digits.len() < line.len()).then_some((uid, rest))
}

fn base_name(name: &[u8]) -> Option<&[u8]> {
    let base = file_name::base(name);
    (!base.is_empty() && !base.contains(&b'/')).then_some(base)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "3 V1700000000 N45 G8a1f3c0e5d2b4a6f9c7e1d3b5f7a9c0d\n";

    /// The unique-id of a message `B` under the default format, as Dovecot would show it.
    fn told(list: &str) -> Option<String> {
        let list = Uidlist::parse(list.as_bytes()).unwrap();
        let record = list.get(b"B")?;
        let saved = record.saved(b"B").map(<[u8]>::to_vec);
        let string = saved.unwrap_or_else(|| list.formatted(record, b"B", &UidlFormat::default()));
        Some(String::from_utf8(string).unwrap())
    }

    #[test]
    fn a_record_gives_the_string_that_dovecot_told() {
        for (records, string) in [
            ("5 :B\n", "000000056553f100"),
            ("5 P :B\n", "B"),
            ("5 PUID12-1690000000 :B\n", "UID12-1690000000"),
            ("5 Pa:b W10 :B\n", "a:b"),
            ("5 :B:2,S\n", "000000056553f100"),
            ("5 :B\n9 :B\n", "000000096553f100"),
            ("5   O1  ?x S812 :B\r\n", "000000056553f100"),
            ("5 :A\n6 :B\n", "000000066553f100"),
        ] {
            assert_eq!(told(&format!("{HEAD}{records}")).as_deref(), Some(string), "{records}");
        }
        assert_eq!(told("1 1700000000 45\n5 B:2,S\n").as_deref(), Some("000000056553f100"));
    }

    #[test]
    fn a_line_that_cannot_be_read_costs_itself() {
        for (records, line) in [
            ("7 :C\n6 :B\n", 3),
            ("0 :B\n", 2),
            ("4294967295 :B\n", 2),
            ("5:B\n", 2),
            ("x :B\n", 2),
            ("5 PUID3\n", 2),
            ("5 :\n", 2),
            ("5 :B/C\n", 2),
        ] {
            let text = format!("{HEAD}{records}9 :D\n");
            let list = Uidlist::parse(text.as_bytes()).unwrap();
            assert_eq!((list.get(b"B"), list.unread.first), (None, Some(line)), "{records}");
            assert!(list.get(b"D").is_some(), "{records}");
        }
        // One that is still being written is no fault.
        let text = format!("{HEAD}5 :C\n6 :B");
        let list = Uidlist::parse(text.as_bytes()).unwrap();
        assert_eq!((list.get(b"B"), list.unread.first), (None, None));
        // Version 1 gives no uid that it has not given yet.
        assert_eq!(told("1 1700000000 5\n5 B\n"), None);
    }

    #[test]
    fn a_list_without_its_head_is_refused() {
        for list in ["", "3 V1 N2", "2 V1 N2\n", "3 N2\n", "3 V0 N2\n", "3 V1\n", "3 V1 N0\n", "1 1\n", "x\n", "\n"] {
            assert!(Uidlist::parse(list.as_bytes()).is_err(), "{list:?}");
        }
    }

    #[test]
    fn those_with_an_order_come_first() {
        let text = format!("{HEAD}1 :a\n2 O7 :b\n3 O5 :c\n4 :d\n5 O5 :e\n");
        let list = Uidlist::parse(text.as_bytes()).unwrap();
        let mut bases: Vec<&[u8]> = list.bases().collect();
        bases.sort_by_key(|base| list.get(base).unwrap().rank());
        assert_eq!(bases.concat(), b"cebad");
    }
}

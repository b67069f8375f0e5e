//! A list that an administrator writes, for servers whose own lists cannot be read here: Cyrus, Exchange, James, Zimbra.
//!
//! A line for each message: the base name of its file, a blank, and its unique-id. Lines that begin with `#`, and empty
//! ones, are ignored. The order of the lines is the order of the messages.

use std::collections::HashMap;

use super::UnreadLines;
use super::text::{last_word, lines};
use crate::maildir::files::file_name;

/// A list; each base name with the last of its lines.
#[derive(Debug)]
pub(super) struct ImportFile<'a> {
    records: HashMap<&'a [u8], ImportRecord<'a>>,
    /// The first line that could not be read, and how many there are.
    pub(super) unread: UnreadLines,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ImportRecord<'a> {
    pub(super) unique_id: &'a [u8],
    pub(super) line: u64,
}

impl<'a> ImportFile<'a> {
    /// Reads a list.
    ///
    /// # Errors
    /// It is empty, or no line can be parsed: its writing was interrupted, or it is something else.
    pub(super) fn parse(octets: &'a [u8]) -> Result<Self, &'static str> {
        if octets.is_empty() {
            return Err("is empty");
        }
        let mut list = Self { records: HashMap::new(), unread: UnreadLines::default() };
        for (number, line) in lines(octets).filter(|(_, line)| !line.is_empty() && !line.starts_with(b"#")) {
            let record = last_word(line).map(|(file, unique_id)| (file_name::base(file), unique_id));
            match record.filter(|(base, unique_id)| !base.is_empty() && !unique_id.is_empty()) {
                Some((base, unique_id)) => {
                    list.records.insert(base, ImportRecord { unique_id, line: number as u64 });
                }
                None => list.unread.note(number),
            }
        }
        if list.records.is_empty() && list.unread.count > 0 {
            return Err("has no line that can be read");
        }
        Ok(list)
    }

    pub(super) fn get(&self, base: &[u8]) -> Option<&ImportRecord<'a>> {
        self.records.get(base)
    }

    /// The base names listed.
    pub(super) fn bases(&self) -> impl Iterator<Item = &'a [u8]> + '_ {
        self.records.keys().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_base_name_and_its_unique_id() {
        let text = b"# from Cyrus\n\n1.a 1690000000.12\n2.b c:2,S 13\n1.a 1690000000.14\nnothing\n3.d 15";
        let list = ImportFile::parse(text).unwrap();
        let unique_id = |base: &[u8]| list.get(base).map(|record| record.unique_id);
        assert_eq!(unique_id(b"1.a"), Some(&b"1690000000.14"[..]));
        assert_eq!(unique_id(b"2.b c"), Some(&b"13"[..]));
        assert_eq!(unique_id(b"3.d"), None);
        assert_eq!((list.unread.first, list.bases().count()), (Some(6), 2));
    }

    #[test]
    fn a_list_that_says_nothing_is_refused() {
        for list in ["", "nothing\n", "1.a"] {
            assert_eq!(ImportFile::parse(list.as_bytes()).is_err(), list != "1.a", "{list:?}");
        }
        assert!(ImportFile::parse(b"# no messages\n").is_ok());
    }
}

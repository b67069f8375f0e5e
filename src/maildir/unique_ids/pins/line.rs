//! A line of the file: its checksum, its kind, and its content.
//!
//! ```text
//! 5d41402a told UID12-1690000000 name - 1700000000.M1P2.mx1,S=2034
//! 9b74c989 retrieved 1764057600 ajones 1700000000.M1P2.mx1,S=2034
//! 0a2e51f3 term 30 ajones
//! ```
//!
//! The checksum is the first eight hexadecimal digits of the SHA-256 of the rest of the line. A line of an unknown kind
//! whose checksum is right comes from a later version, and is kept.

use std::fmt::Write as _;

use aws_lc_rs::digest::{SHA256, digest};

use super::{Day, Pin, Retrieval};
use crate::maildir::unique_ids::Rank;
use crate::pop3::UniqueId;

/// Octets of the checksum: eight hexadecimal digits.
const CHECKED: usize = 4;

/// The content of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::maildir) enum PinLine {
    /// A client has seen a unique-id.
    Pin(Box<[u8]>, Pin),
    /// A person retrieved the message.
    Retrieved(Box<[u8]>, Retrieval),
    /// The mail of a person who uses this maildrop stays this many days, or for ever.
    Term(Box<str>, Option<u64>),
    /// Something that a later version understands.
    Unknown(Box<[u8]>),
}

impl PinLine {
    /// Reads a line without its LF; none if it is damaged.
    pub(super) fn parse(line: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(line).ok()?;
        let (sum, text) = text.split_once(' ')?;
        if sum != checksum(text) {
            return None;
        }
        let mut words = text.split(' ');
        match words.next()? {
            "told" => pin(&mut words),
            "retrieved" => retrieved(&mut words),
            "term" => term(&mut words),
            _ => Some(Self::Unknown(text.as_bytes().into())),
        }
    }

    /// Writes it, with its LF.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let text = match self {
            Self::Pin(key, Pin { unique_id, rank, gone }) => {
                let (unique_id, rank, gone) = (unique_id.as_str(), or_dash(*rank), or_dash(*gone));
                format!("told {unique_id} {rank} {gone} {}", escaped(key))
            }
            Self::Retrieved(key, Retrieval { by, at }) => {
                format!("retrieved {at} {} {}", escaped(by.as_bytes()), escaped(key))
            }
            Self::Term(by, days) => format!("term {} {}", or_dash(*days), escaped(by.as_bytes())),
            Self::Unknown(text) => String::from_utf8_lossy(text).into_owned(),
        };
        out.extend_from_slice(format!("{} {text}\n", checksum(&text)).as_bytes());
    }
}

fn pin<'a>(words: &mut impl Iterator<Item = &'a str>) -> Option<PinLine> {
    let unique_id = UniqueId::imported(words.next()?)?;
    let rank = match words.next()? {
        "-" => None,
        word => Some(Rank::parse(word)?),
    };
    let gone = match words.next()? {
        "-" => None,
        day => Some(day.parse::<Day>().ok()?),
    };
    Some(PinLine::Pin(plain(words.next()?)?, Pin { unique_id, rank, gone }))
}

fn retrieved<'a>(words: &mut impl Iterator<Item = &'a str>) -> Option<PinLine> {
    let at = words.next()?.parse().ok()?;
    let by = String::from_utf8(plain(words.next()?)?.into_vec()).ok()?.into();
    Some(PinLine::Retrieved(plain(words.next()?)?, Retrieval { by, at }))
}

fn term<'a>(words: &mut impl Iterator<Item = &'a str>) -> Option<PinLine> {
    let days = match words.next()? {
        "-" => None,
        days => Some(days.parse().ok()?),
    };
    Some(PinLine::Term(String::from_utf8(plain(words.next()?)?.into_vec()).ok()?.into(), days))
}

fn or_dash<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

fn checksum(text: &str) -> String {
    let mut sum = String::with_capacity(2 * CHECKED);
    for octet in digest(&SHA256, text.as_bytes()).as_ref().iter().take(CHECKED) {
        // Writing to memory cannot fail.
        let _ = write!(sum, "{octet:02x}");
    }
    sum
}

/// Octets that are not allowed in a word are written as `%` and two hexadecimal digits.
fn escaped(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len());
    for octet in octets {
        if (0x21..=0x7e).contains(octet) && *octet != b'%' {
            text.push(char::from(*octet));
        } else {
            let _ = write!(text, "%{octet:02x}");
        }
    }
    text
}

fn plain(word: &str) -> Option<Box<[u8]>> {
    let mut octets = Vec::with_capacity(word.len());
    let mut rest = word;
    while let Some((before, behind)) = rest.split_once('%') {
        octets.extend_from_slice(before.as_bytes());
        let (digits, behind) = behind.split_at_checked(2)?;
        octets.push(u8::from_str_radix(digits, 16).ok()?);
        rest = behind;
    }
    octets.extend_from_slice(rest.as_bytes());
    Some(octets.into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(line: &PinLine) -> Vec<u8> {
        let mut out = Vec::new();
        line.write(&mut out);
        out
    }

    fn pin() -> PinLine {
        let unique_id = UniqueId::new("UID12-1690000000").unwrap();
        PinLine::Pin(b"1.a,S=2".as_slice().into(), Pin { unique_id, rank: Some(Rank::ByName), gone: Some(20_000) })
    }

    #[test]
    fn what_is_written_is_read() {
        // The form may never change: files are full of it. `printf 'told …' | sha256sum | cut -c 1-8`
        assert_eq!(written(&pin()).escape_ascii().to_string(), "3050c6d3 told UID12-1690000000 name 20000 1.a,S=2\\n");
        let text = "later 1 2".to_owned();
        let later = format!("{} {text}", checksum(&text));
        assert_eq!(PinLine::parse(later.as_bytes()), Some(PinLine::Unknown(text.into_bytes().into())));
    }

    #[test]
    fn any_change_of_an_octet_is_seen() {
        let whole = written(&pin());
        let line = &whole[..whole.len() - 1];
        for at in 0..line.len() {
            for mask in [1, 0x20, 0x80] {
                let mut damaged = line.to_vec();
                damaged[at] ^= mask;
                assert_eq!(PinLine::parse(&damaged), None, "{}", damaged.escape_ascii());
            }
            assert_eq!(PinLine::parse(&line[..at]), None);
        }
    }

    proptest! {
        #[test]
        fn any_name_survives(key: Vec<u8>, by: String, at: u64, rank: Option<u64>) {
            let key: Box<[u8]> = key.into();
            let pin = Pin { unique_id: UniqueId::new("1").unwrap(), rank: rank.map(Rank::Listed), gone: None };
            let lines = [PinLine::Pin(key.clone(), pin), PinLine::Retrieved(key, Retrieval { by: by.into(), at })];
            // An empty word would be none; no file has an empty name, and no person.
            prop_assume!(!lines.iter().any(|line| matches!(line, PinLine::Retrieved(key, by) if key.is_empty() || by.by.is_empty())));
            for line in lines {
                let written = written(&line);
                let (last, text) = written.split_last().unwrap();
                prop_assert_eq!(*last, b'\n');
                prop_assert!(!text.contains(&b'\n'));
                prop_assert_eq!(PinLine::parse(text), Some(line));
            }
        }
    }
}

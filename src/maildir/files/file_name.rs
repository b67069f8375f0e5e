//! What the name of a message's file says: `1700000000.M123P45.mx1,S=2034,W=2088:2,RS`.
//!
//! The base name is before the first `:`, the flags are after it. Where names cannot contain a colon, as on FAT, other
//! programs write `;2,` or `!2,` instead (`InfoDelimiter` of mbsync), so those are read in the same way. A name is
//! octets, not text: it need not be UTF-8.

use std::borrow::Cow;

use memchr::{memchr, memmem};

/// The separator between base name and flags, unless a Maildir has another one.
pub(in crate::maildir) const SEPARATOR: u8 = b':';

/// The name without its flags.
pub(in crate::maildir) fn base(name: &[u8]) -> &[u8] {
    let before_colon = memchr(SEPARATOR, name).and_then(|at| name.get(..at)).unwrap_or(name);
    foreign_info(before_colon).map_or(before_colon, |(base, _)| base)
}

/// The flags after the base name, such as `RS`. None if the name has no `:2,`.
pub(in crate::maildir) fn flags(name: &[u8]) -> Option<&[u8]> {
    match memchr(SEPARATOR, name) {
        Some(at) => name.get(at..)?.strip_prefix(b":2,"),
        None => foreign_info(name)?.1.get(b";2,".len()..),
    }
}

/// The separator between base name and flags; none in a name without flags.
pub(in crate::maildir) fn separator(name: &[u8]) -> Option<u8> {
    name.get(base(name).len()).copied()
}

/// A name with other flags after the same separator, or after this one if it has none yet. None if its flags cannot be
/// parsed. "The flags … are stored in ASCII order" (maildir(5)): that is up to the caller.
pub(in crate::maildir) fn with_flags(name: &[u8], separator: u8, flags: &[u8]) -> Option<Vec<u8>> {
    match self::flags(name) {
        Some(old) => Some([name.strip_suffix(old)?, flags].concat()),
        None if base(name).len() == name.len() => Some([name, &[separator], b"2,", flags].concat()),
        None => None,
    }
}

/// The base name and the rest of a name in which only flags, that is, letters, follow `;2,` or `!2,`.
fn foreign_info(name: &[u8]) -> Option<(&[u8], &[u8])> {
    let letters = name.iter().rev().take_while(|octet| octet.is_ascii_alphabetic()).count();
    let before = name.get(..name.len() - letters)?;
    let base = before.strip_suffix(b";2,").or_else(|| before.strip_suffix(b"!2,"))?;
    name.split_at_checked(base.len())
}

/// The identity of a message: the base name without the `,U=<n>` that mbsync adds.
pub(in crate::maildir) fn identity(base: &[u8]) -> Cow<'_, [u8]> {
    if memmem::find(base, b",U=").is_none() { Cow::Borrowed(base) } else { without(base, b"U") }
}

/// The stem, which stays the same even if the sizes change: the base name without `,U=`, `,S=` and `,W=`.
pub(in crate::maildir) fn stem(base: &[u8]) -> Cow<'_, [u8]> {
    if memchr(b',', base).is_none() { Cow::Borrowed(base) } else { without(base, b"USW") }
}

/// The octets on the wire that the deliverer wrote into the name: `,W=<n>`. `,S=<n>` counts line ends differently.
pub(in crate::maildir) fn octets_in_name(base: &[u8]) -> Option<u64> {
    number_of(base, b"W")
}

/// The octets on disk that the deliverer wrote into the name: `,S=<n>`.
pub(in crate::maildir) fn disk_octets_in_name(base: &[u8]) -> Option<u64> {
    number_of(base, b"S")
}

fn number_of(base: &[u8], letter: &[u8]) -> Option<u64> {
    let digits = base.split(|octet| *octet == b',').skip(1).find_map(|field| digits_of(field, letter))?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// The sizes in a base name, each with its comma: `,S=2034,W=2088`.
pub(super) fn sizes(base: &[u8]) -> Vec<u8> {
    let sizes = base.split(|octet| *octet == b',').skip(1).filter(|field| digits_of(field, b"SW").is_some());
    sizes.flat_map(|field| [b",".as_slice(), field].concat()).collect()
}

/// When a message arrived, by its name: seconds, then microseconds if the name has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::maildir) struct Arrival {
    seconds: u64,
    micros: Option<u64>,
}

impl Arrival {
    /// The leading seconds; 0 without.
    pub(in crate::maildir) fn seconds(self) -> u64 {
        self.seconds
    }

    /// Reads the leading seconds, and the digits after `M` between the first and the second dot.
    pub(in crate::maildir) fn of(base: &[u8]) -> Self {
        let mut dotted = base.split(|octet| *octet == b'.');
        let seconds = dotted.next().and_then(leading_number).unwrap_or(0);
        let unique = dotted.next().unwrap_or_default();
        let micros = memchr(b'M', unique).and_then(|at| unique.get(at + 1..)).and_then(leading_number);
        Self { seconds, micros }
    }
}

fn without<'a>(base: &'a [u8], letters: &[u8]) -> Cow<'a, [u8]> {
    let mut fields = base.split(|octet| *octet == b',');
    let mut kept = fields.next().unwrap_or_default().to_vec();
    for field in fields.filter(|field| digits_of(field, letters).is_none()) {
        kept.push(b',');
        kept.extend_from_slice(field);
    }
    Cow::Owned(kept)
}

/// The digits of a field such as `S=2034`, if its letter is one of `letters`.
fn digits_of<'a>(field: &'a [u8], letters: &[u8]) -> Option<&'a [u8]> {
    let [letter, b'=', digits @ ..] = field else { return None };
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    (is_number && letters.contains(letter)).then_some(digits)
}

fn leading_number(text: &[u8]) -> Option<u64> {
    let digits = text.iter().take_while(|octet| octet.is_ascii_digit());
    let add = |number: u64, digit: &u8| number.saturating_mul(10).saturating_add(u64::from(digit - b'0'));
    text.first()?.is_ascii_digit().then(|| digits.fold(0, add))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_taken_apart() {
        for (name, known_by, left, octets) in [
            ("1.M2P3.mx:2,RS", "1.M2P3.mx", "1.M2P3.mx", None),
            ("1.M2P3.mx,S=10,W=12:2,", "1.M2P3.mx,S=10,W=12", "1.M2P3.mx", Some(12)),
            ("1.M2P3.mx,U=7:2,S", "1.M2P3.mx", "1.M2P3.mx", None),
            ("1.M2P3.mx,W=12,U=7,x", "1.M2P3.mx,W=12,x", "1.M2P3.mx,x", Some(12)),
            ("1.mx,U=,W=1x,S:a:b", "1.mx,U=,W=1x,S", "1.mx,U=,W=1x,S", None),
            ("1.mx,W=99999999999999999999", "1.mx,W=99999999999999999999", "1.mx", None),
            ("1.M2P3.mx,W=12;2,RS", "1.M2P3.mx,W=12", "1.M2P3.mx", Some(12)),
            ("1.M2P3.mx,U=7!2,", "1.M2P3.mx", "1.M2P3.mx", None),
        ] {
            let base = base(name.as_bytes());
            assert_eq!(identity(base), known_by.as_bytes(), "{name}");
            assert_eq!(stem(base), left.as_bytes(), "{name}");
            assert_eq!(octets_in_name(base), octets, "{name}");
        }
    }

    #[test]
    fn flags_stand_behind_a_colon_a_semicolon_or_an_exclamation_mark() {
        for (name, base_name, told, with_s) in [
            ("1.a:2,R", "1.a", Some("R"), Some("1.a:2,S")),
            ("1.a;2,R", "1.a", Some("R"), Some("1.a;2,S")),
            ("1.a!2,", "1.a", Some(""), Some("1.a!2,S")),
            ("1.a", "1.a", None, Some("1.a#2,S")),
            ("1.a:1,x", "1.a", None, None),
            // Renamed by one that writes colons, behind what it took for a part of the base name.
            ("1.a;2,R:2,F", "1.a", Some("F"), Some("1.a;2,R:2,S")),
            // No flags: other octets than letters stand behind it.
            ("1.a;2,mx.example", "1.a;2,mx.example", None, Some("1.a;2,mx.example#2,S")),
            ("1.a;3,S", "1.a;3,S", None, Some("1.a;3,S#2,S")),
        ] {
            assert_eq!(base(name.as_bytes()), base_name.as_bytes(), "{name}");
            assert_eq!(flags(name.as_bytes()), told.map(str::as_bytes), "{name}");
            assert_eq!(with_flags(name.as_bytes(), b'#', b"S"), with_s.map(|name| name.as_bytes().to_vec()), "{name}");
        }
        assert_eq!([&b"1.a"[..], b"1.a;2,", b"1.a:2,S"].map(separator), [None, Some(b';'), Some(b':')]);
    }

    #[test]
    fn arrival_is_seconds_then_micros() {
        let in_order = [
            "hello",
            "9.x",
            "10.1234_1.M7",
            "10.M5P1.mx",
            "10.V801I2cM40.mx",
            "10.M300P1.mx",
            "11.a",
            "99999999999999999999999.a",
        ];
        let arrivals: Vec<Arrival> = in_order.iter().map(|name| Arrival::of(name.as_bytes())).collect();
        assert!(arrivals.windows(2).all(|pair| pair[0] < pair[1]), "{arrivals:?}");
    }
}

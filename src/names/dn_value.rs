//! The values in a distinguished name: text, or octets that are not text.

use std::borrow::Cow;

use super::fold;

/// One value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum DnValue {
    Text(String),
    /// In BER, or not in UTF-8.
    Octets(Vec<u8>),
}

impl DnValue {
    pub(super) fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The text, or `hexstring = SHARP 1*hexpair` (RFC 4514 §3).
    pub(super) fn to_text(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text),
            Self::Octets(octets) => {
                octets.iter().fold("#".to_owned(), |text, octet| text + &format!("{octet:02x}")).into()
            }
        }
    }

    /// Whether both are the same value; in text, case is ignored.
    pub(super) fn matches(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Text(one), Self::Text(other)) => fold(one) == fold(other),
            (one, other) => one == other,
        }
    }
}

/// `attributeValue = string / hexstring` (RFC 4514 §3); none if it is neither, or empty.
pub(super) fn read_value(text: &str) -> Option<DnValue> {
    let value = match text.strip_prefix('#') {
        Some(digits) => ber(octets_of(digits)?),
        None => plain(unescape(text)?),
    };
    (value != DnValue::Text(String::new())).then_some(value)
}

fn plain(octets: Vec<u8>) -> DnValue {
    String::from_utf8(octets).map_or_else(|fault| DnValue::Octets(fault.into_bytes()), DnValue::Text)
}

/// Tags of ASN.1 strings that hold ASCII or UTF-8: `OCTET STRING`, `UTF8String`, `NumericString`, `PrintableString`,
/// `TeletexString`, `IA5String`, `VisibleString`.
const STRINGS: [u8; 7] = [0x04, 0x0c, 0x12, 0x13, 0x14, 0x16, 0x1a];

/// A string in BER is the text that it holds; anything else is its octets.
fn ber(octets: Vec<u8>) -> DnValue {
    let text = content(&octets).and_then(|content| std::str::from_utf8(content).ok()).map(str::to_owned);
    text.map_or(DnValue::Octets(octets), DnValue::Text)
}

/// The content of a string of definite length (X.690 §8.1.3), if no octets follow it.
fn content(octets: &[u8]) -> Option<&[u8]> {
    let (tag, rest) = octets.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, content) = match first {
        0..=0x7f => (usize::from(*first), rest),
        0x81..=0x84 => {
            let (length, content) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (length.iter().fold(0, |length, octet| length << 8 | usize::from(*octet)), content)
        }
        _ => return None,
    };
    (STRINGS.contains(tag) && content.len() == length).then_some(content)
}

/// `1*hexpair`
fn octets_of(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2).map(|pair| match pair {
        [high, low] => hexpair(*high, *low),
        _ => None,
    });
    pairs.collect::<Option<Vec<u8>>>().filter(|octets| !octets.is_empty())
}

fn hexpair(high: u8, low: u8) -> Option<u8> {
    let (high, low) = ((high as char).to_digit(16)?, (low as char).to_digit(16)?);
    u8::try_from(high * 16 + low).ok()
}

/// `pair = ESC ( ESC / special / hexpair )` (RFC 4514 §3).
fn unescape(value: &str) -> Option<Vec<u8>> {
    let mut octets = Vec::with_capacity(value.len());
    let mut rest = value.bytes();
    while let Some(octet) = rest.next() {
        if octet != b'\\' {
            octets.push(octet);
            continue;
        }
        let escaped = rest.next()?;
        octets.push(if escaped.is_ascii_hexdigit() { hexpair(escaped, rest.next()?)? } else { escaped });
    }
    Some(octets)
}

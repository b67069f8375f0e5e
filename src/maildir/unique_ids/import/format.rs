//! Dovecot's `pop3_uidl_format`: how it makes a unique-id from a record of its list.
//!
//! Dovecot 2.3 writes `%08Xu%08Xv`, Dovecot 2.4 `%{uid | hex(8)}%{uidvalidity | hex(8)}`; both are accepted, and mean
//! the same. Hexadecimal digits are lower-case.

use std::fmt;

/// A parsed format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UidlFormat {
    parts: Vec<FormatPart>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum FormatPart {
    Text(String),
    FormatVariable(FormatVariable, Vec<FormatFilter>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FormatVariable {
    Uid,
    UidValidity,
    FileName,
    Guid,
}

/// A change of a value; they are applied in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FormatFilter {
    /// A number in hexadecimal digits.
    Hex,
    /// At least this many characters, with leading zeros.
    Pad(usize),
    /// At most this many characters.
    Cut(usize),
    /// MD5, in 32 hexadecimal digits.
    Md5,
    Lower,
    Upper,
}

/// What is wrong with a format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormatFault(String);

/// The values of a message that a format can use.
pub(super) struct FormatValues<'a> {
    pub(super) uid: u32,
    pub(super) validity: u32,
    pub(super) base: &'a [u8],
    /// None: the base name.
    pub(super) guid: Option<&'a [u8]>,
}

/// No value is made longer than this by a format.
const WIDEST: usize = 70;

impl Default for UidlFormat {
    /// `%08Xu%08Xv`, Dovecot's own default since 1.0.
    fn default() -> Self {
        let hex = |variable| FormatPart::FormatVariable(variable, vec![FormatFilter::Hex, FormatFilter::Pad(8)]);
        Self { parts: vec![hex(FormatVariable::Uid), hex(FormatVariable::UidValidity)] }
    }
}

impl UidlFormat {
    /// Reads a format in either spelling.
    ///
    /// # Errors
    /// It contains no variable, or one that a Maildir does not have.
    pub fn parse(text: &str) -> Result<Self, FormatFault> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((plain, behind)) = rest.split_once('%') {
            if !plain.is_empty() {
                parts.push(FormatPart::Text(plain.to_owned()));
            }
            let (part, behind) = match (behind.strip_prefix('%'), behind.strip_prefix('{')) {
                (Some(behind), _) => (FormatPart::Text("%".to_owned()), behind),
                (_, Some(inside)) => long(inside)?,
                _ => short(behind)?,
            };
            parts.push(part);
            rest = behind;
        }
        if !rest.is_empty() {
            parts.push(FormatPart::Text(rest.to_owned()));
        }
        if !parts.iter().any(|part| matches!(part, FormatPart::FormatVariable(..))) {
            return Err(fault(text, "every message would have the same unique-id"));
        }
        Ok(Self { parts })
    }

    /// The unique-id of a message; not yet checked for validity.
    pub(super) fn expand(&self, values: &FormatValues<'_>) -> Vec<u8> {
        let mut text = Vec::new();
        for part in &self.parts {
            match part {
                FormatPart::Text(plain) => text.extend_from_slice(plain.as_bytes()),
                FormatPart::FormatVariable(variable, filters) => {
                    let value = variable.of(values);
                    text.extend(filters.iter().fold(value, |value, filter| filter.apply(value)));
                }
            }
        }
        text
    }
}

/// Takes `uid | hex(8)}` off the front.
fn long(inside: &str) -> Result<(FormatPart, &str), FormatFault> {
    let Some((inside, behind)) = inside.split_once('}') else {
        return Err(fault(inside, "a { that is never closed"));
    };
    let mut words = inside.split('|').map(str::trim);
    let variable = match words.next().unwrap_or_default() {
        "uid" => FormatVariable::Uid,
        "uidvalidity" => FormatVariable::UidValidity,
        "filename" => FormatVariable::FileName,
        "guid" => FormatVariable::Guid,
        other => return Err(fault(other, "a Maildir has only uid, uidvalidity, filename and guid")),
    };
    let mut filters = Vec::new();
    for word in words {
        filters.extend(filter(word)?);
    }
    Ok((FormatPart::FormatVariable(variable, filters), behind))
}

fn filter(word: &str) -> Result<Vec<FormatFilter>, FormatFault> {
    let (name, argument) = word.split_once('(').unwrap_or((word, ""));
    let width = argument.trim_end_matches(')').trim();
    match (name.trim(), width) {
        ("hex", "") => Ok(vec![FormatFilter::Hex]),
        ("hex", width) => Ok(vec![FormatFilter::Hex, FormatFilter::Pad(number(width)?)]),
        ("md5", "") => Ok(vec![FormatFilter::Md5]),
        // The result of md5 is written in digits anyway.
        ("hexlify", _) => Ok(Vec::new()),
        ("lower", "") => Ok(vec![FormatFilter::Lower]),
        ("upper", "") => Ok(vec![FormatFilter::Upper]),
        _ => Err(fault(word, "expected hex, hex(8), md5, hexlify, lower or upper")),
    }
}

/// Takes `08Xu` off the front: a width, modifiers, and the variable's letter.
fn short(behind: &str) -> Result<(FormatPart, &str), FormatFault> {
    let digits = behind.find(|character: char| !character.is_ascii_digit()).unwrap_or(behind.len());
    let (width, mut rest) = behind.split_at(digits);
    let mut filters = Vec::new();
    while let Some(character) = rest.chars().next() {
        rest = rest.get(character.len_utf8()..).unwrap_or_default();
        let modifier = match character {
            'X' => Some(FormatFilter::Hex),
            'M' => Some(FormatFilter::Md5),
            'L' => Some(FormatFilter::Lower),
            'U' => Some(FormatFilter::Upper),
            _ => None,
        };
        if let Some(modifier) = modifier {
            filters.push(modifier);
            continue;
        }
        let Some(variable) = FormatVariable::of_letter(character) else { break };
        return Ok((FormatPart::FormatVariable(variable, widened(filters, width)?), rest));
    }
    Err(fault(&format!("%{behind}"), "a Maildir has only %u, %v, %f and %g, with X, M, L or U and a width before them"))
}

/// `08` means leading zeros, `8` alone that the rest is left out.
fn widened(mut filters: Vec<FormatFilter>, width: &str) -> Result<Vec<FormatFilter>, FormatFault> {
    if !width.is_empty() {
        let count = number(width)?;
        filters.push(if width.starts_with('0') { FormatFilter::Pad(count) } else { FormatFilter::Cut(count) });
    }
    Ok(filters)
}

fn number(width: &str) -> Result<usize, FormatFault> {
    let count = width.parse().ok().filter(|count| *count <= WIDEST);
    count.ok_or_else(|| fault(width, "no more than 70 characters"))
}

impl FormatVariable {
    fn of_letter(letter: char) -> Option<Self> {
        match letter {
            'u' => Some(Self::Uid),
            'v' => Some(Self::UidValidity),
            'f' => Some(Self::FileName),
            'g' => Some(Self::Guid),
            _ => None,
        }
    }

    fn of(self, values: &FormatValues<'_>) -> Vec<u8> {
        match self {
            Self::Uid => values.uid.to_string().into_bytes(),
            Self::UidValidity => values.validity.to_string().into_bytes(),
            Self::FileName => values.base.to_vec(),
            Self::Guid => values.guid.unwrap_or(values.base).to_vec(),
        }
    }
}

impl FormatFilter {
    fn apply(self, mut value: Vec<u8>) -> Vec<u8> {
        match self {
            Self::Hex => {
                let number = std::str::from_utf8(&value).ok().and_then(|digits| digits.parse().ok());
                let number: u64 = number.unwrap_or_default();
                format!("{number:x}").into_bytes()
            }
            Self::Pad(width) => {
                let zeros = width.saturating_sub(value.len());
                value.splice(0..0, std::iter::repeat_n(b'0', zeros));
                value
            }
            Self::Cut(width) => {
                value.truncate(width);
                value
            }
            Self::Md5 => format!("{:x}", md5::compute(&value)).into_bytes(),
            Self::Lower => value.to_ascii_lowercase(),
            Self::Upper => value.to_ascii_uppercase(),
        }
    }
}

fn fault(what: &str, why: &str) -> FormatFault {
    FormatFault(format!("{what:?} is no part of a format of unique-ids: {why}; expected such as %08Xu%08Xv"))
}

impl fmt::Display for FormatFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for FormatFault {}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(format: &str) -> String {
        let values =
            FormatValues { uid: 5, validity: 1_700_000_000, base: b"1700000000.M1P2.mx1", guid: Some(b"0f0F") };
        String::from_utf8(UidlFormat::parse(format).unwrap().expand(&values)).unwrap()
    }

    #[test]
    fn both_spellings_give_the_strings_that_dovecot_showed() {
        for (format, string) in [
            ("%08Xu%08Xv", "000000056553f100"),
            ("%08Xv%08Xu", "6553f10000000005"),
            ("%v.%u", "1700000000.5"),
            ("%u", "5"),
            ("%v-%u", "1700000000-5"),
            ("%f", "1700000000.M1P2.mx1"),
            ("%g", "0f0F"),
            ("%Lg", "0f0f"),
            // printf 1700000000.M1P2.mx1 | md5sum
            ("%Mf", "e5863527d16404d51536e3e196bad6d5"),
            ("%10f", "1700000000"),
            ("UID%u-%v%%", "UID5-1700000000%"),
            ("%{uid | hex(8)}%{uidvalidity | hex(8)}", "000000056553f100"),
            ("%{uid|hex(8)}%{uidvalidity|hex}", "000000056553f100"),
            ("%{uidvalidity}.%{uid}", "1700000000.5"),
            ("%{filename}", "1700000000.M1P2.mx1"),
            ("%{guid | upper}", "0F0F"),
            ("%{filename | md5 | hexlify}", "e5863527d16404d51536e3e196bad6d5"),
        ] {
            assert_eq!(expanded(format), string, "{format}");
        }
        assert_eq!(UidlFormat::parse("%08Xu%08Xv"), Ok(UidlFormat::default()));
    }

    #[test]
    fn what_a_maildir_does_not_have_is_refused() {
        for format in ["", "x", "%m", "%", "%08X", "%{uid", "%{md5}", "%{uid | octal}", "%99u", "%{uid | hex(x)}"] {
            let fault = UidlFormat::parse(format).unwrap_err().to_string();
            assert!(fault.ends_with("expected such as %08Xu%08Xv"), "{format}: {fault}");
        }
    }
}

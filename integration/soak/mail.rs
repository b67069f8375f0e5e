//! The octets of messages, as they are read and as they lie on disk.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};

use super::Dice;

/// How a message lies on disk.
#[derive(Clone, Copy)]
pub(super) enum Form {
    Plain,
    Gzip,
    Zstd,
}

impl Form {
    /// One in three is compressed.
    pub(super) fn any(dice: &mut Dice) -> Self {
        match dice.below(6) {
            0 => Self::Gzip,
            1 => Self::Zstd,
            _ => Self::Plain,
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }

    pub(super) fn pack(self, text: &[u8]) -> Vec<u8> {
        match self {
            Self::Plain => text.to_vec(),
            Self::Gzip => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                encoder.write_all(text).unwrap();
                encoder.finish().unwrap()
            }
            Self::Zstd => zstd::encode_all(text, 1).unwrap(),
        }
    }
}

/// The message that lies on disk as these octets.
pub(super) fn unpacked(octets: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    if octets.starts_with(b"\x1f\x8b") {
        flate2::read::MultiGzDecoder::new(octets).read_to_end(&mut text).unwrap();
    } else if octets.starts_with(b"\x28\xb5\x2f\xfd") {
        text = zstd::decode_all(octets).unwrap();
    } else {
        text.extend_from_slice(octets);
    }
    text
}

/// A message with its number in its subject, and some lines that must be stuffed.
pub(super) fn text(number: usize) -> Vec<u8> {
    let mut text = format!("Subject: soak {number}\n\n");
    for line in 0..=number % 40 {
        writeln!(text, ".line {line}").unwrap();
    }
    text.into_bytes()
}

/// Another message of as many octets and lines; none if the other one is too short.
pub(super) fn like(number: usize, other: &[u8]) -> Option<Vec<u8>> {
    let lines = other.split(|octet| *octet == b'\n').count() - 1;
    let mut text = format!("Subject: soak {number}\n\n{}", "\n".repeat(lines.checked_sub(3)?));
    let left = other.len().checked_sub(text.len() + 1)?;
    text.extend(std::iter::repeat_n('y', left));
    text.push('\n');
    Some(text.into_bytes())
}

/// The sizes that a delivery agent writes into the name of such a message, of the message as it is read.
pub(super) fn sizes(text: &[u8]) -> String {
    let lines = text.split(|octet| *octet == b'\n').count() - 1;
    format!(",S={},W={}", text.len(), text.len() + lines)
}

/// The number in the subject of a message.
pub(super) fn number_in(message: &[u8]) -> usize {
    let text = String::from_utf8_lossy(message);
    let number = text.lines().find_map(|line| line.strip_prefix("Subject: soak "));
    number.unwrap_or_else(|| panic!("no message of the test: {text}")).trim().parse().unwrap()
}

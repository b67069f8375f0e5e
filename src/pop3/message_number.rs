//! Message-numbers, as clients name messages.

use std::fmt;
use std::num::NonZeroUsize;

/// A message's number inside one session: 1, 2, … (RFC 1939 §5). Only `Listing` turns it into an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageNumber(NonZeroUsize);

impl MessageNumber {
    /// Reads the digits of an argument. `0`, signs and blanks are rejected; a number that is too large becomes the
    /// largest.
    #[must_use]
    pub fn parse(digits: &[u8]) -> Option<Self> {
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let number = std::str::from_utf8(digits).ok()?.parse().unwrap_or(usize::MAX);
        NonZeroUsize::new(number).map(Self)
    }

    /// The index, counted from 0.
    pub(super) fn index(self) -> usize {
        self.0.get() - 1
    }
}

impl fmt::Display for MessageNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

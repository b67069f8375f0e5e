//! Lines, cut from the input. They may hold passwords, so they are wiped.

use tokio::io::{AsyncRead, AsyncReadExt as _};
use zeroize::Zeroizing;

use crate::pop3::Line;

/// The longest line accepted, in octets: a SASL message of 12,288 octets (RFC 4954 §4) with its parameters.
pub(super) const LONGEST: usize = 16 * 1024;

/// Cuts lines from what a mail transfer agent sends.
pub(super) struct RequestLines<Input> {
    input: Input,
    /// Read, but not yet returned. It never grows beyond its capacity, so that no copy is left behind.
    waiting: Zeroizing<Vec<u8>>,
}

/// Why there is no further line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum InputEnd {
    /// The mail transfer agent has closed the connection.
    Closed,
    /// A line is too long.
    TooLong,
}

impl<Input: AsyncRead + Unpin> RequestLines<Input> {
    pub(super) fn new(input: Input) -> Self {
        Self { input, waiting: Zeroizing::new(Vec::with_capacity(2 * LONGEST)) }
    }

    /// The next line, without its end. Nothing is lost if the future is dropped.
    pub(super) async fn next(&mut self) -> Result<Line, InputEnd> {
        loop {
            if let Some(end) = self.waiting.iter().position(|octet| *octet == b'\n') {
                let line = Line::new(self.waiting.iter().copied().take(end).collect());
                self.waiting.drain(..=end);
                return if line.len() > LONGEST { Err(InputEnd::TooLong) } else { Ok(line) };
            }
            if self.waiting.len() > LONGEST {
                return Err(InputEnd::TooLong);
            }
            let room = u64::try_from(2 * LONGEST - self.waiting.len()).unwrap_or_default();
            match (&mut self.input).take(room).read_buf(&mut *self.waiting).await {
                Ok(count) if count > 0 => {}
                _ => return Err(InputEnd::Closed),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_are_cut_and_bounded() {
        let long = "x".repeat(LONGEST);
        let input = format!("one\ntwo\r\n\n{long}\n{long}y\n");
        let mut lines = RequestLines::new(input.as_bytes());
        for expected in ["one", "two\r", "", &long] {
            assert_eq!(**lines.next().await.unwrap(), *expected.as_bytes());
        }
        assert_eq!(lines.next().await.unwrap_err(), InputEnd::TooLong);
        let mut lines = RequestLines::new("half".as_bytes());
        assert_eq!(lines.next().await.unwrap_err(), InputEnd::Closed);
    }
}

//! Netstrings: the length in decimal digits, a colon, that many octets, a comma.

use tokio::io::{AsyncRead, AsyncReadExt as _};

/// The longest request accepted, in octets; Postfix sends none longer.
const LONGEST: usize = 10_000;

/// The digits of that length.
const MOST_DIGITS: usize = 5;

/// Cuts netstrings from the input.
pub(super) struct Netstrings<Input> {
    input: Input,
    /// Read, but not yet returned.
    waiting: Vec<u8>,
}

/// What was read is no netstring, or is too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoNetstring;

impl<Input: AsyncRead + Unpin> Netstrings<Input> {
    pub(super) fn new(input: Input) -> Self {
        Self { input, waiting: Vec::new() }
    }

    /// The next one; none at the end of the input.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<u8>>, NoNetstring> {
        loop {
            if let Some((content, length)) = first(&self.waiting)? {
                self.waiting.drain(..length);
                return Ok(Some(content));
            }
            match self.input.read_buf(&mut self.waiting).await {
                Ok(count) if count > 0 => {}
                _ => return Ok(None),
            }
        }
    }
}

/// The first netstring, and the length of all of it; none if more octets are needed.
fn first(octets: &[u8]) -> Result<Option<(Vec<u8>, usize)>, NoNetstring> {
    let digits = octets.iter().take(MOST_DIGITS + 1).take_while(|octet| octet.is_ascii_digit()).count();
    let length: Option<usize> = octets
        .get(..digits)
        .and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok())
        .filter(|n| *n <= LONGEST);
    match (octets.get(digits), length) {
        (None, _) if digits <= MOST_DIGITS => Ok(None),
        (Some(b':'), Some(length)) => {
            let end = digits + 1 + length;
            match octets.get(end) {
                None => Ok(None),
                Some(b',') => Ok(octets.get(digits + 1..end).map(|content| (content.to_vec(), end + 1))),
                Some(_) => Err(NoNetstring),
            }
        }
        _ => Err(NoNetstring),
    }
}

/// A text as a netstring.
pub(super) fn framed(text: &str) -> String {
    format!("{}:{text},", text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(input: &str) -> Vec<Result<String, NoNetstring>> {
        let (mut netstrings, mut read) = (Netstrings::new(input.as_bytes()), Vec::new());
        loop {
            match netstrings.next().await {
                Ok(Some(content)) => read.push(Ok(String::from_utf8(content).unwrap())),
                Ok(None) => return read,
                Err(fault) => {
                    read.push(Err(fault));
                    return read;
                }
            }
        }
    }

    #[tokio::test]
    async fn netstrings_are_cut_and_bounded() {
        let of = |texts: &[&str]| texts.iter().map(|text| Ok((*text).to_owned())).collect::<Vec<_>>();
        let longest = "x".repeat(LONGEST);
        assert_eq!(
            read(&format!("{}0:,{}", framed("sender a b"), framed(&longest))).await,
            of(&["sender a b", "", &longest])
        );
        for unfinished in ["", "1", "12", "3:", "3:ab", "3:abc"] {
            assert_eq!(read(unfinished).await, of(&[]), "{unfinished}");
        }
        for broken in [":,", "x", "3;abc,", "3:abcd", "-1:,", "123456:", "10001:", " 3:abc,", "3 :abc,"] {
            assert_eq!(read(broken).await, [Err(NoNetstring)], "{broken}");
        }
    }
}

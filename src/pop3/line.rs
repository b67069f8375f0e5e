//! Command lines, cut from whatever blocks the network delivers.

use memchr::memchr;
use zeroize::{Zeroize, Zeroizing};

/// A line without its end. It may hold a password, so it is wiped when dropped.
pub type Line = Zeroizing<Vec<u8>>;

/// One line of the input.
#[derive(Debug, PartialEq, Eq)]
pub enum Input {
    /// A whole line.
    Line(Line),
    /// A line beyond the limit; its octets were discarded as they came.
    TooLong,
}

/// Cuts input into lines. Keeps at most one unfinished line within the limit, and the part of the last block that was
/// not requested yet.
#[derive(Default)]
pub struct Lines {
    waiting: Vec<u8>,
    swallowing: bool,
}

impl Lines {
    /// Takes a block of input.
    pub fn push(&mut self, block: &[u8]) {
        self.waiting.extend_from_slice(block);
    }

    /// The next line, if its end has come. Lines end in CRLF (RFC 1939 §3); a bare LF is accepted, too.
    ///
    /// `limit` counts octets without the end.
    pub fn next(&mut self, limit: usize) -> Option<Input> {
        let Some(end) = memchr(b'\n', &self.waiting) else {
            self.bound(limit);
            return None;
        };
        let mut line: Line = Zeroizing::new(self.waiting.iter().copied().take(end).collect());
        self.take_off(end + 1);
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        let too_long = std::mem::take(&mut self.swallowing) || line.len() > limit;
        Some(if too_long { Input::TooLong } else { Input::Line(line) })
    }

    /// Everything that was read and not yet returned, for somebody else who takes the input from here on.
    pub fn take_rest(&mut self) -> Line {
        Zeroizing::new(std::mem::take(self).waiting)
    }

    /// Whether [`Lines::next`] would return something.
    #[must_use]
    pub fn has_next(&self) -> bool {
        memchr(b'\n', &self.waiting).is_some()
    }

    /// Discards everything read so far. After STLS nothing that came in clear may be used: an attacker in the middle
    /// may have injected it (CVE-2011-0411).
    pub fn forget(&mut self) {
        self.waiting.zeroize();
        *self = Self::default();
    }

    /// Discards the beginning of a line that is already beyond the limit, except one octet for the CR.
    fn bound(&mut self, limit: usize) {
        if self.waiting.len() > limit + 1 {
            self.waiting.zeroize();
            self.swallowing = true;
        }
    }

    /// Wipes the octets that were returned, and frees the memory when nothing is left.
    fn take_off(&mut self, count: usize) {
        if count == self.waiting.len() {
            self.waiting.zeroize();
            self.waiting = Vec::new();
            return;
        }
        self.waiting.copy_within(count.., 0);
        let left = self.waiting.len() - count;
        if let Some(tail) = self.waiting.get_mut(left..) {
            tail.zeroize();
        }
        self.waiting.truncate(left);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(blocks: &[&[u8]], limit: usize) -> Vec<Input> {
        let mut lines = Lines::default();
        let mut inputs = Vec::new();
        for block in blocks {
            lines.push(block);
            while let Some(input) = lines.next(limit) {
                inputs.push(input);
            }
        }
        inputs
    }

    fn line(text: &str) -> Input {
        Input::Line(Zeroizing::new(text.as_bytes().to_vec()))
    }

    #[test]
    fn a_pipeline_is_cut_into_its_commands() {
        assert_eq!(all(&[b"STAT\r\nLIST 1\nQU", b"IT\r", b"\n"], 255), [line("STAT"), line("LIST 1"), line("QUIT")]);
    }

    #[test]
    fn an_over_long_line_is_swallowed_and_told_once() {
        assert_eq!(all(&[b"123456\r\n12345\r\n"], 5), [Input::TooLong, line("12345")]);
        assert_eq!(all(&[b"1234567", b"8901", b"2\r\nNOOP\r\n"], 5), [Input::TooLong, line("NOOP")]);
    }

    #[test]
    fn an_endless_line_is_never_kept() {
        let mut lines = Lines::default();
        for _ in 0..1000 {
            lines.push(&[b'x'; 4096]);
            assert_eq!(lines.next(255), None);
            assert!(lines.waiting.len() <= 4096);
        }
    }

    #[test]
    fn what_is_forgotten_does_not_come_back() {
        let mut lines = Lines::default();
        lines.push(b"USER injected\r\nPASS x");
        lines.forget();
        lines.push(b"\r\n");
        assert_eq!(lines.next(255), Some(line("")));
        assert_eq!(lines.next(255), None);
    }

    proptest! {
        /// However the network cuts the octets, the lines are the same.
        #[test]
        fn blocks_do_not_matter(octets in proptest::collection::vec(prop_oneof![3 => Just(b'a'), 1 => Just(b'\r'), 1 => Just(b'\n')], 0..200), cuts in proptest::collection::vec(0usize..200, 0..8), limit in 1usize..20) {
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(octets.len())).collect();
            cuts.extend([0, octets.len()]);
            cuts.sort_unstable();
            let blocks: Vec<&[u8]> = cuts.windows(2).map(|cut| &octets[cut[0]..cut[1]]).collect();
            prop_assert_eq!(all(&blocks, limit), all(&[&octets], limit));
        }
    }
}

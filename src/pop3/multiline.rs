//! The one rule of line ends and byte-stuffing. The sizes in LIST and the octets sent both come from it.
//!
//! A message on disk has lines that end in LF or CRLF; on the wire every line ends in CRLF. A lone CR is an octet like
//! any other. A last line without an end gets one.

use memchr::{memchr, memmem};

/// A piece of a line: as much of it as one block of the message contains.
struct Piece<'a> {
    /// The octets before the LF; with a CR as the last if the line ends in CRLF.
    text: &'a [u8],
    end: LineEnd,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum LineEnd {
    /// The line continues in the next block.
    Open,
    Lf,
    CrLf,
}

impl Piece<'_> {
    /// Its octets on the wire, without byte-stuffing.
    fn octets(&self) -> u64 {
        let end = match self.end {
            LineEnd::Open => 0,
            LineEnd::CrLf => 1,
            LineEnd::Lf => 2,
        };
        self.text.len() as u64 + end
    }
}

/// Cuts blocks into pieces; remembers the last octet, since CR and LF may lie in different blocks.
#[derive(Clone, Copy, Default)]
struct Cutter {
    last: Option<u8>,
}

impl Cutter {
    /// Takes the first piece off `block`.
    fn cut<'a>(&mut self, block: &mut &'a [u8]) -> Option<Piece<'a>> {
        if block.is_empty() {
            return None;
        }
        let Some((text, rest)) = memchr(b'\n', block).and_then(|at| block.split_at_checked(at)) else {
            self.last = block.last().copied();
            return Some(Piece { text: std::mem::take(block), end: LineEnd::Open });
        };
        let before = text.last().copied().or(self.last);
        self.last = Some(b'\n');
        *block = rest.get(1..).unwrap_or_default();
        Some(Piece { text, end: if before == Some(b'\r') { LineEnd::CrLf } else { LineEnd::Lf } })
    }
}

/// Counts a message's octets as RETR sends them: CRLF counted, stuffing and final dot not.
///
/// "If the POP3 server host internally represents end-of-line as a single character, then the POP3 server simply counts
/// each occurrence of this character in a message as two octets." (RFC 1939 §11)
#[derive(Default)]
pub struct Octets {
    last: Option<u8>,
    count: u64,
}

impl Octets {
    /// Counts one more block of the message.
    pub fn push(&mut self, block: &[u8]) {
        let Some(last) = block.last() else { return };
        self.count += block.len() as u64 + bare_line_feeds(self.last, block);
        self.last = Some(*last);
    }

    /// The octets of the whole message.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.count + missing_end(self.last)
    }
}

/// The octets of the line end that the last line lacks.
fn missing_end(last: Option<u8>) -> u64 {
    if last.is_some_and(|octet| octet != b'\n') { 2 } else { 0 }
}

/// The number of LFs without a CR before them. Written so that the compiler can vectorise it: no branches, and sums in
/// single octets, each over a stretch in which it cannot overflow.
fn bare_line_feeds(before: Option<u8>, block: &[u8]) -> u64 {
    const STRETCH: usize = u8::MAX as usize;
    let is_bare = |before: u8, octet: u8| u8::from(octet == b'\n') & u8::from(before != b'\r');
    let first = block.first().map_or(0, |first| is_bare(before.unwrap_or_default(), *first));
    let rest = block.get(1..).unwrap_or_default();
    let stretches = block.chunks(STRETCH).zip(rest.chunks(STRETCH));
    let sum = |(before, octets): (&[u8], &[u8])| -> u8 {
        before.iter().zip(octets).map(|(before, octet)| is_bare(*before, *octet)).sum()
    };
    stretches.map(|stretch| u64::from(sum(stretch))).sum::<u64>() + u64::from(first)
}

/// How much of a message is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// RETR: all of it.
    Whole,
    /// TOP: the header, the blank line, and this many lines of the body.
    Top(u64),
}

/// Turns a message's blocks into the lines of a multi-line reply.
///
/// "If any line of the multi-line response begins with the termination octet, the line is "byte-stuffed" by pre-pending
/// the termination octet to that line of the response." (RFC 1939 §3)
pub struct Multiline {
    cutter: Cutter,
    /// Octets of the line so far, its end not counted.
    line: u64,
    /// What was sent, counted as [`Octets`] counts.
    octets: u64,
    scope: Scope,
}

enum Scope {
    Whole,
    Header { body_lines: u64 },
    Body { lines_left: u64 },
    Enough,
}

impl Multiline {
    /// Begins a message.
    #[must_use]
    pub fn new(part: Part) -> Self {
        let scope = match part {
            Part::Whole => Scope::Whole,
            Part::Top(body_lines) => Scope::Header { body_lines },
        };
        Self { cutter: Cutter::default(), line: 0, octets: 0, scope }
    }

    /// Whether the wire form of the next block is the block itself: whole lines and parts of lines in CRLF, none of which
    /// begins with a dot. Then the block counts as sent.
    pub fn passes(&mut self, block: &[u8]) -> bool {
        let begins_with_dot = self.line == 0 && block.first() == Some(&b'.');
        // Most messages end their lines in LF alone: the first line shows it.
        let first = memchr(b'\n', block).and_then(|at| block.get(..=at)).unwrap_or_default();
        let passes = matches!(self.scope, Scope::Whole)
            && !begins_with_dot
            && bare_line_feeds(self.cutter.last, first) == 0
            && bare_line_feeds(self.cutter.last, block) == 0
            && memmem::find(block, b"\n.").is_none();
        if let (true, Some(last)) = (passes, block.last()) {
            self.cutter.last = Some(*last);
            self.octets += block.len() as u64;
            self.line = u64::from(*last != b'\n');
        }
        passes
    }

    /// Appends the wire form of one block to `out`.
    pub fn encode(&mut self, mut block: &[u8], out: &mut Vec<u8>) {
        // Room for the CRs that usual lines need.
        out.reserve(block.len() + block.len() / 32 + 16);
        while !self.is_enough() {
            let Some(piece) = self.cutter.cut(&mut block) else { return };
            if self.line == 0 && piece.text.first() == Some(&b'.') {
                out.push(b'.');
            }
            out.extend_from_slice(piece.text);
            self.octets += piece.octets();
            self.line += piece.text.len() as u64;
            match piece.end {
                LineEnd::Open => continue,
                LineEnd::CrLf => {
                    self.line -= 1;
                    out.push(b'\n');
                }
                LineEnd::Lf => out.extend_from_slice(b"\r\n"),
            }
            self.end_line();
        }
    }

    /// The octets sent so far, as [`Octets`] counts them.
    #[must_use]
    pub fn octets(&self) -> u64 {
        self.octets
    }

    /// Whether the rest of the message is not needed: TOP has its lines.
    #[must_use]
    pub fn is_enough(&self) -> bool {
        matches!(self.scope, Scope::Enough)
    }

    /// Appends the end of the last line, if it has none, and the final dot. Returns the octets sent, as [`Octets`]
    /// counts them.
    pub fn finish(self, out: &mut Vec<u8>) -> u64 {
        let missing = missing_end(self.cutter.last);
        if missing > 0 {
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b".\r\n");
        self.octets + missing
    }

    /// "… the server sends the headers of the message, the blank line separating the headers from the body, and then the
    /// number of lines of the indicated message's body" (RFC 1939 §7, TOP): `TOP n 0` ends with the blank line.
    fn end_line(&mut self) {
        let blank = self.line == 0;
        self.line = 0;
        self.scope = match self.scope {
            Scope::Header { body_lines: 0 } if blank => Scope::Enough,
            Scope::Header { body_lines } if blank => Scope::Body { lines_left: body_lines },
            Scope::Body { lines_left } if lines_left <= 1 => Scope::Enough,
            Scope::Body { lines_left } => Scope::Body { lines_left: lines_left - 1 },
            Scope::Header { body_lines } => Scope::Header { body_lines },
            Scope::Whole => Scope::Whole,
            Scope::Enough => Scope::Enough,
        };
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Octets that matter to the rule stand more often than others.
    fn message() -> impl Strategy<Value = Vec<u8>> {
        let octet = prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'.'), Just(b'a'), any::<u8>()];
        prop::collection::vec(octet, 0..60)
    }

    /// The same message in blocks of these lengths, the rest in one.
    fn blocks<'a>(mut message: &'a [u8], lengths: &[usize]) -> Vec<&'a [u8]> {
        let mut blocks = Vec::new();
        for length in lengths {
            let (block, rest) = message.split_at((*length).min(message.len()));
            blocks.push(block);
            message = rest;
        }
        blocks.push(message);
        blocks
    }

    /// The rule in another form: the lines, each without its end.
    fn lines(message: &[u8]) -> Vec<&[u8]> {
        let mut lines: Vec<&[u8]> = message.split(|octet| *octet == b'\n').collect();
        let last = lines.pop().unwrap();
        let mut lines: Vec<&[u8]> = lines.into_iter().map(|line| line.strip_suffix(b"\r").unwrap_or(line)).collect();
        lines.extend((!last.is_empty()).then_some(last));
        lines
    }

    /// What is sent, and its octets as LIST counts them.
    fn sent(message: &[u8], lengths: &[usize], part: Part) -> (Vec<u8>, u64) {
        let (mut multiline, mut out) = (Multiline::new(part), Vec::new());
        for block in blocks(message, lengths) {
            if multiline.passes(block) {
                out.extend_from_slice(block);
            } else {
                multiline.encode(block, &mut out);
            }
        }
        let octets = multiline.finish(&mut out);
        (out, octets)
    }

    fn stuffed<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
        let mut out = Vec::new();
        for line in lines {
            out.extend_from_slice(if line.starts_with(b".") { b"." } else { b"" });
            out.extend_from_slice(line);
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b".\r\n");
        out
    }

    /// More lines than one octet can count.
    #[test]
    fn many_lines_are_counted() {
        for (line, each) in [("\n", 2), ("a\n", 3), ("\r\n", 2), ("\r\r\n", 3)] {
            let mut octets = Octets::default();
            octets.push(line.repeat(1000).as_bytes());
            assert_eq!(octets.total(), 1000 * each, "{line:?}");
        }
    }

    proptest! {
        #[test]
        fn octets_are_the_lines_and_their_ends(message in message(), lengths in prop::collection::vec(0..9_usize, 0..20)) {
            let mut octets = Octets::default();
            for block in blocks(&message, &lengths) {
                octets.push(block);
            }
            let reference: usize = lines(&message).iter().map(|line| line.len() + 2).sum();
            prop_assert_eq!(octets.total(), reference as u64);
        }

        #[test]
        fn octets_told_are_octets_sent(message in message(), lengths in prop::collection::vec(0..9_usize, 0..20)) {
            let mut octets = Octets::default();
            octets.push(&message);
            let (sent, counted) = sent(&message, &lengths, Part::Whole);
            prop_assert_eq!(&sent, &stuffed(lines(&message)));
            let stuffing = lines(&message).iter().filter(|line| line.starts_with(b".")).count();
            prop_assert_eq!(octets.total(), (sent.len() - stuffing - b".\r\n".len()) as u64);
            prop_assert_eq!(octets.total(), counted);
        }

        #[test]
        fn top_sends_header_blank_line_and_lines(
            message in message(),
            lengths in prop::collection::vec(0..9_usize, 0..20),
            body in 0..4_usize,
        ) {
            let lines = lines(&message);
            // A last line without an end is none yet: no blank line ends there.
            let header = lines.iter().position(|line| line.is_empty()).map_or(lines.len(), |blank| blank + 1);
            let wanted: Vec<&[u8]> = lines.into_iter().take(header + body).collect();
            let octets = wanted.iter().map(|line| line.len() as u64 + 2).sum();
            prop_assert_eq!(sent(&message, &lengths, Part::Top(body as u64)), (stuffed(wanted), octets));
        }
    }
}

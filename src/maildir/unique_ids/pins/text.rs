//! The lines of a file, one at a time: the owner of the Maildir can put a file of any size there, with lines of any length.

use std::io::{self, BufRead, BufReader, ErrorKind, Read};

/// Octets read at a time.
const BLOCK: usize = 64 * 1024;

/// Octets of the longest line that is kept; none of ours is nearly as long.
const LONGEST: usize = 16 * 1024;

/// A file that is read line by line.
pub(super) struct LineReader<R> {
    file: BufReader<R>,
    line: Vec<u8>,
    /// Octets of the whole lines that were read so far.
    pub(super) ended: u64,
}

impl<R: Read> LineReader<R> {
    pub(super) fn of(file: R) -> Self {
        Self { file: BufReader::with_capacity(BLOCK, file), line: Vec::new(), ended: 0 }
    }

    /// The next line, with its LF; the beginning of one that is far too long. None at the end: what follows the last LF
    /// is not a line.
    pub(super) fn next(&mut self) -> io::Result<Option<&[u8]>> {
        self.line.clear();
        let mut length = 0;
        loop {
            let block = match self.file.fill_buf() {
                Ok([]) => return Ok(None),
                Ok(block) => block,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let end = memchr::memchr(b'\n', block);
            let taken = end.map_or(block.len(), |at| at + 1);
            let kept = taken.min(LONGEST - self.line.len());
            self.line.extend_from_slice(block.get(..kept).unwrap_or_default());
            self.file.consume(taken);
            length += taken as u64;
            if end.is_some() {
                self.ended += length;
                return Ok(Some(&self.line));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_told_with_what_they_take() {
        let long = "x".repeat(200_000);
        let text = format!("one\n\n{long}\nlast\nno line");
        let mut lines = LineReader::of(text.as_bytes());
        let mut told = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            told.push(String::from_utf8(line.to_vec()).unwrap());
        }
        assert_eq!(told, ["one\n", "\n", &long[..LONGEST], "last\n"]);
        assert_eq!(lines.ended, (text.len() - "no line".len()) as u64);
    }
}

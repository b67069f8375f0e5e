//! Lines and words of the lists.

/// The lines that end in LF, with their numbers from 1; a CR before it is dropped. What follows the last LF is still
/// being written, and is left out.
pub(super) fn lines(octets: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let ended = octets.iter().rposition(|octet| *octet == b'\n').map_or(0, |at| at + 1);
    let whole = octets.get(..ended).unwrap_or_default();
    let lines = whole.split_inclusive(|octet| *octet == b'\n').map(|line| {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        line.strip_suffix(b"\r").unwrap_or(line)
    });
    (1..).zip(lines)
}

/// Takes a word off the front, and the blanks after it.
pub(super) fn word(text: &[u8]) -> (&[u8], &[u8]) {
    let end = memchr::memchr(b' ', text).unwrap_or(text.len());
    let (word, rest) = text.split_at_checked(end).unwrap_or((text, b""));
    let blanks = rest.iter().take_while(|octet| **octet == b' ').count();
    (word, rest.get(blanks..).unwrap_or_default())
}

/// Takes the last word off the end, and one blank before it.
pub(super) fn last_word(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = memchr::memrchr(b' ', text)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// A number of decimal digits alone.
pub(super) fn decimal<T: std::str::FromStr>(digits: &[u8]) -> Option<T> {
    let all = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(digits).ok().filter(|_| all)?.parse().ok()
}

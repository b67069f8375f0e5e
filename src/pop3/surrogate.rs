//! Messages with octets beyond ASCII in their header, for clients that did not send UTF8: wrapped into a message whose
//! own header is ASCII, and which contains the whole original.
//!
//! "If a client requests a UTF-8 message when UTF-8 mode is not enabled, the server MUST either send the client a surrogate
//! message that complies with unextended POP and Internet Mail Format without UTF-8 mode support, or fail the request with
//! an -ERR response." (RFC 6856 §2.1)
//!
//! The surrogate keeps every field that is ASCII, except those of MIME. Of the others, the subject is given in encoded
//! words (RFC 2047), and senders and recipients as the name of an empty group (RFC 5322 §3.4), which no client takes
//! for an address to answer to. Everything else is only in the original, which has CRLF line ends and is encoded in
//! base64, as `message/global` (RFC 6532 §3.7, which allows any encoding).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Octets of the original in one line of base64: 76 characters.
const LINE: usize = 57;

/// The octets of UTF-8 in an encoded word: with the name of the field a line stays below 76 characters (RFC 2047 §2).
const WORD: usize = 33;

/// How much of a header is examined, in octets; no genuine header is longer.
pub(super) const HEADER: usize = 1024 * 1024;

/// The fields that declare the rest of the message to be the original.
const MIME: &str = "MIME-Version: 1.0\r\nContent-Type: message/global\r\nContent-Transfer-Encoding: base64\r\n\
                    Content-Disposition: attachment; filename=\"message.eml\"\r\n\r\n";

/// Senders and recipients (RFC 5322 §3.6).
const ADDRESSES: [&str; 11] = [
    "from",
    "sender",
    "reply-to",
    "to",
    "cc",
    "bcc",
    "resent-from",
    "resent-sender",
    "resent-to",
    "resent-cc",
    "resent-bcc",
];

/// Where the header of a message ends, including its blank line; none if the blank line is not among these octets.
fn header_end(octets: &[u8]) -> Option<usize> {
    let ends = memchr::memchr_iter(b'\n', octets).map(|at| at + 1);
    let mut begin = 0;
    for end in ends {
        if matches!(octets.get(begin..end), Some(b"\n" | b"\r\n")) {
            return Some(end);
        }
        begin = end;
    }
    None
}

/// The header of the surrogate, if a message that begins with these octets needs one. They must hold the whole header,
/// or a mebibyte of it, or the whole message; how much they hold beyond that makes no difference.
#[must_use]
pub fn surrogate_header(beginning: &[u8]) -> Option<Vec<u8>> {
    let beginning = beginning.get(..HEADER).unwrap_or(beginning);
    let header = header_end(beginning).and_then(|end| beginning.get(..end)).unwrap_or(beginning);
    if header.is_ascii() {
        return None;
    }
    let mut surrogate = Vec::new();
    for field in fields(header) {
        surrogate.extend(render(&field));
    }
    surrogate.extend_from_slice(MIME.as_bytes());
    Some(surrogate)
}

/// Whether these octets hold the whole header of a message.
#[must_use]
pub fn has_whole_header(beginning: &[u8]) -> bool {
    beginning.len() >= HEADER || header_end(beginning).is_some()
}

/// The octets of a surrogate as RETR sends it, from the length of its header and the octets of the original.
#[must_use]
pub fn surrogate_octets(header: u64, original: u64) -> u64 {
    let (whole, rest) = (original / LINE as u64, original % LINE as u64);
    let last = if rest == 0 { 0 } else { rest.div_ceil(3) * 4 + 2 };
    header + whole * (LINE as u64 / 3 * 4 + 2) + last
}

/// The fields of a header, each with its further lines.
fn fields(header: &[u8]) -> Vec<Vec<&[u8]>> {
    let mut fields: Vec<Vec<&[u8]>> = Vec::new();
    for line in header.split(|octet| *octet == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let goes_on = matches!(line.first(), Some(b' ' | b'\t'));
        match fields.last_mut().filter(|_| goes_on) {
            Some(field) => field.push(line),
            None => fields.push(vec![line]),
        }
    }
    fields
}

/// One field as the surrogate has it; empty if it is left out.
fn render(field: &[&[u8]]) -> Vec<u8> {
    let Some((name, body)) = name_and_body(field) else { return Vec::new() };
    let lower = name.to_ascii_lowercase();
    if lower.starts_with("content-") || lower == "mime-version" {
        return Vec::new();
    }
    if field.iter().all(|line| line.is_ascii()) {
        return [field.join(&b"\r\n"[..]), b"\r\n".to_vec()].concat();
    }
    let words = encoded_words(&body);
    if lower == "subject" {
        format!("{name}: {words}\r\n").into_bytes()
    } else if ADDRESSES.contains(&lower.as_str()) {
        format!("{name}: {words} :;\r\n").into_bytes()
    } else {
        Vec::new()
    }
}

/// The name of a field, and its body unfolded (RFC 5322 §2.2.3).
fn name_and_body(field: &[&[u8]]) -> Option<(String, String)> {
    let unfolded = field.concat();
    let colon = memchr::memchr(b':', &unfolded)?;
    let (name, body) = unfolded.split_at_checked(colon)?;
    let name = name.trim_ascii_end();
    // "A field name MUST be composed of printable US-ASCII characters … except colon." (RFC 5322 §2.2)
    if name.is_empty() || !name.iter().all(u8::is_ascii_graphic) {
        return None;
    }
    let body = String::from_utf8_lossy(body.get(1..)?.trim_ascii()).into_owned();
    Some((String::from_utf8_lossy(name).into_owned(), body))
}

/// "An 'encoded-word' may not be more than 75 characters long" (RFC 2047 §2); each on a line of its own.
fn encoded_words(text: &str) -> String {
    let mut words: Vec<String> = vec![String::new()];
    for character in text.chars() {
        let full = words.last().is_none_or(|word| word.len() + character.len_utf8() > WORD);
        if full {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.push(character);
        }
    }
    let words: Vec<String> = words.iter().map(|word| format!("=?UTF-8?B?{}?=", STANDARD.encode(word))).collect();
    words.join("\r\n ")
}

/// Wraps a message, block by block.
pub struct Wrapping {
    state: SurrogateState,
    /// The last octet of the original so far: CR and LF may come in different blocks.
    last: Option<u8>,
    /// Octets of the original that do not fill a line yet.
    waiting: Vec<u8>,
}

enum SurrogateState {
    /// The beginning of the message, until its header is whole.
    Header(Vec<u8>),
    Body,
}

impl Default for Wrapping {
    fn default() -> Self {
        Self { state: SurrogateState::Header(Vec::new()), last: None, waiting: Vec::new() }
    }
}

impl Wrapping {
    /// Appends what is known of the surrogate after one more block of the original.
    pub fn push(&mut self, block: &[u8], out: &mut Vec<u8>) {
        match &mut self.state {
            SurrogateState::Body => self.encode(block, out),
            SurrogateState::Header(beginning) => {
                beginning.extend_from_slice(block);
                if has_whole_header(beginning) {
                    self.begin(out);
                }
            }
        }
    }

    /// Appends the rest.
    pub fn finish(mut self, out: &mut Vec<u8>) {
        self.begin(out);
        if self.last.is_some_and(|octet| octet != b'\n') {
            self.waiting.extend_from_slice(b"\r\n");
        }
        self.lines(1, out);
    }

    fn begin(&mut self, out: &mut Vec<u8>) {
        let SurrogateState::Header(beginning) = std::mem::replace(&mut self.state, SurrogateState::Body) else {
            return;
        };
        // The caller has seen that the message needs a surrogate. If the file has changed since, it is wrapped all the
        // same.
        out.extend(surrogate_header(&beginning).unwrap_or_else(|| MIME.as_bytes().to_vec()));
        self.encode(&beginning, out);
    }

    fn encode(&mut self, block: &[u8], out: &mut Vec<u8>) {
        for line in block.split_inclusive(|octet| *octet == b'\n') {
            let text = line.strip_suffix(b"\n").unwrap_or(line);
            self.waiting.extend_from_slice(text);
            if text.len() < line.len() {
                let before = text.last().copied().or(self.last);
                self.waiting.extend_from_slice(if before == Some(b'\r') { b"\n" } else { b"\r\n" });
            }
            self.last = line.last().copied();
        }
        self.lines(LINE, out);
    }

    /// Writes lines as long as there are enough octets for one.
    fn lines(&mut self, enough: usize, out: &mut Vec<u8>) {
        let mut chunks = self.waiting.chunks(LINE).peekable();
        let mut written = 0;
        while let Some(chunk) = chunks.next_if(|chunk| chunk.len() >= enough) {
            out.extend_from_slice(STANDARD.encode(chunk).as_bytes());
            out.extend_from_slice(b"\r\n");
            written += chunk.len();
        }
        self.waiting.drain(..written);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::multiline::Octets;
    use super::*;

    fn wrapped(message: &[u8], block: usize) -> Vec<u8> {
        let (mut wrapping, mut out) = (Wrapping::default(), Vec::new());
        for block in message.chunks(block) {
            wrapping.push(block, &mut out);
        }
        wrapping.finish(&mut out);
        out
    }

    fn octets(message: &[u8]) -> u64 {
        let mut octets = Octets::default();
        octets.push(message);
        octets.total()
    }

    #[test]
    fn an_ascii_header_wants_no_surrogate() {
        for message in ["Subject: one\n\nGrüße\n", "Subject: one\r\n\r\nGrüße", "", "\nSubject: Grüße\n", "no header"]
        {
            assert_eq!(surrogate_header(message.as_bytes()), None, "{message:?}");
        }
        assert!(surrogate_header("Subject: Grüße".as_bytes()).is_some());
    }

    #[test]
    fn the_surrogate_tells_subject_and_people_in_ascii() {
        let original = "Received: from mx.example\n\tby mail\nFrom: Jürgen <j@x.example>\nTo: ajones@x.example\n\
                        Subject: Grüße\n aus Köln\nX-Note: für dich\nContent-Type: text/plain; charset=utf-8\n\nText\n";
        let sent = String::from_utf8(wrapped(original.as_bytes(), 7)).unwrap();
        let (header, body) = sent.split_once("\r\n\r\n").unwrap();
        assert_eq!(
            header,
            "Received: from mx.example\r\n\tby mail\r\nFrom: =?UTF-8?B?SsO8cmdlbiA8akB4LmV4YW1wbGU+?= :;\r\n\
             To: ajones@x.example\r\nSubject: =?UTF-8?B?R3LDvMOfZSBhdXMgS8O2bG4=?=\r\nMIME-Version: 1.0\r\n\
             Content-Type: message/global\r\nContent-Transfer-Encoding: base64\r\n\
             Content-Disposition: attachment; filename=\"message.eml\""
        );
        let inside = STANDARD.decode(body.replace("\r\n", "")).unwrap();
        assert_eq!(String::from_utf8(inside).unwrap(), original.replace('\n', "\r\n"));
    }

    /// Who lists a message reads it in other blocks than who sends it.
    #[test]
    fn the_surrogate_of_a_huge_header_is_the_same_however_it_is_read() {
        let field = format!("X-Note: {}\nTo: ajones@x.example\n", "\u{fc}".repeat(2_000));
        for length in [HEADER - 7, HEADER + 300_000] {
            let header: String = field.chars().cycle().take(length).collect();
            let message = format!("{header}\n\nText\n").into_bytes();
            let sent: Vec<usize> =
                [8_192, 65_536, 262_144, message.len()].map(|block| wrapped(&message, block).len()).to_vec();
            let beginning = message.chunks(8_192).scan(Vec::new(), |read: &mut Vec<u8>, block| {
                if has_whole_header(read) {
                    None
                } else {
                    read.extend_from_slice(block);
                    Some(read.clone())
                }
            });
            let listed = surrogate_header(&beginning.last().unwrap()).unwrap().len() as u64;
            let listed = usize::try_from(surrogate_octets(listed, octets(&message))).unwrap();
            assert_eq!(sent, [listed; 4], "{length}");
        }
    }

    #[test]
    fn no_line_of_a_surrogate_is_too_long() {
        let original = format!("Subject: {}\n\n{}\n", "ü".repeat(500), "x".repeat(2000));
        let sent = wrapped(original.as_bytes(), 4096);
        assert!(sent.split(|octet| *octet == b'\n').all(|line| line.len() <= 78));
    }

    proptest! {
        /// Whatever the message, and however it comes: its octets are known beforehand, it is ASCII, and the original is
        /// in it.
        #[test]
        fn octets_are_told_right_and_nothing_is_lost(
            subject in "\\PC{0,80}",
            rest in prop::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'.'), any::<u8>()], 0..300),
            block in 1..100_usize,
        ) {
            let message = [format!("Subject: ü{subject}\n").as_bytes(), &rest].concat();
            let header = surrogate_header(&message).unwrap();
            let sent = wrapped(&message, block);
            prop_assert!(sent.is_ascii());
            prop_assert_eq!(surrogate_octets(header.len() as u64, octets(&message)), sent.len() as u64);
            prop_assert_eq!(octets(&sent), sent.len() as u64);
            let body: Vec<u8> = sent[header.len()..].iter().copied().filter(|octet| !b"\r\n".contains(octet)).collect();
            prop_assert_eq!(octets(&message), STANDARD.decode(&body).unwrap().len() as u64);
        }
    }
}

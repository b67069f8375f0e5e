//! Lines to a host, and its replies.

use std::io;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use zeroize::Zeroizing;

use super::stream::HostStream;

/// The longest reply, in octets. RFC 2449 §4 allows 512; some servers explain more.
const LONGEST: u64 = 4096;

/// A connection to a host, before octets are passed on.
pub(super) struct HostDialogue {
    stream: BufReader<Box<dyn HostStream>>,
}

/// One reply, without its line end.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum HostReply {
    /// `+OK`; the text behind it.
    Ok(String),
    /// `-ERR`; the text behind it.
    Err(String),
    /// `+ `: a SASL exchange goes on.
    Continue,
    /// Anything else.
    Foreign(String),
}

impl HostDialogue {
    pub(super) fn new(stream: Box<dyn HostStream>) -> Self {
        Self { stream: BufReader::with_capacity(2048, stream) }
    }

    /// Sends lines at once. They may hold a password, and are wiped.
    pub(super) async fn send(&mut self, lines: Zeroizing<Vec<u8>>) -> io::Result<()> {
        let stream = self.stream.get_mut();
        stream.write_all(&lines).await?;
        stream.flush().await
    }

    /// The next reply.
    pub(super) async fn reply(&mut self) -> io::Result<HostReply> {
        let mut octets = Vec::new();
        (&mut self.stream).take(LONGEST).read_until(b'\n', &mut octets).await?;
        if octets.pop() != Some(b'\n') {
            let what = if octets.is_empty() { "the host closed the connection" } else { "the host's reply has no end" };
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, what));
        }
        if octets.last() == Some(&b'\r') {
            octets.pop();
        }
        Ok(HostReply::of(&String::from_utf8_lossy(&octets)))
    }

    /// The stream, and what was read from it beyond the last reply.
    pub(super) fn into_parts(self) -> (Box<dyn HostStream>, Vec<u8>) {
        let rest = self.stream.buffer().to_vec();
        (self.stream.into_inner(), rest)
    }
}

impl HostReply {
    fn of(line: &str) -> Self {
        // A host's reply goes into our log, and to the client.
        let line: String = line.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
        let behind = |word: &str| {
            let rest = line.strip_prefix(word)?;
            (rest.is_empty() || rest.starts_with(' ')).then(|| rest.trim_start().to_owned())
        };
        match (behind("+OK"), behind("-ERR")) {
            (Some(text), _) => Self::Ok(text),
            (_, Some(text)) => Self::Err(text),
            _ if line == "+" || line.starts_with("+ ") => Self::Continue,
            _ => Self::Foreign(line),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_are_told_apart() {
        assert_eq!(HostReply::of("+OK"), HostReply::Ok(String::new()));
        assert_eq!(HostReply::of("+OK [XCLIENT] ready"), HostReply::Ok("[XCLIENT] ready".to_owned()));
        assert_eq!(HostReply::of("-ERR [AUTH] no"), HostReply::Err("[AUTH] no".to_owned()));
        assert_eq!((HostReply::of("+ "), HostReply::of("+")), (HostReply::Continue, HostReply::Continue));
        assert_eq!(HostReply::of("* OK IMAP"), HostReply::Foreign("* OK IMAP".to_owned()));
        assert_eq!(HostReply::of("+OKAY"), HostReply::Foreign("+OKAY".to_owned()));
        assert_eq!(HostReply::of("+OK a\u{1b}[2J"), HostReply::Ok("a\u{fffd}[2J".to_owned()));
    }
}

//! Replies: `+OK`, `-ERR`, and the response codes of RFC 2449 §8 and RFC 3206.

use std::fmt::Display;
use std::io::Write as _;

/// The octets of a reply, line ends included.
pub type Reply = Vec<u8>;

pub(super) fn ok(text: &str) -> Reply {
    line("+OK", text)
}

pub(super) fn err(text: &str) -> Reply {
    line("-ERR", text)
}

/// `+ challenge` (RFC 5034 §4).
pub(super) fn challenge(base64: &str) -> Reply {
    format!("+ {base64}\r\n").into_bytes()
}

/// A multi-line reply from lines that need no byte-stuffing.
pub(super) fn multi<'a>(text: &str, lines: impl IntoIterator<Item = &'a str>) -> Reply {
    let mut reply = ok(text);
    for one in lines {
        reply.extend_from_slice(one.as_bytes());
        reply.extend_from_slice(b"\r\n");
    }
    reply.extend_from_slice(b".\r\n");
    reply
}

/// STAT: "a drop listing", `+OK nn mm` (RFC 1939 §5).
pub(super) fn stat((count, octets): (usize, u64)) -> Reply {
    ok(&format!("{count} {octets}"))
}

/// LIST without argument: a status line, then message-numbers with sizes in octets.
pub(super) fn list(status: Reply, sizes: impl Iterator<Item = (usize, u64)>) -> Reply {
    numbered(status, sizes)
}

/// UIDL without argument: a status line, then message-numbers with unique-ids.
pub(super) fn uidl<'a>(status: Reply, unique_ids: impl Iterator<Item = (usize, &'a str)>) -> Reply {
    numbered(status, unique_ids)
}

fn numbered(mut reply: Reply, lines: impl Iterator<Item = (usize, impl Display)>) -> Reply {
    for (number, what) in lines {
        // Writing to memory cannot fail.
        let _ = write!(reply, "{number} {what}\r\n");
    }
    reply.extend_from_slice(b".\r\n");
    reply
}

fn line(status: &str, text: &str) -> Reply {
    if text.is_empty() { format!("{status}\r\n").into_bytes() } else { format!("{status} {text}\r\n").into_bytes() }
}

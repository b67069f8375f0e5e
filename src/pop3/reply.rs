//! Replies: `+OK`, `-ERR`, and the response codes of RFC 2449 §8 and RFC 3206.

use std::io::Write as _;

use super::manner::Manner;
use super::text::Text;
use super::{Listed, Listing};

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
pub(super) fn stat(listing: &Listing) -> Reply {
    let (count, octets) = listing.totals();
    ok(&format!("{count} {octets}"))
}

/// LIST without argument: of messages with their numbers, and their totals.
pub(super) fn list<'a>(
    manner: Manner,
    (count, octets): (usize, u64),
    messages: impl Iterator<Item = (usize, &'a Listed)>,
) -> Reply {
    let mut reply = manner.ok(Text::Messages { count, octets });
    for (number, message) in messages {
        // Writing to memory cannot fail.
        let _ = write!(reply, "{number} {}\r\n", message.octets);
    }
    reply.extend_from_slice(b".\r\n");
    reply
}

/// UIDL without argument.
pub(super) fn uidl<'a>(manner: Manner, messages: impl Iterator<Item = (usize, &'a Listed)>) -> Reply {
    let mut reply = manner.ok(Text::UniqueIdsFollow);
    for (number, message) in messages {
        let _ = write!(reply, "{number} {}\r\n", message.unique_id.as_str());
    }
    reply.extend_from_slice(b".\r\n");
    reply
}

fn line(status: &str, text: &str) -> Reply {
    if text.is_empty() { format!("{status}\r\n").into_bytes() } else { format!("{status} {text}\r\n").into_bytes() }
}

//! Messages that clients and servers get wrong, and what they are on the wire.

/// The fixed part of every header; the subject is the letter's name.
const HEADER: &str = "Return-Path: <sender@renovations.example>\n\
    From: Sender <sender@renovations.example>\n\
    To: Reader <reader@renovations.example>\n\
    Date: Mon, 23 Nov 2026 10:00:00 +0000\n";

/// One message in a Maildir.
pub(super) struct Letter {
    /// What is special about it.
    pub(super) name: &'static str,
    /// Its place and file name, in the order of arrival: `new/…` or `cur/…:2,S`.
    pub(super) file: String,
    /// The octets as they stand on disk.
    pub(super) disk: Vec<u8>,
}

/// Has no header at all: its first line begins with a dot.
pub(super) const HEADERLESS: &str = "headerless";
/// A file of no octets.
pub(super) const NOTHING: &str = "nothing";
/// Octet 0 within a line.
pub(super) const NUL: &str = "nul";
/// A header without the blank line behind it.
pub(super) const NO_BLANK_LINE: &str = "no-blank-line";

/// All letters, in the order in which they arrived.
pub(super) fn all() -> Vec<Letter> {
    all_but(&[])
}

/// All letters but those of these names; the others keep their file names.
pub(super) fn all_but(left_out: &[&str]) -> Vec<Letter> {
    let mut letters = Vec::new();
    for (number, (name, disk)) in contents().into_iter().enumerate() {
        let base = format!("17954500{number:02}.M{number}P1.mail");
        let file = if number % 3 == 1 { format!("cur/{base}:2,FRS") } else { format!("new/{base}") };
        letters.push(Letter { name, file, disk });
    }
    assert!(left_out.iter().all(|out| letters.iter().any(|letter| letter.name == *out)), "{left_out:?}");
    letters.retain(|letter| !left_out.contains(&letter.name));
    letters
}

/// The octets of RETR, worked out from the sentences of RFC 1939 and in another way than the server does: every line
/// ends in CRLF, the last one too, and nothing else is changed.
pub(super) fn wire(disk: &[u8]) -> Vec<u8> {
    let mut wire = Vec::new();
    let mut before = None;
    for octet in disk {
        if *octet == b'\n' && before != Some(b'\r') {
            wire.push(b'\r');
        }
        wire.push(*octet);
        before = Some(*octet);
    }
    if !matches!(before, None | Some(b'\n')) {
        wire.extend_from_slice(b"\r\n");
    }
    wire
}

/// Name and octets on disk.
fn contents() -> Vec<(&'static str, Vec<u8>)> {
    let long = [b"x".repeat(5_000), b"\nthe end\n".to_vec()].concat();
    let attachment = [[b"QUJD".repeat(19), b"\n".to_vec()].concat().repeat(4_000), b"QQ==\n".to_vec()].concat();
    vec![
        with_header("lf", b"one\ntwo\n"),
        with_header("two-empty-lines-at-the-end", b"\n\n \none  \n\n\n"),
        crlf("crlf", b"one\n\ntwo\n"),
        crlf("crlf-without-last-end", b"one\n.\ntwo"),
        with_header("mixed", b"one\r\ntwo\nthree\r\n\nfour\n"),
        with_header("without-last-end", b"one\ntwo"),
        with_header("dots", b".\n..\n.x\n...\n. \n\n.\n"),
        with_header("dot-without-last-end", b"one\n."),
        with_header("empty-body", b""),
        without_blank_line(NO_BLANK_LINE),
        with_header("lone-cr", b"one\rtwo\nthree\r\rfour\n\rfive\n"),
        with_header("cr-at-the-end", b"one\ntwo\r"),
        with_header("utf-8", "Grüße aus Łódź, 日本 🏠\n".as_bytes()),
        utf8_header("utf-8-header"),
        with_header("latin-1", b"Gr\xfc\xdfe \xa0\xff\n"),
        with_header("long-line", &long),
        with_header("from", b"From here\n>From there\n\nFrom sender@x Mon Nov 23 10:00:00 2026\n>>From\n"),
        with_header("attachment", &attachment),
        with_header(NUL, b"a\0b\nc\n"),
        (HEADERLESS, b".no header\nat all\n".to_vec()),
        (NOTHING, Vec::new()),
    ]
}

fn with_header(name: &'static str, body: &[u8]) -> (&'static str, Vec<u8>) {
    (name, [header(name, name).as_bytes(), b"\n", body].concat())
}

fn crlf(name: &'static str, body: &[u8]) -> (&'static str, Vec<u8>) {
    let (name, disk) = with_header(name, body);
    (name, String::from_utf8(disk).unwrap().replace('\n', "\r\n").into_bytes())
}

fn without_blank_line(name: &'static str) -> (&'static str, Vec<u8>) {
    (name, header(name, name).into_bytes())
}

fn utf8_header(name: &'static str) -> (&'static str, Vec<u8>) {
    (name, format!("{}\nbody\n", header(name, "für Jürgen")).into_bytes())
}

fn header(name: &str, subject: &str) -> String {
    format!("{HEADER}Subject: {subject}\nMessage-ID: <{name}@renovations.example>\n")
}

//! Messages with octets beyond ASCII in their header (RFC 6856), as they are and wrapped: the octets told are the octets
//! sent, for clients that say UTF8 and for those that do not.

use crate::support::conversation::Conversation;
use crate::support::maildir;
use crate::support::stage::{PASSWORD, Stage};

const ASCII: &[u8] = b"Subject: one\n\nGr\xc3\xbc\xc3\x9fe\n";
const UTF8: &[u8] = "From: Jürgen <juergen@renovations.example>\nSubject: Grüße\n\n.dot\nText".as_bytes();
const LATIN1: &[u8] = b"Subject: Gr\xfc\xdfe\r\n\r\nText\r\n";

const MESSAGES: [(&str, &[u8]); 3] = [("new/1.a", ASCII), ("new/2.b,W=77", UTF8), ("cur/3.c:2,S", LATIN1)];

fn stage(eight_bit_headers: &str) -> Stage {
    Stage::set_by(&MESSAGES, |plan, _| {
        let key = format!("  eight_bit_headers: {eight_bit_headers}\n");
        plan.mailboxes.push_str(&key);
    })
}

fn session(stage: &Stage, utf8: bool) -> Conversation {
    let mut client = stage.client();
    if utf8 {
        client.ask("UTF8", "+OK");
    }
    client.login("ajones", PASSWORD);
    client
}

/// Fetches every message, and sees that LIST, STAT and RETR tell the octets that come.
fn fetched(client: &mut Conversation) -> Vec<Vec<u8>> {
    client.ask("LIST", "+OK");
    let listed = String::from_utf8(client.multiline()).unwrap();
    let told: Vec<usize> = listed.lines().filter_map(|line| line.split_once(' ')?.1.parse().ok()).collect();
    let mut messages = Vec::new();
    for (number, octets) in (1..).zip(&told) {
        client.ask(&format!("RETR {number}"), &format!("+OK {octets} octets"));
        messages.push(client.message());
        assert_eq!(messages.last().unwrap().len(), *octets, "message {number}");
    }
    client.ask("STAT", &format!("+OK {} {}", told.len(), told.iter().sum::<usize>()));
    messages
}

/// As it lies on disk, with CRLF.
fn canonical(message: &[u8]) -> Vec<u8> {
    let lines = message.split(|octet| *octet == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let lines: Vec<&[u8]> = lines.collect();
    let whole = lines.strip_suffix(&[&b""[..]]).unwrap_or(&lines);
    whole.iter().flat_map(|line| [line, &b"\r\n"[..]].concat()).collect()
}

#[test]
fn they_are_offered_as_they_are_unless_told_otherwise() {
    let stage = stage("as_they_are");
    for utf8 in [false, true] {
        let messages = fetched(&mut session(&stage, utf8));
        assert_eq!(messages, MESSAGES.map(|(_, octets)| canonical(octets)));
    }
}

/// "When UTF-8 mode has not been enabled, character strings outside the ASCII repertoire MUST NOT be sent to the client as
/// is." (RFC 6856 §2.1) Bodies may have them.
#[test]
fn they_are_wrapped_for_clients_that_did_not_say_utf8() {
    let stage = stage("wrapped");
    // Twice: from the disk, and from what is kept.
    for _ in 0..2 {
        let messages = fetched(&mut session(&stage, false));
        assert_eq!(messages[0], canonical(ASCII));
        for (wrapped, original) in messages[1..].iter().zip([UTF8, LATIN1]) {
            assert!(wrapped.is_ascii());
            let text = String::from_utf8(wrapped.clone()).unwrap();
            let (header, body) = text.split_once("\r\n\r\n").unwrap();
            assert!(header.contains("Content-Type: message/global\r\n"), "{header}");
            assert_eq!(decoded(body), canonical(original));
        }
        let subject = "Subject: =?UTF-8?B?R3LDvMOfZQ==?=\r\n";
        assert!(String::from_utf8_lossy(&messages[1]).contains(subject));
    }
}

/// "In UTF-8 mode, if the character encoding format of maildrops is UTF-8 or ASCII, the messages are sent to the client as
/// is" (RFC 6856 §2.1).
#[test]
fn clients_that_said_utf8_get_the_original() {
    let stage = stage("wrapped");
    let wrapped = fetched(&mut session(&stage, false));
    let messages = fetched(&mut session(&stage, true));
    assert_eq!(messages, MESSAGES.map(|(_, octets)| canonical(octets)));
    assert_ne!(messages, wrapped);
}

#[test]
fn top_sends_the_header_of_what_is_offered_and_a_newcomer_is_looked_at() {
    let stage = stage("wrapped");
    let mut client = session(&stage, false);
    client.ask("TOP 2 0", "+OK");
    let top = String::from_utf8(client.message()).unwrap();
    assert!(top.ends_with("filename=\"message.eml\"\r\n\r\n"), "{top}");
    client.ask("QUIT", "+OK");
    maildir::deliver(&stage.maildir(), "new/4.d", UTF8);
    let messages = fetched(&mut session(&stage, false));
    assert_eq!(messages[3], messages[1]);
}

fn decoded(body: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(body.replace("\r\n", "")).unwrap()
}

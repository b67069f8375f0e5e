//! Mail that was compressed on disk: read as the message within, or refused in words where it cannot be.

use std::fs::{self, File};
use std::path::Path;

use crate::support::conversation::Conversation;
use crate::support::maildir;
use crate::support::process::{output, program};
use crate::support::stage::Stage;

const LETTER: &[u8] = "From: Jürgen <j@renovations.example>\nSubject: Grüße\n\n.dot\nend".as_bytes();

/// What a program makes of some octets.
fn made(by: &str, content: &[u8]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let plain = folder.path().join("plain");
    fs::write(&plain, content).unwrap();
    let made = output(program(by).args(["-c", "-q"]).arg(&plain), "");
    assert!(made.status.success(), "{by}: {}", String::from_utf8_lossy(&made.stderr));
    assert!(!made.stdout.is_empty());
    made.stdout
}

/// As RETR sends it, before it is stuffed.
fn sent(message: &[u8]) -> Vec<u8> {
    let text = String::from_utf8(message.to_vec()).unwrap();
    let lines: Vec<&str> = text.strip_suffix('\n').unwrap_or(&text).split('\n').collect();
    lines.iter().flat_map(|line| format!("{line}\r\n").into_bytes()).collect()
}

fn long() -> Vec<u8> {
    let lines = (0..60_000).map(|number| format!("line {number} of a long letter, {}\n", number * 7919 % 10007));
    ["Subject: long\n\n".to_owned()].into_iter().chain(lines).collect::<String>().into_bytes()
}

/// The octets that LIST gives for each message.
fn listed(client: &mut Conversation) -> Vec<usize> {
    client.ask("LIST", "+OK");
    let lines = String::from_utf8(client.multiline()).unwrap();
    lines.lines().filter_map(|line| line.split_once(' ')?.1.parse().ok()).collect()
}

#[test]
fn gzip_and_zstd_are_read_as_the_message_within() {
    let long = long();
    for by in ["gzip", "zstd"] {
        let (letter, compressed) = (made(by, LETTER), made(by, &long));
        let (plain, wire) = (LETTER.len(), sent(LETTER).len());
        let in_parts = [made(by, &LETTER[..20]), made(by, &LETTER[20..])].concat();
        let messages: &[(&str, &[u8])] = &[
            ("new/1.a", &letter),
            (&format!("cur/2.b,S={plain}:2,SZ"), &letter),
            (&format!("cur/3.c,S={plain},W={wire}:2,Z"), &letter),
            // What the old server wrote into the name is wrong.
            ("cur/4.d,W=7:2,", &letter),
            ("cur/5.e:2,", &compressed),
            (&format!("cur/6.f,W={}:2,", sent(&long).len()), &compressed),
            ("cur/7.g:2,Z", LETTER),
            ("cur/8.h:2,", &in_parts),
        ];
        let stage = Stage::set("", messages);
        let mut client = stage.session();
        let told = listed(&mut client);
        let whole = sent(&long).len();
        assert_eq!(told, [wire, wire, wire, 7, whole, whole, wire, wire], "{by}");
        for number in 1..=8 {
            let content = if [5, 6].contains(&number) { &long[..] } else { LETTER };
            client.ask(&format!("RETR {number}"), "+OK");
            assert!(client.message() == sent(content), "{by}, message {number}");
            client.ask(&format!("TOP {number} 1"), "+OK");
            let top = client.message();
            let head = content.windows(2).position(|pair| pair == b"\n\n").unwrap() + 2;
            let line = content[head..].iter().position(|octet| *octet == b'\n').unwrap() + 1;
            assert_eq!(top, sent(&content[..head + line]), "{by}, message {number}");
        }
        stage.service.wait_for_log(&["WARN", "octets listed differ from octets sent", "4.d"]);
        for number in 2..=8 {
            client.ask(&format!("DELE {number}"), "+OK");
        }
        client.ask("QUIT", "+OK");
        client.ended();
        assert_eq!(maildir::names(&stage.maildir()), ["new/1.a"]);
        assert!(stage.service.log().iter().all(|line| !line.contains("ERROR")));
    }
}

/// The octets survive a restart in the index, and are still those of the message within.
#[test]
fn the_index_has_the_octets_of_the_message_within() {
    let letter = made("gzip", LETTER);
    let names: Vec<String> = (100..300).map(|number| format!("cur/{number}.a:2,Z")).collect();
    let messages: Vec<(&str, &[u8])> = names.iter().map(|name| (&**name, &*letter)).collect();
    let stage = Stage::set("", &messages);
    let (total, wire) = (200 * sent(LETTER).len(), sent(LETTER).len());
    stage.command(&["index", "ajones"]);
    assert!(stage.maildir().join("restante-index").is_file());
    let mut client = stage.session();
    client.ask("STAT", &format!("+OK 200 {total}"));
    client.ask("RETR 200", &format!("+OK {wire} octets"));
    assert_eq!(client.message(), sent(LETTER));
}

#[test]
fn a_compressed_message_with_octets_beyond_ascii_in_its_header_is_wrapped() {
    for by in ["gzip", "zstd"] {
        let letter = made(by, LETTER);
        let plain = Stage::set_by(&[("cur/1.a", LETTER)], wrapped);
        let stage = Stage::set_by(&[("cur/1.a", &letter), ("cur/2.b,W=70", &letter)], wrapped);
        let fetched = |stage: &Stage, number: usize| {
            let mut client = stage.session();
            let octets = listed(&mut client)[number - 1];
            client.ask(&format!("RETR {number}"), "+OK");
            (octets, client.message())
        };
        let expected = fetched(&plain, 1);
        assert_eq!(expected.0, expected.1.len());
        assert_eq!([1, 2].map(|number| fetched(&stage, number)), [expected.clone(), expected]);
    }
}

fn wrapped(plan: &mut crate::support::service::Plan, _: &crate::support::service::Site) {
    plan.mailboxes.push_str("  eight_bit_headers: wrapped\n");
}

/// It keeps its place and its unique-id; it is never sent as it lies on disk; and nobody has it, so nobody deletes it.
#[test]
fn what_cannot_be_read_as_mail_is_refused_in_words_and_never_deleted() {
    let cut = |by: &str| {
        let whole = made(by, &long());
        whole[..whole.len() - 5].to_vec()
    };
    let flipped = |by: &str| {
        let mut whole = made(by, &long());
        let middle = whole.len() / 2;
        whole[middle] ^= 0x55;
        whole[middle + 1] ^= 0x55;
        whole
    };
    let encrypted = [b"CRYPTED\x03\x07\x02".as_slice(), &[7; 300]].concat();
    let dovecot_lz4 = [b"Dovecot-LZ4\r\x2a\x9b\xc5".as_slice(), &[9; 100]].concat();
    let bad: [(Vec<u8>, &str); 9] = [
        (made("bzip2", LETTER), "compressed"),
        (made("xz", LETTER), "compressed"),
        (made("lz4", LETTER), "compressed"),
        (dovecot_lz4, "compressed"),
        (encrypted, "encrypted"),
        (cut("gzip"), "damaged"),
        (cut("zstd"), "damaged"),
        (flipped("gzip"), "damaged"),
        (b"\x28\xb5\x2f\xfd no stream".to_vec(), "damaged"),
    ];
    for (content, word) in &bad {
        let believed = [("new/1.a", &**content), ("cur/2.b,S=64,W=70:2,SZ", &**content), ("cur/3.c", LETTER)];
        let stage = Stage::set("", &believed);
        for _ in 0..2 {
            let mut client = stage.session();
            client.ask("UIDL", "+OK");
            assert!(client.multiline().starts_with(b"1 1.a\r\n2 2.b,S=64,W=70\r\n3 3.c\r\n"));
            assert_eq!(listed(&mut client)[0], content.len());
            for number in [1, 2] {
                client.ask(&format!("RETR {number}"), "-ERR [SYS/PERM] ");
                assert!(client.ask(&format!("TOP {number} 0"), "-ERR [SYS/PERM] ").contains(word));
            }
            client.ask("RETR 3", "+OK 70 octets");
            assert_eq!(client.message(), sent(LETTER));
            client.ask("DELE 1", "+OK");
            client.ask("DELE 2", "+OK");
            client.ask("QUIT", "-ERR");
            client.ended();
        }
        for name in ["1.a", "2.b"] {
            assert_eq!(stage.service.wait_for_logs(&["ERROR", "cannot be read as mail", name], 1).len(), 1);
        }
        assert_eq!(fs::read(stage.maildir().join("new/1.a")).unwrap(), *content);
        assert_eq!(fs::read(stage.maildir().join("cur/2.b,S=64,W=70:2,SZ")).unwrap(), *content);
        let mut client = stage.session();
        client.ask("DELE 3", "+OK");
        client.ask("QUIT", "+OK");
        client.ended();
        assert_eq!(maildir::names(&stage.maildir()).len(), 2);
    }
}

/// A client that deletes what it was shown days ago, without a look at it now.
#[test]
fn what_was_never_read_is_not_deleted_either() {
    let damaged = &made("gzip", LETTER)[..30];
    for mailboxes in ["", "  deletion: { keep_for: 7d }\n", "  deletion: { move_to: Trash }\n"] {
        let messages = [("cur/1.a,W=70:2,S", damaged), ("cur/2.b,W=70:2,S", LETTER)];
        let stage = Stage::set_by(&messages, |plan, _| plan.mailboxes.push_str(mailboxes));
        let mut client = stage.session();
        client.ask("DELE 1", "+OK");
        client.ask("DELE 2", "+OK");
        client.ask("QUIT", "-ERR");
        client.ended();
        assert_eq!(maildir::names(&stage.maildir()), ["cur/1.a,W=70:2,S"]);
        stage.service.wait_for_log(&["1.a", "no client can have read it"]);
    }
}

/// A stream that was mended in its place is read again.
#[test]
fn what_is_mended_is_sent() {
    let letter = made("zstd", LETTER);
    let stage = Stage::set("", &[("cur/1.a", &letter[..20])]);
    stage.session().ask("RETR 1", "-ERR [SYS/PERM]");
    maildir::deliver(&stage.maildir(), "cur/1.a", &letter);
    let mut client = stage.session();
    client.ask("RETR 1", "+OK 70 octets");
    assert_eq!(client.message(), sent(LETTER));
}

/// Of a terabyte without content nothing is read to count it, nor to send it.
#[test]
fn what_is_larger_than_the_largest_message_is_listed_by_its_file_and_refused() {
    let limit = 1 << 20;
    let lines = |octets: usize| [b"x".repeat(1023), b"\n".to_vec()].concat().repeat(octets / 1024);
    let (fits, bomb) = (made("gzip", &lines(limit)), made("zstd", &lines(limit + 1024)));
    let stage = Stage::set_by(&[], |plan, site| {
        plan.mailboxes.push_str("  largest_message: 1MiB\n");
        let sparse = |path: &Path| File::create(path).unwrap().set_len(1 << 40).unwrap();
        maildir::make(&site.maildir("ajones"), &[("cur/3.c", &bomb), ("cur/4.d,W=9", &bomb), ("cur/5.e", &fits)]);
        sparse(&site.maildir("ajones").join("cur/1.a"));
        sparse(&site.maildir("ajones").join("cur/2.b,S=9,W=9"));
    });
    let mut client = stage.session();
    let whole = limit + limit / 1024;
    assert_eq!(listed(&mut client), [1 << 40, 9, bomb.len(), 9, whole]);
    for number in 1..=4 {
        assert!(client.ask(&format!("RETR {number}"), "-ERR [SYS/PERM]").contains("too large"));
        client.ask(&format!("DELE {number}"), "+OK");
    }
    client.ask("RETR 5", &format!("+OK {whole} octets"));
    assert_eq!(client.message().len(), whole);
    client.ask("QUIT", "-ERR");
    client.ended();
    assert_eq!(maildir::names(&stage.maildir()).len(), 5);
}

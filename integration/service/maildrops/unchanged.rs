//! What a login costs: of an unchanged maildrop two `stat` calls, of a changed one its names and what is new.

use std::time::Instant;

use super::NOT_NOW;
use crate::support::calls::{Call, Calls};
use crate::support::stage::Stage;
use crate::support::{maildir, wait_until_settled};

/// Every call that opens, reads or looks at files, and those that answer a client in clear.
const WATCHED: &str = "%file,getdents64,read,readv,pread64,preadv2,sendto,write,writev";

/// So many messages that their names do not fit into one answer of the kernel.
const MESSAGES: usize = 2000;

fn filled() -> Stage {
    let messages: Vec<(String, &[u8])> =
        (0..MESSAGES).map(|number| (format!("cur/{number}.a:2,S"), b"Subject: a\n\na\n".as_slice())).collect();
    let messages: Vec<(&str, &[u8])> = messages.iter().map(|(name, octets)| (&**name, *octets)).collect();
    Stage::set("", &messages)
}

/// What one session asks of the kernel that has to do with the Maildir or with the client.
fn session(stage: &Stage, commands: &[(&str, &str)]) -> Vec<Call> {
    let calls = Calls::watch(stage.service.pid(), WATCHED);
    let mut client = stage.session();
    for (command, reply) in commands {
        client.ask(command, reply);
    }
    client.ask("QUIT", "+OK");
    client.ended();
    calls.seen()
}

fn named<'a>(calls: &'a [Call], name: &'a str) -> impl Iterator<Item = &'a Call> {
    calls.iter().filter(move |call| call.name.starts_with(name))
}

/// The messages that were opened.
fn opened(calls: &[Call]) -> Vec<&Call> {
    named(calls, "open").filter(|call| call.told.contains(":2,") || call.told.contains(".new-one")).collect()
}

/// The reads of directories that had an answer.
fn read_names(calls: &[Call]) -> usize {
    named(calls, "getdents64").filter(|call| !call.told.ends_with("= 0")).count()
}

#[test]
fn an_unchanged_maildrop_costs_two_looks_where_the_socket_is_read() {
    let stage = filled();
    wait_until_settled(&stage.maildir());
    drop(stage.session());
    let calls = session(&stage, &[("STAT", "+OK 2000 34000")]);
    let looks: Vec<&Call> = named(&calls, "newfstatat").filter(|call| call.told.contains("ajones")).collect();
    assert_eq!(looks.len(), 2, "{looks:?}");
    assert_eq!(named(&calls, "open").count() + read_names(&calls), 0, "{calls:?}");
    // No other thread took part: the one that looked wrote the answer.
    let greeting = calls.iter().find(|call| call.told.contains("+OK maildrop has")).unwrap();
    assert!(looks.iter().all(|look| look.thread == greeting.thread), "{looks:?} {greeting:?}");
}

#[test]
fn a_changed_maildrop_costs_its_names_and_what_is_new() {
    let stage = filled();
    drop(stage.session());
    maildir::deliver(&stage.maildir(), "new/9999.new-one", b"Subject: b\n\nb\n");
    let calls = session(&stage, &[("STAT", "+OK 2001 34017")]);
    assert_eq!(opened(&calls).len(), 1, "{:?}", opened(&calls));
    assert!(opened(&calls)[0].told.contains("9999.new-one"));
    let names: usize = named(&calls, "getdents64").filter(|call| call.told.ends_with("= 0")).count();
    assert_eq!(names, 2, "`new` and `cur` are read once each");
}

#[test]
fn after_our_own_deletions_nothing_is_opened() {
    let stage = filled();
    drop(stage.session());
    session(&stage, &[("DELE 1", "+OK"), ("DELE 1000", "+OK")]);
    let calls = session(&stage, &[("STAT", "+OK 1998 33966"), ("UIDL 1", "+OK 1 1.a"), ("UIDL 999", "+OK 999 1000.a")]);
    assert!(opened(&calls).is_empty(), "{:?}", opened(&calls));
    assert!(read_names(&calls) > 0);
}

/// Open, look, read and close, once each; and one reply for the whole pipeline.
#[test]
fn messages_in_memory_are_sent_by_the_thread_that_reads_the_socket() {
    let stage = filled();
    wait_until_settled(&stage.maildir());
    drop(stage.session());
    // Delivered a moment ago, so the kernel has them in memory.
    let mut client = stage.session();
    let calls = Calls::watch(stage.service.pid(), "openat,openat2,fstat,newfstatat,read,pread64,preadv2,close,sendto");
    let pipeline = (1..=10).map(|number| format!("RETR {number}\r\n")).collect::<Vec<_>>().concat();
    client.send_octets(pipeline.as_bytes());
    for _ in 0..10 {
        client.expect("+OK 17 octets");
        assert_eq!(client.message(), b"Subject: a\r\n\r\na\r\n");
    }
    let calls = calls.seen();
    let of_messages: Vec<&str> =
        calls.iter().filter(|call| call.told.contains(".a:2,S")).map(|call| &*call.name).collect();
    let fstat = of_messages[1];
    assert_eq!(of_messages, ["openat2", fstat, "preadv2", "close"].repeat(10), "{calls:?}");
    assert!(fstat.contains("stat"), "{fstat}");
    assert_eq!(named(&calls, "sendto").count(), 1, "{calls:?}");
    assert!(calls.iter().all(|call| call.thread == calls[0].thread), "{calls:?}");
}

/// The greeting leaves together with the session tickets.
#[test]
fn a_handshake_costs_two_answers() {
    let stage = Stage::set("", &[]);
    let calls = Calls::watch(stage.service.pid(), "sendto,sendmsg,write,writev");
    let client = stage.tls_client();
    // The greeting of another, in clear.
    let last = stage.client();
    let calls = calls.seen_until("\"+OK ");
    let to_client = |call: &&Call| call.told.contains("socket:") && !call.told.contains("\"+OK ");
    assert_eq!(calls.iter().filter(to_client).count(), 2, "{calls:?}");
    drop((client, last));
}

/// A client that asks for thousands of messages which another session has deleted costs no reading of the names for each.
#[test]
fn messages_that_are_gone_do_not_have_the_names_read_for_each() {
    let stage = filled();
    let mut client = stage.session();
    for number in 0..MESSAGES {
        std::fs::remove_file(stage.maildir().join(format!("cur/{number}.a:2,S"))).unwrap();
    }
    let (calls, begun) = (Calls::watch(stage.service.pid(), WATCHED), Instant::now());
    for number in 1..=300 {
        client.ask(&format!("RETR {number}"), NOT_NOW);
    }
    let times = usize::try_from(begun.elapsed().as_secs()).unwrap() + 1;
    client.ask("QUIT", "+OK");
    client.ended();
    let ends = named(&calls.seen(), "getdents64").filter(|call| call.told.ends_with("= 0")).count();
    assert!((2..=2 * times).contains(&ends), "`new` and `cur` are read once a second at most: {ends}, {times} s");
}

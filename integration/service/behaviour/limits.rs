//! What the service takes on, and what it does at its limits.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, prlimit};

use super::{big, downloading};
use crate::support::conversation::Conversation;
use crate::support::stage::{PASSWORD, Stage};
use crate::support::wait_until;

const TURNED_AWAY: &str = "-ERR [SYS/TEMP] too many connections, try again later";

/// Who has connected and gone is not counted any more; the place is free as soon as the log says so.
#[test]
fn connections_are_counted_in_all_and_by_address() {
    for (limits, reason) in [
        ("limits: { connections: 2 }\n", "limits.connections is reached"),
        ("limits: { connections_per_address: 2 }\n", "limits.connections_per_address is reached"),
    ] {
        let stage = Stage::set(limits, &[]);
        let (first, mut second) = (stage.client(), stage.tls_client());
        let mut third = Conversation::plain(stage.service.pop3());
        third.expect(TURNED_AWAY);
        third.ended();
        // Under TLS there are no words for it yet.
        let mut fourth = TcpStream::connect(stage.service.pop3s()).unwrap();
        assert_eq!(fourth.read(&mut [0; 1]).unwrap_or(0), 0);
        wait_for_turned_away(&stage, reason, 2);
        second.login("ajones", PASSWORD);
        drop(first);
        wait_until("the place is free", || {
            let mut greeting = [0; 3];
            let client = TcpStream::connect(stage.service.pop3()).and_then(|mut it| it.read_exact(&mut greeting));
            client.is_ok() && greeting == *b"+OK"
        });
    }
}

/// Waits until the log's sums tell of so many clients of this machine; gives their lines.
fn wait_for_turned_away(stage: &Stage, reason: &str, connections: usize) -> usize {
    let words = ["WARN", "connections turned away", reason, "network=127.0.0.1 ", "connections="];
    let (mut lines, mut sum) = (0, 0);
    wait_until("those who were turned away are logged", || {
        let log = stage.service.log();
        let told: Vec<&String> = log.iter().filter(|line| words.iter().all(|word| line.contains(word))).collect();
        let count = |line: &&String| line.rsplit_once("connections=").unwrap().1.parse::<usize>().unwrap();
        (lines, sum) = (told.len(), told.iter().map(count).sum());
        sum >= connections
    });
    assert_eq!(sum, connections);
    lines
}

#[test]
fn clients_that_are_turned_away_again_and_again_fill_no_log() {
    let stage = Stage::set("limits: { connections_per_address: 1 }\n", &[]);
    let _first = stage.client();
    for _ in 0..300 {
        Conversation::plain(stage.service.pop3()).expect(TURNED_AWAY);
    }
    let lines = wait_for_turned_away(&stage, "limits.connections_per_address is reached", 300);
    assert!(lines <= 4, "{lines}");
}

/// Closed with octets unread, the kernel would break the connection, and the last words could be lost on the way.
#[test]
fn who_talks_on_hears_the_last_words() {
    let stage = Stage::set("limits: { wrong_commands: 3 }\n", &[]);
    for _ in 0..20 {
        let mut client = stage.client();
        client.send_octets("nonsense\r\n".repeat(2_000).as_bytes());
        client.expect("-ERR unknown command");
        client.expect("-ERR unknown command");
        client.expect("-ERR too many wrong commands");
        client.ended_in_good_order();
        client.send_octets(b"a connection that was reset would take no more\r\n");
    }
}

/// The time of a login counts from the greeting, whatever the client says meanwhile.
#[test]
fn a_login_has_its_time() {
    let stage = Stage::set("limits: { login: 10s }\n", &[]);
    let began = Instant::now();
    let (mut silent, mut logged_in) = (stage.tls_client(), stage.session());
    talk_to_the_end(stage.service.pop3());
    // "… the server should close the TCP connection without removing any messages or sending any response to the client."
    // (RFC 1939 §3)
    silent.ended();
    assert!((9..20).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
    stage.service.wait_for_logs(&["connection ended", "reason=\"no login within the limit\""], 2);
    logged_in.ask("NOOP", "+OK");
}

/// Says something twice a second until the server closes.
fn talk_to_the_end(server: SocketAddr) {
    let mut client = TcpStream::connect(server).unwrap();
    client.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    let ended = |read: std::io::Result<usize>| match read {
        Ok(count) => count == 0,
        Err(fault) => fault.kind() != ErrorKind::WouldBlock,
    };
    while !ended(client.read(&mut [0; 4096])) {
        let _closed_meanwhile = client.write_all(b"CAPA\r\n");
    }
}

#[test]
fn a_client_that_does_not_read_is_let_go() {
    let stage = Stage::set("limits: { slow_reader: 1s }\n", &[("cur/1.big", &big())]);
    let client = downloading(&stage);
    let end = stage.service.wait_for_log(&["connection ended", "reason=\"client too slow to take its reply\""]);
    assert!(end.contains("person=\"ajones\"") && end.contains("retr=0"), "{end}");
    drop(client);
    // Another one is not harmed.
    let mut client = stage.session();
    client.ask("RETR 1", "+OK");
    assert_eq!(client.message().len(), 16_000_016);
}

/// Accepting goes on after "too many open files".
#[test]
fn when_files_run_out_the_service_goes_on_once_there_are_some() {
    let stage = Stage::set("", &[]);
    let mut early = stage.session();
    let pid = Pid::from_raw(i32::try_from(stage.service.pid()).unwrap());
    let descriptors = || fs::read_dir(format!("/proc/{}/fd", stage.service.pid())).unwrap().count() as u64;
    let room = descriptors() + 4;
    let before = prlimit(pid, Resource::Nofile, Rlimit { current: Some(room), maximum: Some(room) }).unwrap();
    assert!(before.current.is_none_or(|before| before > 1000));
    // All of them are connected by the kernel; those that are not accepted wait.
    let waiting: Vec<TcpStream> = (0..20).map(|_| TcpStream::connect(stage.service.pop3()).unwrap()).collect();
    stage.service.wait_for_log(&["ERROR", "cannot accept connections", "Too many open files"]);
    early.ask("NOOP", "+OK");
    drop(waiting);
    let mut late = Conversation::plain(stage.service.pop3());
    late.expect("+OK");
    late.login("ajones", PASSWORD);
    wait_until("those that left are gone", || descriptors() < room);
    late.ask("QUIT", "+OK");
}

/// An administrator may want to unmount the disk.
#[test]
fn a_client_that_pauses_keeps_no_directory_open() {
    let stage = Stage::set("", &[("new/1.a", b"Subject: a\n\na\n"), ("new/2.b", b"Subject: b\n\nb\n")]);
    let mut client = stage.client();
    client.login("ajones", PASSWORD);
    client.ask("RETR 1", "+OK");
    client.multiline();
    let below = |target: &Path| target.starts_with(stage.maildir());
    let open = || {
        let descriptors = fs::read_dir(format!("/proc/{}/fd", stage.service.pid())).unwrap();
        descriptors.filter_map(|fd| fs::read_link(fd.ok()?.path()).ok()).filter(|target| below(target)).count()
    };
    wait_until("nothing is open below the Maildir", || open() == 0);
    client.ask("RETR 2", "+OK");
    client.multiline();
    client.ask("DELE 2", "+OK");
    wait_until("nothing is open below the Maildir", || open() == 0);
    client.ask("QUIT", "+OK");
}

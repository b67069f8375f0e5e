//! How the service ends, and how it does not.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use socket2::{Domain, Socket, Type};

use super::{big, downloading};
use crate::support::conversation::Conversation;
use crate::support::maildir;
use crate::support::stage::Stage;
use crate::support::wait_until;

const SHUTTING_DOWN: &str = "shutting down";

fn ends(stage: Stage) -> Vec<String> {
    let Stage { mut service, .. } = stage;
    let (status, log) = service.ended();
    assert_eq!(status.code(), Some(0));
    log.into_iter().filter(|line| line.contains("connection ended")).collect()
}

#[test]
fn idle_sessions_end_in_good_order() {
    for signal in [Signal::TERM, Signal::INT] {
        let stage = Stage::set("", &[("cur/1.a", b"a\n")]);
        let mut clients = [stage.client(), stage.session(), stage.tls_client(), stage.tls_client()];
        clients[3].login("ajones", crate::support::stage::PASSWORD);
        clients[3].ask("DELE 1", "+OK");
        let began = Instant::now();
        stage.service.signal(signal);
        // Nothing is said: what is no answer would be taken for the answer to the next command.
        clients[..2].iter_mut().for_each(Conversation::ended);
        // TLS ends with its closing alert, so that a client can tell the end from a cut.
        clients[2..].iter_mut().for_each(Conversation::ended_in_good_order);
        assert_eq!(maildir::names(&stage.maildir()), ["cur/1.a"]);
        let ends = ends(stage);
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
        assert_eq!(ends.len(), 4);
        assert!(
            ends.iter().all(|line| line.contains("reason=\"server shutting down\"") && line.contains("dele=0")),
            "{ends:?}"
        );
    }
}

/// A client in the middle of a handshake has asked for nothing yet; nobody waits for it.
#[test]
fn handshakes_hold_nothing_up() {
    let stage = Stage::set("", &[]);
    let mut silent = Conversation::plain(stage.service.pop3s());
    let mut after_stls = stage.client();
    after_stls.ask("STLS", "+OK");
    // Both were accepted: a later client on the same port is served.
    drop(stage.tls_client());
    let began = Instant::now();
    stage.service.signal(Signal::TERM);
    silent.ended();
    after_stls.ended();
    assert_eq!(ends(stage).len(), 3);
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

#[test]
fn a_download_under_way_finishes() {
    let stage = Stage::set("", &[("cur/1.big", &big())]);
    let mut clients = [downloading(&stage), downloading(&stage)];
    // Sent before the end: it is answered. QUIT commits what was marked.
    clients[1].send_octets(b"NOOP\r\nRETR 1\r\nNOOP\r\nDELE 1\r\nQUIT\r\n");
    stage.service.signal(Signal::TERM);
    stage.service.wait_for_log(&[SHUTTING_DOWN]);
    let [first, second] = &mut clients;
    assert_eq!(first.message().len(), 16_000_016);
    first.ended();
    assert_eq!(maildir::names(&stage.maildir()), ["cur/1.big"]);
    assert_eq!(second.message().len(), 16_000_016);
    second.expect("+OK");
    second.expect("+OK 16000016 octets");
    assert_eq!(second.message().len(), 16_000_016);
    for _ in 0..3 {
        second.expect("+OK");
    }
    second.ended();
    assert_eq!(maildir::names(&stage.maildir()), [] as [&str; 0]);
    let ends = ends(stage);
    assert!(
        ends.iter().any(|line| line.contains("retr=1 retr_octets=16000016") && line.contains("shutting down")),
        "{ends:?}"
    );
    assert!(
        ends.iter().any(|line| line.contains("retr=2 retr_octets=32000032") && line.contains("dele=1")),
        "{ends:?}"
    );
}

/// Replies that wait to be sent, and commands that wait to be read, are not forgotten: whenever the signal comes, a
/// client gets whole replies to all that it has said.
#[test]
fn what_waits_at_the_signal_is_not_lost() {
    const COMMANDS: usize = 30_000;
    let stage = Stage::set("", &[]);
    let mut clients: Vec<TcpStream> = (0..16).map(|_| narrow(stage.service.pop3())).collect();
    for (number, client) in clients.iter_mut().enumerate() {
        // Shorter replies first, so that each connection comes to a stand at another place.
        let commands = "USER x\r\n".repeat(100 * number) + &"CAPA\r\n".repeat(COMMANDS);
        client.write_all(commands.as_bytes()).unwrap();
    }
    until_nothing_moves(stage.service.pop3());
    stage.service.signal(Signal::TERM);
    stage.service.wait_for_log(&[SHUTTING_DOWN]);
    for client in &mut clients {
        let mut heard = String::new();
        client.read_to_string(&mut heard).unwrap();
        assert!(heard.ends_with("IMPLEMENTATION Restante\r\n.\r\n"), "cut: {:?}", heard.lines().last());
        assert_eq!(heard.matches("capabilities follow").count(), COMMANDS);
    }
    assert_eq!(ends(stage).len(), clients.len());
}

/// A connection whose client takes a few thousand octets at most until it reads.
fn narrow(server: SocketAddr) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(2048).unwrap();
    socket.connect(&server.into()).unwrap();
    socket.into()
}

/// Waits until the queues of all connections of a port stay as they are: the server can send no more.
fn until_nothing_moves(server: SocketAddr) {
    let port = format!(":{:04X} ", server.port());
    let queues = || {
        let all = std::fs::read_to_string("/proc/net/tcp").unwrap();
        let ours = all.lines().filter(|line| line.contains(&port));
        ours.filter_map(|line| line.split_whitespace().nth(4).map(str::to_owned)).collect::<Vec<_>>()
    };
    let (mut last, mut times) = (Vec::new(), 0);
    wait_until("nothing moves", || {
        let now = queues();
        times = if now == last { times + 1 } else { 0 };
        last = now;
        times == 50
    });
}

#[test]
fn what_takes_longer_than_the_limit_is_cut() {
    let stage = Stage::set("limits: { shutdown: 1s }\n", &[("cur/1.big", &big())]);
    let mut client = downloading(&stage);
    client.send_octets(b"DELE 1\r\nQUIT\r\n");
    let began = Instant::now();
    stage.service.signal(Signal::TERM);
    stage.service.wait_for_log(&["sessions still open after limits.shutdown are closed"]);
    let names = maildir::names(&stage.maildir());
    let ends = ends(stage);
    assert!(began.elapsed() >= Duration::from_secs(1) && began.elapsed() < Duration::from_secs(15));
    assert!(
        ends.len() == 1 && ends[0].contains("reason=\"cut at shutdown\"") && ends[0].contains("retr=0"),
        "{ends:?}"
    );
    let (_, octets) = ends[0].split_once("retr_octets=").unwrap();
    let octets: u64 = octets.split(' ').next().unwrap().parse().unwrap();
    assert!((1..16_000_016).contains(&octets), "what went out counts: {ends:?}");
    assert_eq!(names, ["cur/1.big"]);
}

/// No more connections are accepted from the signal on.
#[test]
fn while_it_ends_nobody_else_comes_in() {
    let stage = Stage::set("", &[("cur/1.big", &big())]);
    let mut client = downloading(&stage);
    stage.service.signal(Signal::TERM);
    stage.service.wait_for_log(&[SHUTTING_DOWN]);
    let refused = TcpStream::connect(stage.service.pop3());
    assert_eq!(refused.unwrap_err().kind(), std::io::ErrorKind::ConnectionRefused);
    client.message();
    client.ended();
}

#[test]
fn a_hang_up_ends_nothing() {
    let stage = Stage::set("", &[]);
    let mut client = stage.session();
    for number in 1..=2 {
        stage.service.signal(Signal::HUP);
        stage.service.wait_for_logs(&["event=configuration_reloaded"], number);
    }
    client.ask("NOOP", "+OK");
    stage.client().ask("CAPA", "+OK");
    stage.service.signal(Signal::TERM);
    client.ended();
    ends(stage);
}

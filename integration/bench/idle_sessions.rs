//! How many sessions one node holds, and what an idle one costs in memory.
//!
//! ```text
//! cargo bench --bench idle_sessions                  5,000 sessions, held for a minute
//! cargo bench --bench idle_sessions -- 1000 10       1,000 sessions, held for ten seconds
//! ```
//!
//! Sessions are opened over TLS twice, each time on a freshly started server: only greeted, and logged in. The memory is
//! the proportional set size (`Pss` of `/proc/PID/smaps_rollup`) of the server process alone. After the hold every
//! session must answer STAT.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for people at a terminal; a fault in it is a failed measurement"
)]

#[path = "../support/mod.rs"]
mod support;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use restante::demo::directory::EmbeddedDirectory;
use restante::demo::people::{self, SERVICE};
use restante::names::Dn;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use support::conversation::trusting;
use support::maildir;
use support::service::{Plan, Site};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

type Session = BufReader<TlsStream<TcpStream>>;

/// Handshakes under way at once: more would only wait for the two ends' processors.
const AT_ONCE: usize = 64;

fn main() {
    let numbers: Vec<u64> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let sessions = usize::try_from(numbers.first().copied().unwrap_or(5_000)).unwrap();
    let hold = Duration::from_secs(numbers.get(1).copied().unwrap_or(60));
    let _ = restante::server::raise_descriptor_limit();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    println!("{sessions} sessions over TLS, held for {hold:?}\n");
    println!("state      | before, kB | after, kB | octets a session | opened in | CPU of the server | answered");
    for log_in in [false, true] {
        runtime.block_on(measure(sessions, hold, log_in));
    }
}

async fn measure(sessions: usize, hold: Duration, log_in: bool) {
    let directory = EmbeddedDirectory::start(people::tree().unwrap(), Dn::parse(SERVICE)).unwrap();
    let site = Site::new();
    maildir::make(&site.maildir("ajones"), &[("new/1.a", b"Subject: one\n\nbody\n")]);
    let service = site.serve(
        &Plan::at(&directory.url())
            .and(&format!("limits: {{ connections: {0}, connections_per_address: {0}, login: 1h }}", sessions + 10)),
    );
    let before = service.memory() as usize;
    let began = Instant::now();
    let config = trusting(&site.authority());
    let mut open = open(service.pop3s(), &config, sessions, log_in).await;
    let opened = began.elapsed();
    let after = service.memory() as usize;
    tokio::time::sleep(hold).await;
    let mut answered = 0;
    for session in &mut open {
        let (command, reply) = if log_in { ("STAT", "+OK 1 ") } else { ("NOOP", "-ERR") };
        answered += usize::from(ask(session, command).await.starts_with(reply));
    }
    assert_eq!(answered, sessions);
    println!(
        "{:10} | {before:10} | {after:9} | {:16} | {opened:9.1?} | {:15.1} s | {answered}",
        if log_in { "logged in" } else { "greeted" },
        (after - before) * 1024 / sessions,
        service.cpu_seconds(),
    );
}

async fn open(server: SocketAddr, config: &Arc<ClientConfig>, sessions: usize, log_in: bool) -> Vec<Session> {
    let (mut opening, mut open) = (JoinSet::new(), Vec::with_capacity(sessions));
    for begun in 0..sessions {
        if begun >= AT_ONCE {
            open.push(opening.join_next().await.unwrap().unwrap());
        }
        opening.spawn(session(server, Arc::clone(config), log_in));
    }
    open.extend(opening.join_all().await);
    open
}

async fn session(server: SocketAddr, config: Arc<ClientConfig>, log_in: bool) -> Session {
    let socket = TcpStream::connect(server).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let mut session = BufReader::with_capacity(256, TlsConnector::from(config).connect(name, socket).await.unwrap());
    assert!(line(&mut session).await.starts_with("+OK"));
    if log_in {
        assert!(ask(&mut session, "USER ajones").await.starts_with("+OK"));
        assert!(ask(&mut session, "PASS violet-harbour-17").await.starts_with("+OK"));
    }
    session
}

async fn ask(session: &mut Session, command: &str) -> String {
    session.write_all(format!("{command}\r\n").as_bytes()).await.unwrap();
    session.flush().await.unwrap();
    line(session).await
}

async fn line(session: &mut Session) -> String {
    let mut line = String::new();
    session.read_line(&mut line).await.unwrap();
    line
}

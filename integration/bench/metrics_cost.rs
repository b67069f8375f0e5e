//! What the metrics cost while a Prometheus server reads them.
//!
//! ```text
//! cargo bench --bench metrics_cost              nine rounds
//! cargo bench --bench metrics_cost -- 3         three rounds
//! ```
//!
//! Two servers have the same directory and the same mail: one without `admin.http`, one with it. Rounds of both
//! alternate. A round is [`SESSIONS`] sessions, each with a login, STAT and QUIT; in the rounds of the second server the
//! metrics are read once, so that it is asked as often as by a Prometheus server that asks every 15 seconds, or more
//! often. CPU time is that of the server process. Memory is its proportional set size while [`IDLE`] sessions are
//! logged in.

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

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use restante::demo::directory::EmbeddedDirectory;
use restante::demo::people::{self, SERVICE};
use restante::names::Dn;
use support::maildir;
use support::service::{Plan, Service, Site};

/// Sessions in a round.
const SESSIONS: u32 = 10_000;

/// Sessions that are logged in while memory is measured.
const IDLE: usize = 1_000;

/// One of the two servers.
struct Side {
    _site: Site,
    service: Service,
    /// Where the metrics are read, if they are.
    http: Option<SocketAddr>,
}

fn main() {
    let rounds = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(9);
    let _ = restante::server::raise_descriptor_limit();
    let directory = EmbeddedDirectory::start(people::tree().unwrap(), Dn::parse(SERVICE)).unwrap();
    let sides = [Side::start(&directory, false), Side::start(&directory, true)];
    for side in &sides {
        side.round();
    }
    let mut ratios = Vec::new();
    println!("round | off, µs a session | on, µs a session | on / off");
    for round in 1..=rounds {
        let [off, on] = sides.each_ref().map(Side::round);
        ratios.push(on / off);
        println!("{round:5} | {off:17.1} | {on:16.1} | {:.3}", on / off);
    }
    ratios.sort_by(f64::total_cmp);
    println!("\nCPU: median {:.3} ({:.3} to {:.3})", ratios[ratios.len() / 2], ratios[0], ratios[ratios.len() - 1]);
    let [off, on] = sides.each_ref().map(Side::memory);
    let ratio = f64::from(on) / f64::from(off);
    println!("memory with {IDLE} sessions: off {off} kB, on {on} kB, {ratio:.3}");
}

impl Side {
    fn start(directory: &EmbeddedDirectory, with_metrics: bool) -> Self {
        let site = Site::new();
        maildir::make(&site.maildir("ajones"), &[("cur/1.a", b"Subject: one\n\nbody\n")]);
        let limits = format!("limits: {{ connections: {0}, connections_per_address: {0}, login: 1h }}\n", 2 * IDLE);
        let admin = if with_metrics { "admin: { http: \"127.0.0.1:0\" }\n" } else { "" };
        let service = site.serve(&Plan::at(&directory.url()).and(&limits).and(admin));
        let http = with_metrics.then(|| {
            let line = service.wait_for_log(&["event=admin_http_listener "]);
            line.split_once("address=\"").unwrap().1.split_once('"').unwrap().0.parse().unwrap()
        });
        Self { _site: site, service, http }
    }

    /// Microseconds of CPU time for one session.
    fn round(&self) -> f64 {
        let before = self.service.cpu_seconds();
        for _ in 0..SESSIONS {
            let mut client = self.session();
            assert!(client.gets("QUIT", "+OK"));
        }
        if let Some(http) = self.http {
            let metrics = read(http);
            assert!(metrics.contains("restante_logins_total"), "{metrics}");
        }
        (self.service.cpu_seconds() - before) * 1e6 / f64::from(SESSIONS)
    }

    /// A session that is logged in and has asked for the number of its messages.
    fn session(&self) -> Client {
        let mut client = Client::to(self.service.pop3());
        for command in ["USER ajones", "PASS violet-harbour-17", "STAT"] {
            assert!(client.gets(command, "+OK"), "{command}");
        }
        client
    }

    fn memory(&self) -> u32 {
        let idle: Vec<Client> = (0..IDLE).map(|_| self.session()).collect();
        let memory = self.service.memory();
        drop(idle);
        memory
    }
}

/// A client that reads no more than one short line for a command.
struct Client(TcpStream);

impl Client {
    fn to(server: SocketAddr) -> Self {
        let mut client = Self(TcpStream::connect(server).unwrap());
        assert!(client.line().starts_with("+OK"));
        client
    }

    /// Sends a command; returns whether the reply begins like this.
    fn gets(&mut self, command: &str, reply: &str) -> bool {
        self.0.write_all(format!("{command}\r\n").as_bytes()).unwrap();
        self.line().starts_with(reply)
    }

    fn line(&mut self) -> String {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            let mut octets = [0; 512];
            let count = self.0.read(&mut octets).unwrap();
            assert!(count > 0, "the server closed the connection");
            line.extend_from_slice(&octets[..count]);
        }
        String::from_utf8(line).unwrap()
    }
}

/// Reads the metrics once, as Prometheus asks for them.
fn read(http: SocketAddr) -> String {
    let mut connection = TcpStream::connect(http).unwrap();
    let request = format!("GET /metrics HTTP/1.1\r\nHost: {http}\r\nConnection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    answer
}

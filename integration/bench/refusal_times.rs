//! Whether the time of a refusal tells its reason.
//!
//! ```text
//! cargo bench --bench refusal_times              500 tries of each kind, with the time grid; then the same without it:
//!                                                twenty minutes
//! cargo bench --bench refusal_times -- 100       100 tries of each kind
//! ```
//!
//! Each kind is tried by USER and PASS in clear, by SASL PLAIN in clear, and by USER and PASS under TLS, all mixed. Each try
//! comes from an address of its own and, but for the names that must be shared, asks for a person of its own, so that no
//! counter but the one in question grows. What is measured is the time from the last line of the credentials to the reply,
//! as a client sees it; that each try was refused for the reason in question is read in the log. For each pair of kinds the
//! table has the area under the ROC curve (AUC): the chance that a refusal of the one kind is later than one of the other,
//! ties half; 0.5 tells nothing, and which of the two is later does not matter. With the grid every pair must stay below
//! 0.57; without it (`refusal_step: 0s`) some pair of each way must not, or the instrument is blind.
//!
//! A name or a network with a history is refused later by as many steps for whoever has that history: such kinds are
//! compared by their time behind the step that their history alone asks for.

#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a program for people at a terminal; a fault in it is a failed measurement"
)]

#[path = "auc.rs"]
mod auc;
#[path = "refusal_times/kinds.rs"]
mod kinds;
#[path = "refusal_times/people.rs"]
mod people;
#[path = "../support/mod.rs"]
mod support;

use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU32, AtomicUsize};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use auc::{MOST, auc, worst};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kinds::{History, KINDS, Pair};
use restante::demo::authority::SERVER_NAMES;
use restante::demo::people::BASE;
use rustls::ClientConfig;
use support::conversation::{Conversation, trusting};
use support::service::{Plan, Service, Site};

/// Clients at once.
const CLIENTS: usize = 192;

/// Its multiples spread evenly over a unit, however many they are.
const GOLDEN: f64 = 0.618_033_988_749_895;

/// How credentials are sent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    UserAndPass,
    SaslPlain,
    UnderTls,
}

const WAYS: [(Way, &str); 3] =
    [(Way::UserAndPass, "USER and PASS"), (Way::SaslPlain, "SASL PLAIN"), (Way::UnderTls, "USER and PASS under TLS")];

/// One try: the way, the kind, and whose turn it is.
#[derive(Clone, Copy)]
struct Job {
    way: usize,
    kind: usize,
    person: usize,
}

fn main() {
    let tries = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(500);
    let (with, without) = (measure(tries, 1), measure(tries, 0));
    let (mut most, mut least) = (0.0_f64, 1.0_f64);
    for (way, (_, name)) in WAYS.iter().enumerate() {
        println!("\n{name}, refusal_step: 1s, {tries} tries of each kind; AUC of each pair\n{}", table(&with[way]));
        println!("\n{name}, refusal_step: 0s, {tries} tries of each kind; AUC of each pair\n{}", table(&without[way]));
        let (with, without) = (worst(&with[way]), worst(&without[way]));
        println!("\n{name}: worst with the grid {with:.3} (must be below {MOST}), without {without:.3} (must not)");
        (most, least) = (most.max(with), least.min(without));
    }
    assert!(most < MOST, "the time of a refusal tells its reason");
    assert!(least >= MOST, "the instrument is blind");
}

/// Seconds behind the step, by way and kind.
fn measure(tries: usize, step: u32) -> Vec<Vec<Vec<f64>>> {
    let directory = people::directory(tries * WAYS.len());
    let site = Site::new();
    let mut plan = Plan::at(&directory.url()).and(&format!("refusal_step: {step}s"));
    "person: 5, network: 5".clone_into(&mut plan.lockout);
    "  path: \"{mail}/Maildir\"\n".clone_into(&mut plan.mailboxes);
    writeln!(plan.directory, "    allowed_group: \"cn=pop3,{BASE}\"").unwrap();
    let service = site.serve(&plan);
    service.wait_for_log(&["the directory answers"]);
    let clients = Clients { service: &service, tls: trusting(&site.authority()) };
    let jobs = jobs(tries);
    run(&jobs, &|job| clients.prepare(job));
    let times = Mutex::new(vec![vec![Vec::with_capacity(tries); KINDS.len()]; WAYS.len()]);
    run(&jobs, &|job| {
        let kind = &KINDS[job.kind];
        let took = clients.refused(WAYS[job.way].0, address(job), &(kind.tried)(job.person));
        let due = Duration::from_secs((step * (1 + kind.history.steps())).into());
        let late = took.checked_sub(due).unwrap_or_else(|| panic!("{}: told after {took:?}", kind.name));
        times.lock().unwrap()[job.way][job.kind].push(late.as_secs_f64());
    });
    for kind in KINDS {
        service.wait_for_logs(&["login refused", &format!("reason={}", kind.reason)], tries * WAYS.len());
    }
    times.into_inner().unwrap()
}

/// Ways and kinds in turn, each round beginning with another, so that a slow moment of the machine falls upon all alike.
fn jobs(tries: usize) -> Vec<Job> {
    let one_round = WAYS.len() * KINDS.len();
    let job = |round: usize, at: usize| {
        let at = (at + round) % one_round;
        let way = at % WAYS.len();
        Job { way, kind: at / WAYS.len(), person: way * tries + round }
    };
    (0..tries).flat_map(|round| (0..one_round).map(move |at| job(round, at))).collect()
}

fn run(jobs: &[Job], job: &(impl Fn(Job) + Sync)) {
    let next = AtomicUsize::new(0);
    let client = || {
        while let (number, Some(at)) = next_job(&next, jobs) {
            std::thread::sleep(pause(number));
            job(at);
        }
    };
    std::thread::scope(|scope| (0..CLIENTS).for_each(|_| drop(scope.spawn(client))));
}

fn next_job(next: &AtomicUsize, jobs: &[Job]) -> (usize, Option<Job>) {
    let number = next.fetch_add(1, Relaxed);
    (number, jobs.get(number).copied())
}

/// Each job begins at another moment of a second, or the clients would go on in step and be answered in heaps: who is in
/// the midst of one is answered late for that.
fn pause(number: usize) -> Duration {
    Duration::from_secs_f64((number as f64 * GOLDEN).fract())
}

/// An address that no other job has.
fn address(job: Job) -> Ipv4Addr {
    let number = job.person * KINDS.len() + job.kind;
    Ipv4Addr::from(0x7f01_0001 + u32::try_from(number).unwrap())
}

/// An address that nobody had before.
fn fresh_address() -> Ipv4Addr {
    static HOST: AtomicU32 = AtomicU32::new(0x7f80_0001);
    Ipv4Addr::from(HOST.fetch_add(1, Relaxed))
}

/// Those who ask the service.
struct Clients<'a> {
    service: &'a Service,
    tls: Arc<ClientConfig>,
}

impl Clients<'_> {
    /// Gives a try its history.
    fn prepare(&self, job: Job) {
        let kind = &KINDS[job.kind];
        for pair in (kind.before)(job.person) {
            let from = if kind.history == History::OfNetwork { address(job) } else { fresh_address() };
            self.refused(Way::UserAndPass, from, &pair);
        }
    }

    /// One refused login; how long the refusal took.
    fn refused(&self, way: Way, from: Ipv4Addr, (name, password): &Pair) -> Duration {
        let server = if way == Way::UnderTls { self.service.pop3s() } else { self.service.pop3() };
        let mut client = Conversation::plain_from(from.into(), server);
        if way == Way::UnderTls {
            client.begin_tls(SERVER_NAMES[0], &self.tls);
        }
        client.expect("+OK");
        let line = if way == Way::SaslPlain {
            client.ask("AUTH PLAIN", "+");
            STANDARD.encode(format!("\0{name}\0{password}"))
        } else {
            client.ask(&format!("USER {name}"), "+OK");
            format!("PASS {password}")
        };
        let began = Instant::now();
        client.send(&line);
        client.expect("-ERR [AUTH] name or password is wrong");
        began.elapsed()
    }
}

fn table(times: &[Vec<f64>]) -> String {
    let mut text = format!("{:20} | median, ms |", "kind");
    for column in 0..times.len() {
        write!(text, "  ({column:2})").unwrap();
    }
    for (row, kind) in KINDS.iter().enumerate() {
        let mut sorted = times[row].clone();
        sorted.sort_by(f64::total_cmp);
        write!(text, "\n{:20} | {:10.2} |", kind.name, sorted[sorted.len() / 2] * 1000.0).unwrap();
        for column in 0..row {
            write!(text, " {:.3}", auc(&times[row], &times[column])).unwrap();
        }
    }
    text
}

//! Whether the time of a refusal tells its reason.
//!
//! ```text
//! cargo bench --bench refusal_times                      500 tries of each kind, with the time grid; then the same
//!                                                        without it: half an hour
//! cargo bench --bench refusal_times -- 100               100 tries of each kind
//! cargo bench --bench refusal_times -- SCRAM token       only the ways with such words in their names
//! ```
//!
//! Passwords are tried by USER and PASS in clear, by SASL PLAIN in clear, and by USER and PASS under TLS; then SCRAM,
//! certificates alone and besides a password, and tokens, each with its own kinds of refusal; all mixed. Each try comes from
//! an address of its own and, but for the names that must be shared, asks for a person of its own, so that no counter but
//! the one in question grows. What is measured is the time from the last line of the credentials to the reply, as a client
//! sees it; that the tries were refused for the reasons in question is read in the log. For each pair of kinds of one way the
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
    clippy::print_stderr,
    clippy::cast_precision_loss,
    reason = "a program for people at a terminal; a fault in it is a failed measurement"
)]

#[path = "auc.rs"]
mod auc;
#[path = "refusal_times/clients.rs"]
mod clients;
#[path = "refusal_times/kinds.rs"]
mod kinds;
#[path = "refusal_times/people.rs"]
mod people;
#[path = "../support/mod.rs"]
mod support;
#[path = "refusal_times/ways.rs"]
mod ways;

use std::fmt::Write as _;
use std::fs;
use std::net::Ipv4Addr;
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use auc::{MOST, auc, worst};
use clients::{Clients, Keys};
use restante::demo::people::BASE;
use support::certificates::Request;
use support::directory::RealDirectory;
use support::service::{Plan, Service, Site};
use support::tokens::{AUDIENCE, ISSUER, jwks};
use ways::WAYS;

/// Clients at once.
const CLIENTS: usize = 192;

/// Its multiples spread evenly over a unit, however many they are.
const GOLDEN: f64 = 0.618_033_988_749_895;

/// More than any way has kinds.
const KINDS: usize = 32;

/// One try: the way, the kind, and whose turn it is.
#[derive(Clone, Copy)]
struct Job {
    way: usize,
    kind: usize,
    person: usize,
}

/// Seconds behind the step, by way and kind.
type Times = Vec<Vec<Vec<f64>>>;

fn main() {
    let tries = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(500);
    let ways = wanted();
    let (with, without) = (measure(&ways, tries, 1), measure(&ways, tries, 0));
    let (mut most, mut least) = (0.0_f64, 1.0_f64);
    for way in ways {
        let name = WAYS[way].name;
        for (step, times) in [("1s", &with[way]), ("0s", &without[way])] {
            let table = table(way, times);
            println!("\n{name}, refusal_step: {step}, {tries} tries of each kind; AUC of each pair\n{table}");
        }
        let (with, without) = (worst(&with[way]), worst(&without[way]));
        println!("\n{name}: worst with the grid {with:.3} (must be below {MOST}), without {without:.3} (must not)");
        (most, least) = (most.max(with), least.min(without));
    }
    assert!(most < MOST, "the time of a refusal tells its reason");
    assert!(least >= MOST, "the instrument is blind");
}

/// The ways that were named, or all.
fn wanted() -> Vec<usize> {
    let is_word = |argument: &String| !argument.starts_with('-') && argument.parse::<usize>().is_err();
    let words: Vec<String> = std::env::args().skip(1).filter(is_word).collect();
    let is_wanted = |way: &usize| words.is_empty() || words.iter().any(|word| WAYS[*way].name.contains(&**word));
    (0..WAYS.len()).filter(is_wanted).collect()
}

fn measure(ways: &[usize], tries: usize, step: u32) -> Times {
    let (keys, site) = (Keys::new(), Site::new());
    let certificate = keys.authority.sign_key(Request::named("Anybody"), &keys.own).ldif();
    let directory = people::directory(ways, tries, &certificate);
    let service = serve(&site, &keys, &directory.url(), step);
    let clients = Clients::new(&service, &keys, site.authority());
    let jobs = jobs(ways, tries);
    run(&jobs, &|job| clients.prepare(&WAYS[job.way].kinds[job.kind], job.person, address(job)));
    let times = Mutex::new(WAYS.map(|way| vec![Vec::with_capacity(tries); way.kinds.len()]).to_vec());
    run(&jobs, &|job| {
        let way = &WAYS[job.way];
        let kind = &way.kinds[job.kind];
        let took = clients.refused(way.mechanism, address(job), &(kind.tried)(job.person));
        let due = Duration::from_secs((step * (1 + kind.history.steps())).into());
        let late = took.checked_sub(due);
        let late = late.unwrap_or_else(|| panic!("{}, {}: reported after {took:?}", way.name, kind.name));
        times.lock().unwrap()[job.way][job.kind].push(late.as_secs_f64());
    });
    wait_for_reasons(&service, ways, tries);
    times.into_inner().unwrap()
}

fn serve(site: &Site, keys: &Keys, url: &str, step: u32) -> Service {
    for (file, content) in [
        ("people-ca.pem", keys.authority.pem()),
        ("issuer.jwks", jwks(&[keys.issuer.jwk()])),
        ("scram.key", "a secret of all nodes\n".to_owned()),
    ] {
        fs::write(site.folder().join(file), content).unwrap();
    }
    let mut plan = Plan::at(url).and(&format!("refusal_step: {step}s")).and("scram: { key_file: scram.key }");
    plan.listeners.push_str(
        "  - { address: \"127.0.0.1:0\", tls: implicit, client_certificate: required }\n  \
           - { address: \"127.0.0.1:0\", tls: implicit, client_certificate: optional, name_and_password: optional }\n",
    );
    plan.tls.push_str("  client_ca: people-ca.pem\n");
    "person: 5, network: 5".clone_into(&mut plan.lockout);
    "  path: \"{mail}/Maildir\"\n".clone_into(&mut plan.mailboxes);
    writeln!(plan.directory, "    allowed_group: \"cn=pop3,{BASE}\"").unwrap();
    plan.directory.push_str("    attributes: { scram: authPassword }\n");
    let plan = plan.and(&format!(
        "tokens:\n  - {{ issuer: \"{ISSUER}\", audience: \"{AUDIENCE}\", keys: [issuer.jwks], algorithms: [ES256], \
         claim: email, name: mail }}"
    ));
    let service = site.serve(&plan);
    service.wait_for_log(&["the directory answers"]);
    service
}

/// The tries were refused for the reasons in question. Of refusals from so many networks at once, not each has a line of
/// its own in the log; those of one kind differ in nothing, so a few of them tell enough.
fn wait_for_reasons(service: &Service, ways: &[usize], tries: usize) {
    let reasons = || ways.iter().flat_map(|way| WAYS[*way].kinds).map(|kind| kind.reason);
    for reason in reasons() {
        let kinds = reasons().filter(|other| *other == reason).count();
        service.wait_for_logs(&["login refused", "reason=", reason], (tries * kinds).div_ceil(20));
    }
}

/// Ways and kinds in turn, each round beginning with another, so that a slow moment of the machine falls upon all alike.
fn jobs(ways: &[usize], tries: usize) -> Vec<Job> {
    let kinds = |way: usize| (0..WAYS[way].kinds.len()).map(move |kind| (kind, way));
    let mut one_round: Vec<(usize, usize)> = ways.iter().copied().flat_map(kinds).collect();
    one_round.sort_unstable();
    let job = &|round: usize, at: usize| {
        let (kind, way) = one_round[(at + round) % one_round.len()];
        Job { way, kind, person: people::numbers(way, tries).start + round }
    };
    (0..tries).flat_map(|round| (0..one_round.len()).map(move |at| job(round, at))).collect()
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
    let number = job.person * KINDS + job.kind;
    Ipv4Addr::from(0x7f01_0001 + u32::try_from(number).unwrap())
}

fn table(way: usize, times: &[Vec<f64>]) -> String {
    let mut text = format!("{:20} | median, ms |", "kind");
    for column in 0..times.len() {
        write!(text, "  ({column:2})").unwrap();
    }
    for (row, kind) in WAYS[way].kinds.iter().enumerate() {
        let mut sorted = times[row].clone();
        sorted.sort_by(f64::total_cmp);
        write!(text, "\n{:20} | {:10.2} |", kind.name, sorted[sorted.len() / 2] * 1000.0).unwrap();
        for column in 0..row {
            write!(text, " {:.3}", auc(&times[row], &times[column])).unwrap();
        }
    }
    text
}

//! Whether the time of a SCRAM challenge tells whose name it is.
//!
//! ```text
//! cargo bench --bench challenge_times            200 tries of each kind, with the time grid; then the same without it
//! cargo bench --bench challenge_times -- 50      50 tries of each kind
//! ```
//!
//! Each try asks for a name of its own, once before anything is held of it and once after. What is measured is the time from
//! AUTH to the challenge, as a client sees it, and compared as in `refusal_times`. People with a group to be looked up are
//! among them, for whom the directory is asked most.

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
#[path = "../support/mod.rs"]
mod support;

use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Instant;

use auc::{MOST, worst};
use restante::demo::people;
use support::conversation::Conversation;
use support::directory::RealDirectory;
use support::scram::{Client, SCHEMA, stored};
use support::service::{Plan, Service, Site};
use support::slapd::{Options, Slapd};

/// Clients at once.
const CLIENTS: usize = 8;

const GROUP: &str = "cn=pop3,ou=people,dc=renovations,dc=example";

/// How a kind of name is called, and the names.
type Kind = (&'static str, fn(usize) -> String);

const KINDS: [Kind; 5] = [
    ("unknown name", |i| format!("nobody{i}")),
    ("with credentials", |i| format!("a{i}")),
    ("without credentials", |i| format!("b{i}")),
    ("ambiguous", |i| format!("Twin {i}")),
    ("outside policy", |i| format!("uid=a{i},dc=else")),
];

fn main() {
    let tries = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(200);
    let with = measure(tries, "1s");
    let without = measure(tries, "0s");
    println!("worst with the grid {with:.3} (must be below {MOST}), without {without:.3} (must not)");
    assert!(with < MOST, "the time of a challenge tells whose name it is");
    assert!(without >= MOST, "the instrument is blind");
}

/// The greatest AUC of any pair of kinds, of names not held before, or held.
fn measure(tries: usize, step: &str) -> f64 {
    let slapd = Slapd::start_with(&crowd(tries), &Options { global: SCHEMA.to_owned(), ..Options::default() });
    let site = Site::new();
    let mut plan = Plan::at(&slapd.url()).and(&format!("refusal_step: {step}"));
    let lines = format!("    attributes: {{ scram: authPassword }}\n    allowed_group: \"{GROUP}\"\n");
    plan.directory.push_str(&lines);
    let service = site.serve(&plan);
    service.wait_for_log(&["the directory answers"]);
    let rounds = ["names not held", "names held"].map(|round| {
        let times = round_of(&service, tries);
        println!("refusal_step: {step}, {round}, {tries} tries of each kind");
        for ((kind, _), times) in KINDS.iter().zip(&times) {
            let mut sorted = times.clone();
            sorted.sort_by(f64::total_cmp);
            println!("{kind:20} | median {:8.2} ms", sorted[sorted.len() / 2] * 1000.0);
        }
        worst(&times)
    });
    rounds[0].max(rounds[1])
}

/// Seconds of each kind. The kinds in turn, so that a slow moment of the machine falls upon all alike.
fn round_of(service: &Service, tries: usize) -> Vec<Vec<f64>> {
    let (next, times) = (AtomicUsize::new(0), Mutex::new(vec![Vec::with_capacity(tries); KINDS.len()]));
    std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                while let Some(job) = Some(next.fetch_add(1, Relaxed)).filter(|job| *job < tries * KINDS.len()) {
                    let (i, kind) = (job / KINDS.len(), (job + job / KINDS.len()) % KINDS.len());
                    let took = challenged(service, &KINDS[kind].1(i));
                    times.lock().unwrap()[kind].push(took);
                }
            });
        }
    });
    times.into_inner().unwrap()
}

fn challenged(service: &Service, name: &str) -> f64 {
    let mut pop3 = Conversation::plain(service.pop3());
    pop3.expect("+OK");
    let client = Client::new((name, "x"));
    let began = Instant::now();
    client.begin(&mut pop3).unwrap();
    began.elapsed().as_secs_f64()
}

/// People of each kind, and the group of those who may use the service; each Twin there is twice.
fn crowd(tries: usize) -> String {
    let (mut text, mut members) = (people::LDIF.to_owned(), String::new());
    let credentials =
        format!("objectClass: authPasswordObject\nauthPassword: {}\n", stored("x", b"sixteen octets..", 4096));
    for i in 0..tries {
        for (uid, name, further) in [
            (format!("a{i}"), format!("Person a{i}"), credentials.as_str()),
            (format!("b{i}"), format!("Person b{i}"), ""),
            (format!("s{i}"), format!("Twin {i}"), ""),
            (format!("t{i}"), format!("Twin {i}"), ""),
        ] {
            let dn = format!("uid={uid},{}", people::BASE);
            let own = format!("uid: {uid}\ncn: {name}\nsn: {name}\n");
            write!(text, "\ndn: {dn}\nobjectClass: inetOrgPerson\n{further}{own}").unwrap();
            writeln!(members, "member: {dn}").unwrap();
        }
    }
    write!(text, "\ndn: {GROUP}\nobjectClass: groupOfNames\ncn: pop3\n{members}").unwrap();
    text
}

//! Whether the time of a refusal tells its reason.
//!
//! ```text
//! cargo bench --bench refusal_times              500 tries of each kind, with the time grid; then the same without it
//! cargo bench --bench refusal_times -- 100       100 tries of each kind
//! ```
//!
//! Each try comes from an address of its own and, but for the names that must be shared, asks for a person of its own, so
//! that no counter but the one in question grows. What is measured is the time from PASS to the reply, as a client sees
//! it. For each pair of kinds the table has the area under the ROC curve (AUC): the chance that a refusal of the one kind
//! is later than one of the other, ties half; 0.5 tells nothing, and which of the two is later does not matter. With the
//! grid every pair must stay below 0.57; without it (`refusal_step: 0s`) some pair must not, or the instrument is blind.
//!
//! A name with a history is refused later by as many steps for whoever has that history: such kinds are compared by their
//! time behind the step that their history alone asks for.

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
#[path = "../support/mod.rs"]
mod support;

use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Mutex;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU32, AtomicUsize};
use std::time::{Duration, Instant};

use auc::{MOST, auc, worst};
use restante::demo::people;
use support::conversation::Conversation;
use support::service::{Plan, Site};
use support::slapd::Slapd;

/// Clients at once.
const CLIENTS: usize = 96;

const WRONG: [&str; 5] = ["one", "two", "three", "four", "five"];

/// A kind of refusal: how it is called, what is sent before, what is sent, and by how many steps it is later for that.
struct Kind {
    name: &'static str,
    before: fn(usize) -> Vec<(String, String)>,
    tried: fn(usize) -> (String, String),
    further: u32,
}

fn nothing(_: usize) -> Vec<(String, String)> {
    Vec::new()
}

fn pair(name: String, password: &str) -> (String, String) {
    (name, password.to_owned())
}

fn five(name: &str) -> Vec<(String, String)> {
    WRONG.iter().map(|password| pair(name.to_owned(), password)).collect()
}

const KINDS: &[Kind] = &[
    Kind { name: "unknown name", before: nothing, tried: |i| pair(format!("nobody{i}"), "x"), further: 0 },
    Kind { name: "wrong password", before: nothing, tried: |i| pair(format!("a{i}"), "x"), further: 0 },
    Kind {
        name: "refused before",
        before: |i| vec![pair(format!("b{i}"), "x")],
        tried: |i| pair(format!("b{i}"), "x"),
        further: 0,
    },
    Kind { name: "ambiguous", before: nothing, tried: |i| pair(format!("Twin {i}"), "right"), further: 0 },
    Kind { name: "no mailbox", before: nothing, tried: |i| pair(format!("n{i}"), "right"), further: 0 },
    Kind { name: "outside policy", before: nothing, tried: |i| pair(format!("uid=a{i},dc=else"), "x"), further: 0 },
    Kind { name: "no password", before: nothing, tried: |i| pair(format!("c{i}"), ""), further: 0 },
    Kind { name: "no name", before: nothing, tried: |i| pair(format!("a\u{1}{i}"), "x"), further: 0 },
    Kind { name: "locked out", before: |i| five(&format!("d{i}")), tried: |i| pair(format!("d{i}"), "x"), further: 4 },
    Kind {
        name: "locked out, right",
        before: |i| five(&format!("e{i}")),
        tried: |i| pair(format!("e{i}"), "right"),
        further: 4,
    },
    Kind {
        name: "locked out, unknown",
        before: |i| five(&format!("stranger{i}")),
        tried: |i| pair(format!("stranger{i}"), "x"),
        further: 4,
    },
];

fn main() {
    let tries = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(500);
    let with = measure(tries, 1);
    println!("\nrefusal_step: 1s, {tries} tries of each kind; AUC of each pair\n{}", table(&with));
    let without = measure(tries, 0);
    println!("\nrefusal_step: 0s, {tries} tries of each kind; AUC of each pair\n{}", table(&without));
    let (with, without) = (worst(&with), worst(&without));
    println!("\nworst with the grid {with:.3} (must be below {MOST}), without {without:.3} (must not)");
    assert!(with < MOST, "the time of a refusal tells its reason");
    assert!(without >= MOST, "the instrument is blind");
}

/// Seconds behind the step, of each kind.
fn measure(tries: usize, step: u32) -> Vec<Vec<f64>> {
    let directory = Slapd::start(&crowd(tries));
    let site = Site::new();
    let mut plan = Plan::at(&directory.url()).and(&format!("refusal_step: {step}s"));
    "person: 5, network: 50".clone_into(&mut plan.lockout);
    "  path: \"{mail}/Maildir\"\n".clone_into(&mut plan.mailboxes);
    let service = site.serve(&plan);
    service.wait_for_log(&["the directory answers"]);
    let server = service.pop3();
    // The kinds in turn, each round beginning with another, so that a slow moment of the machine falls upon all alike.
    let jobs: Vec<(usize, usize)> =
        (0..tries).flat_map(|i| (0..KINDS.len()).map(move |kind| ((kind + i) % KINDS.len(), i))).collect();
    run(&jobs, &|(kind, i)| {
        for (name, password) in (KINDS[kind].before)(i) {
            refused(server, &name, &password);
        }
    });
    let times = Mutex::new(vec![Vec::with_capacity(tries); KINDS.len()]);
    run(&jobs, &|(kind, i)| {
        let (name, password) = (KINDS[kind].tried)(i);
        let took = refused(server, &name, &password);
        let due = Duration::from_secs((step * (1 + KINDS[kind].further)).into());
        let late = took.checked_sub(due).unwrap_or_else(|| panic!("{}: told after {took:?}", KINDS[kind].name));
        times.lock().unwrap()[kind].push(late.as_secs_f64());
    });
    times.into_inner().unwrap()
}

fn run(jobs: &[(usize, usize)], job: &(impl Fn((usize, usize)) + Sync)) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                while let Some(at) = jobs.get(next.fetch_add(1, Relaxed)) {
                    job(*at);
                }
            });
        }
    });
}

/// One refused login from an address that nobody had before; how long the refusal took.
fn refused(server: SocketAddr, name: &str, password: &str) -> Duration {
    static HOST: AtomicU32 = AtomicU32::new(0x7f01_0001);
    let from = Ipv4Addr::from(HOST.fetch_add(1, Relaxed));
    let mut client = Conversation::plain_from(from.into(), server);
    client.expect("+OK");
    client.ask(&format!("USER {name}"), "+OK");
    let line = format!("PASS {password}");
    let began = Instant::now();
    client.send(&line);
    client.expect("-ERR [AUTH] name or password is wrong");
    began.elapsed()
}

/// The sample people, and people for every kind; those called n have no mail, each Twin there is twice.
fn crowd(tries: usize) -> String {
    let mut text = people::LDIF.to_owned();
    let mut add = |uid: String, name: String, has_mail: bool| {
        write!(
            text,
            "\ndn: uid={uid},{}\nobjectClass: inetOrgPerson\nuid: {uid}\ncn: {name}\nsn: {name}\nuserPassword: right\n",
            people::BASE
        )
        .unwrap();
        if has_mail {
            writeln!(text, "mail: {uid}@renovations.example").unwrap();
        }
    };
    for i in 0..tries {
        for kind in ["a", "b", "c", "d", "e"] {
            add(format!("{kind}{i}"), format!("Person {kind}{i}"), true);
        }
        add(format!("n{i}"), format!("Person n{i}"), false);
        for twin in ["s", "t"] {
            add(format!("{twin}{i}"), format!("Twin {i}"), true);
        }
    }
    text
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

//! What a session costs, beside Dovecot on the same machine and in the same run.
//!
//! ```text
//! cargo bench --bench beside_dovecot                     every piece of work, seven rounds
//! cargo bench --bench beside_dovecot -- 3 poll           three rounds of the pieces that have `poll` in their name
//! ```
//!
//! Both servers read the same Maildirs and ask the same slapd. Debian's Dovecot (`dovecot-pop3d`, `dovecot-ldap`) is set
//! up as its manual says for speed: processes that stay, its cache of passwords on, no flags written. Restante tells the
//! unique-ids of Dovecot's list, as it does after a move. Before a piece of work is measured, both servers' replies to it
//! are compared, octet by octet; where they differ, nothing is measured. What is counted is the CPU time of the server's
//! whole process tree, slapd's left out; rounds of both alternate, and the table has the median of the rounds' ratios with
//! the smallest and the largest. A third server that does nothing but answer from memory shows what this machine's limit
//! is: how often what that costs would fit into what Dovecot costs. Run it as root, as Dovecot wants it.
//!
//! The table is printed as Markdown, the chart written to `integration/bench/beside_dovecot.svg`.

#![allow(
    unreachable_pub,
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

#[path = "beside_dovecot/chart.rs"]
mod chart;
#[path = "beside_dovecot/client.rs"]
mod client;
#[path = "beside_dovecot/dovecot.rs"]
mod dovecot;
#[path = "beside_dovecot/idle.rs"]
mod idle;
#[path = "beside_dovecot/limit.rs"]
mod limit;
#[path = "beside_dovecot/mail.rs"]
mod mail;
#[path = "beside_dovecot/rows.rs"]
mod rows;
#[path = "beside_dovecot/servers.rs"]
mod servers;
#[path = "beside_dovecot/tree.rs"]
mod tree;
#[path = "beside_dovecot/work.rs"]
mod work;

use std::time::{Duration, Instant};

use rows::Row;
use servers::{Server, Yard};
use work::Work;

/// How much CPU time a server spends on one measurement at least: the kernel tells it in steps of 10 ms.
const LEAST: Duration = Duration::from_millis(500);

/// Longer than the time in which a change of a Maildir may hide another one.
const SETTLED: Duration = Duration::from_secs(3);

/// How long one measurement takes at most.
const MOST: Duration = Duration::from_secs(8);

fn main() {
    limit::serve_if_asked();
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let rounds = arguments.iter().find_map(|argument| argument.parse().ok()).unwrap_or(7);
    let wanted = |name: &str| {
        let mut words = arguments.iter().filter(|argument| argument.parse::<usize>().is_err()).peekable();
        words.peek().is_none() || words.any(|word| name.contains(word.as_str()))
    };
    let _ = restante::server::raise_descriptor_limit();
    let yard = Yard::lay_out();
    let mut rows = Vec::new();
    for work in work::all().into_iter().filter(|work| wanted(work.name)) {
        let row = measure(&yard, &work, rounds);
        println!("{row}");
        rows.push(row);
    }
    for logged_in in [false, true] {
        let name = if logged_in { "idle over TLS, logged in" } else { "idle over TLS, greeted" };
        if wanted(name) {
            let row = idle::measure(&yard, name, logged_in, rounds.min(5));
            println!("{row}");
            rows.push(row);
        }
    }
    println!("\n{}", rows::table(&rows));
    if arguments.iter().all(|argument| argument.parse::<usize>().is_ok()) {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/integration/bench/beside_dovecot.svg");
        std::fs::write(file, chart::draw(&rows)).unwrap();
        println!("\nchart: {file}");
    }
}

/// Rounds of both servers in turn, when both are warm.
fn measure(yard: &Yard, work: &Work, rounds: usize) -> Row {
    let pair = yard.pair(work.caches);
    work.compare(yard, &pair);
    // A Maildir that changed of late is read again at each login: it shall be an unchanged one that is measured.
    std::thread::sleep(SETTLED);
    let mut row = Row::of(work);
    for server in [Some(&pair.dovecot), Some(&pair.restante), pair.limit.as_ref().filter(|_| work.has_limit())] {
        let Some(server) = server else { continue };
        work.batch(yard, server);
    }
    if let (Some(theirs), Some(ours)) = (work.resumed(yard, &pair.dovecot), work.resumed(yard, &pair.restante)) {
        row.remark(format!(" ({:.0} % and {:.0} % were)", theirs * 100.0, ours * 100.0));
    }
    for _ in 0..rounds {
        let of = |server: &Server| cost(yard, work, server);
        row.push(of(&pair.dovecot), of(&pair.restante));
        row.push_limit(pair.limit.as_ref().filter(|_| work.has_limit()).map(of));
    }
    row
}

/// Microseconds of CPU time for one unit of work.
fn cost(yard: &Yard, work: &Work, server: &Server) -> f64 {
    let (began, before) = (Instant::now(), server.cpu());
    let mut units = 0.0;
    loop {
        units += work.batch(yard, server);
        let spent = server.cpu().saturating_sub(before);
        if spent >= LEAST || began.elapsed() >= MOST {
            return spent.as_secs_f64() * 1e6 / units;
        }
    }
}

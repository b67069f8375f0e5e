//! The pieces of work that are compared.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use super::client::Client;
use super::mail;
use super::servers::{Caches, Pair, Server, Yard};
use crate::support::maildir;

/// How a session comes about.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    Plain,
    Tls,
    Resumed,
}

/// One piece of work: a session from the connection to QUIT.
pub struct Work {
    pub name: &'static str,
    /// What Dovecot costs shall be so many times what Restante costs.
    pub goal: f64,
    pub caches: Caches,
    /// What figures are told for: `session`, or `MB`.
    pub unit: &'static str,
    transport: Transport,
    owner: &'static str,
    talk: fn(&mut Client, &mut Vec<u8>),
    /// Clients at once, and sessions of each before the clock is looked at.
    clients: usize,
    sessions: usize,
    /// Units in one session.
    units: f64,
    /// New messages before each session.
    delivered: usize,
}

/// Octets that the talk of a `huge` session fetches, in millions.
const HUGE: f64 = 50.0;

/// Everything that is compared, in the order of the table.
pub fn all() -> Vec<Work> {
    let base = Work {
        name: "",
        goal: 1.0,
        caches: Caches::Warm,
        unit: "session",
        transport: Transport::Plain,
        owner: "few",
        talk: glance,
        clients: 4,
        sessions: 25,
        units: 1.0,
        delivered: 0,
    };
    let heavy = |work: Work| Work { clients: 1, sessions: 1, ..work };
    let mut all = vec![
        Work { name: "login, STAT, QUIT: plain", goal: 12.0, ..base },
        Work { name: "login, STAT, QUIT: TLS", goal: 7.0, transport: Transport::Tls, ..base },
        Work { name: "login, STAT, QUIT: TLS resumed", goal: 7.0, transport: Transport::Resumed, ..base },
        Work { name: "login, STAT, QUIT: cold caches", goal: 6.0, caches: Caches::Cold, ..base },
        Work { name: "poll of 10 messages", goal: 12.0, talk: poll, ..base },
        Work { name: "poll of 1,000 messages", goal: 35.0, talk: poll, owner: "thousand", sessions: 5, ..base },
        heavy(Work { name: "poll of 100,000 messages", goal: 170.0, talk: poll, owner: "host", ..base }),
    ];
    all.extend(downloads(&base));
    let delivered = Work { owner: "newcomer", delivered: 5, ..base };
    all.push(heavy(Work { name: "login, RETR, DELE all, QUIT", goal: 4.0, talk: empty, ..delivered }));
    all
}

fn downloads(base: &Work) -> [Work; 5] {
    let (resumed, tls) = (Transport::Resumed, Transport::Tls);
    let ten = Work { owner: "mixed", ..*base };
    let thousand = Work { owner: "thousand", sessions: 1, ..*base };
    let huge =
        Work { owner: "huge", unit: "MB", units: HUGE, clients: 1, sessions: 1, goal: 5.0, talk: fetch, ..*base };
    let pipelined = "fetch 10 messages: pipelined, TLS resumed";
    [
        Work { name: "fetch 10 messages: plain", goal: 10.0, talk: fetch, ..ten },
        Work { name: pipelined, goal: 7.0, talk: |client, seen| pipeline(client, seen, 10), transport: resumed, ..ten },
        Work {
            name: "fetch 1,000 messages, pipelined",
            goal: 5.0,
            talk: |client, seen| pipeline(client, seen, 1_000),
            ..thousand
        },
        Work { name: "25 MB messages: plain", ..huge },
        Work { name: "25 MB messages: TLS", transport: tls, ..huge },
    ]
}

impl Work {
    /// Refuses to go on where the servers' replies differ in content.
    pub fn compare(&self, yard: &Yard, pair: &Pair) {
        let (theirs, ours) = (self.session(yard, &pair.dovecot).1, self.session(yard, &pair.restante).1);
        let first =
            theirs.iter().zip(&ours).position(|(one, other)| one != other).unwrap_or(theirs.len().min(ours.len()));
        let around =
            |octets: &[u8]| octets.iter().skip(first.saturating_sub(60)).take(120).copied().collect::<Vec<_>>();
        assert!(
            theirs == ours,
            "{}: replies differ at octet {first}\nDovecot:  {}\nRestante: {}",
            self.name,
            around(&theirs).escape_ascii(),
            around(&ours).escape_ascii(),
        );
    }

    /// Whether a server that remembers everything can do it: nothing new comes, and nothing is asked of a directory.
    pub fn has_limit(&self) -> bool {
        self.delivered == 0 && self.caches == Caches::Warm
    }

    /// Some sessions; tells how many units they were.
    pub fn batch(&self, yard: &Yard, server: &Server) -> f64 {
        thread::scope(|scope| {
            for _ in 0..self.clients {
                scope.spawn(|| (0..self.sessions).for_each(|_| drop(self.session(yard, server))));
            }
        });
        #[allow(clippy::cast_precision_loss, reason = "a handful")]
        let sessions = (self.clients * self.sessions) as f64;
        sessions * self.units
    }

    /// The share of sessions that went on from an earlier one, where that is the work.
    pub fn resumed(&self, yard: &Yard, server: &Server) -> Option<f64> {
        const OF: u32 = 40;
        let resumed = || u32::from(self.session(yard, server).0);
        (self.transport == Transport::Resumed)
            .then(|| f64::from((0..OF).map(|_| resumed()).sum::<u32>()) / f64::from(OF))
    }

    /// One session: whether its TLS was resumed, and what it saw of the mail.
    fn session(&self, yard: &Yard, server: &Server) -> (bool, Vec<u8>) {
        for _ in 0..self.delivered {
            deliver(yard, self.owner);
        }
        let mut client = match self.transport {
            Transport::Plain => Client::connect(server.plain, None),
            Transport::Tls => Client::connect(server.tls, Some(&yard.tls)),
            Transport::Resumed => Client::connect(server.tls, Some(&server.resuming)),
        };
        client.log_in(self.owner);
        let mut seen = Vec::new();
        (self.talk)(&mut client, &mut seen);
        (client.is_resumed(), seen)
    }
}

fn deliver(yard: &Yard, owner: &str) {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    // The same octets whoever fetches them: the servers' replies are compared.
    maildir::deliver(&yard.site.maildir(owner), &format!("new/18{number:08}.M1P7.mx1"), &mail::message("new", 6_000));
}

fn glance(client: &mut Client, seen: &mut Vec<u8>) {
    seen.extend(client.ask("STAT").into_bytes());
    client.ask("QUIT");
}

fn poll(client: &mut Client, seen: &mut Vec<u8>) {
    seen.extend(client.ask("STAT").into_bytes());
    for command in ["UIDL", "LIST"] {
        client.ask(command);
        client.multiline(|line| seen.extend_from_slice(line));
    }
    client.ask("QUIT");
}

fn fetch(client: &mut Client, seen: &mut Vec<u8>) {
    for number in 1..=count(client) {
        retrieve(client, number, seen);
    }
    client.ask("QUIT");
}

fn empty(client: &mut Client, seen: &mut Vec<u8>) {
    for number in 1..=count(client) {
        retrieve(client, number, seen);
        client.ask(&format!("DELE {number}"));
    }
    client.ask("QUIT");
}

fn retrieve(client: &mut Client, number: usize, seen: &mut Vec<u8>) {
    client.ask(&format!("RETR {number}"));
    client.multiline(|line| seen.extend_from_slice(line));
}

fn count(client: &mut Client) -> usize {
    client.ask("STAT").split(' ').next().unwrap().parse().unwrap()
}

/// All fetching at once; what comes back is read as it comes. QUIT waits for it: under TLS, Dovecot may close before the last
/// messages are out if it has read that already.
fn pipeline(client: &mut Client, seen: &mut Vec<u8>, messages: usize) {
    let commands: Vec<String> = (1..=messages).map(|number| format!("RETR {number}\r\n")).collect();
    client.send(commands.concat().as_bytes());
    for _ in 0..messages {
        client.ok();
        client.multiline(|line| seen.extend_from_slice(line));
    }
    client.ask("QUIT");
}

//! What an idle session keeps in memory.

use super::client::Client;
use super::rows::Row;
use super::servers::{Caches, Server, Yard};
use super::tree;

/// Sessions held at once.
const HELD: u64 = 1_000;

/// Each round starts both servers anew, and compares the proportional set sizes of the whole process trees before and
/// while the sessions are held.
pub fn measure(yard: &Yard, name: &'static str, logged_in: bool, rounds: usize) -> Row {
    let mut row = Row::new(name, if logged_in { 30.0 } else { 4.0 }, "octets");
    for _ in 0..rounds {
        let pair = yard.pair(Caches::Warm);
        row.push(held(yard, &pair.dovecot, logged_in), held(yard, &pair.restante, logged_in));
    }
    row
}

/// Octets a session.
fn held(yard: &Yard, server: &Server, logged_in: bool) -> f64 {
    let before = tree::memory(server.pid);
    let mut sessions: Vec<Client> = (0..HELD).map(|_| open(yard, server, logged_in)).collect();
    let after = tree::memory(server.pid);
    for session in &mut sessions {
        session.ask(if logged_in { "STAT" } else { "CAPA" });
    }
    #[allow(clippy::cast_precision_loss, reason = "less than 2^52 octets")]
    let octets = after.saturating_sub(before) as f64;
    octets / 1_000.0
}

fn open(yard: &Yard, server: &Server, logged_in: bool) -> Client {
    let mut client = Client::connect(server.tls, Some(&yard.tls));
    if logged_in {
        client.log_in("few");
    }
    client
}

//! What is counted of a session that is passed on: octets both ways, and the commands that say what becomes of messages.
//! Replies are not parsed: a message that was asked for twice counts twice.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::ledger::HostCounters;

/// What was passed on, and when the last octet was.
pub struct Traffic {
    began: Instant,
    /// Milliseconds from the beginning to the last octet.
    last: AtomicU64,
    to_client: AtomicU64,
    from_client: AtomicU64,
    retr: AtomicU64,
    dele: AtomicU64,
    has_quit: AtomicBool,
    command: Mutex<CommandStart>,
    counters: HostCounters,
}

/// The beginning of the command that the client is sending: four letters, and how many of them have come.
#[derive(Default)]
struct CommandStart {
    letters: [u8; 4],
    count: usize,
}

impl Traffic {
    /// Nothing yet.
    #[must_use]
    pub fn new(counters: HostCounters) -> Self {
        let (last, to_client, from_client) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
        let (retr, dele, has_quit) = (AtomicU64::new(0), AtomicU64::new(0), AtomicBool::new(false));
        let command = Mutex::default();
        Self { began: Instant::now(), last, to_client, from_client, retr, dele, has_quit, command, counters }
    }

    /// Octets sent to the client.
    #[must_use]
    pub fn to_client(&self) -> u64 {
        self.to_client.load(Ordering::Relaxed)
    }

    /// Octets that came from it.
    #[must_use]
    pub fn from_client(&self) -> u64 {
        self.from_client.load(Ordering::Relaxed)
    }

    /// RETR commands.
    #[must_use]
    pub fn retr(&self) -> u64 {
        self.retr.load(Ordering::Relaxed)
    }

    /// DELE commands since the last RSET.
    #[must_use]
    pub fn dele(&self) -> u64 {
        self.dele.load(Ordering::Relaxed)
    }

    /// Whether the client has sent QUIT.
    #[must_use]
    pub fn has_quit(&self) -> bool {
        self.has_quit.load(Ordering::Relaxed)
    }

    /// How long nothing was passed on.
    pub(super) fn quiet(&self) -> Duration {
        self.began.elapsed().saturating_sub(Duration::from_millis(self.last.load(Ordering::Relaxed)))
    }

    /// Octets came from the client.
    pub(super) fn note_from_client(&self, octets: &[u8]) {
        self.from_client.fetch_add(count(octets.len()), Ordering::Relaxed);
        self.counters.note_octets_from_client(count(octets.len()));
        self.note_activity();
        let mut command = self.command.lock().unwrap_or_else(PoisonError::into_inner);
        for octet in octets {
            command.take(*octet, |word| self.note_command(word));
        }
    }

    /// Octets were sent to the client.
    pub(super) fn note_to_client(&self, octets: usize) {
        self.to_client.fetch_add(count(octets), Ordering::Relaxed);
        self.counters.note_octets_to_client(count(octets));
        self.note_activity();
    }

    fn note_activity(&self) {
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.store(now, Ordering::Relaxed);
    }

    fn note_command(&self, word: [u8; 4]) {
        match &word {
            b"RETR" => {
                self.retr.fetch_add(1, Ordering::Relaxed);
                self.counters.note_retrieval();
            }
            b"DELE" => {
                self.dele.fetch_add(1, Ordering::Relaxed);
            }
            b"RSET" => self.dele.store(0, Ordering::Relaxed),
            b"QUIT" => self.has_quit.store(true, Ordering::Relaxed),
            _ => {}
        }
    }
}

impl CommandStart {
    /// Takes one octet; a whole line is passed on by its first four letters.
    fn take(&mut self, octet: u8, line: impl FnOnce([u8; 4])) {
        if octet == b'\n' {
            if self.count == self.letters.len() {
                line(self.letters);
            }
            self.count = 0;
        } else if let Some(letter) = self.letters.get_mut(self.count) {
            *letter = octet.to_ascii_uppercase();
            self.count += 1;
        }
    }
}

fn count(octets: usize) -> u64 {
    u64::try_from(octets).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Ledger;

    #[test]
    fn commands_are_counted_however_they_are_cut() {
        let input = b"UIDL\r\nretr 1\r\nDELE 1\r\nRSET\r\nRETR 2\nDELE 2\r\nTOP 3 0\r\nX\r\n\r\nQUIT\r\n";
        for size in 1..input.len() {
            let traffic = Traffic::new(Ledger::default().relay.of_host("x"));
            input.chunks(size).for_each(|chunk| traffic.note_from_client(chunk));
            traffic.note_to_client(7);
            assert_eq!((traffic.retr(), traffic.dele(), traffic.has_quit()), (2, 1, true), "{size}");
            assert_eq!((traffic.from_client(), traffic.to_client()), (input.len() as u64, 7));
        }
    }
}

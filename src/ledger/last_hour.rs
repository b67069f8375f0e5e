//! What happened within the last hour, for the status page: bounded, and forgotten when the process ends.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::lock;

/// Minutes that are remembered.
const MINUTES: usize = 60;

const MINUTE: Duration = Duration::from_secs(60);

const HOUR: Duration = Duration::from_secs(3600);

/// Maildrops that are remembered as slow.
const SLOWEST: usize = 10;

/// Addresses that are counted at once. When there are more, those with the fewest refusals are forgotten.
const ADDRESSES: usize = 4096;

/// The last hour.
pub struct LastHour {
    began: Instant,
    minutes: Mutex<VecDeque<(u64, MinuteOfLogins)>>,
    slow: Mutex<Vec<(Instant, SlowMaildrop)>>,
    noisy: Mutex<NoisyTable>,
}

/// The logins of one minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MinuteOfLogins {
    /// Those that succeeded.
    pub accepted: u32,
    /// Those that were refused.
    pub refused: u32,
    /// Those that were not possible: a directory was unavailable, or something is misconfigured.
    pub impossible: u32,
}

/// A maildrop that took long to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlowMaildrop {
    /// Whose session it was.
    pub person: String,
    /// The path of the Maildir below the mail root.
    pub maildrop: String,
    /// How long it took.
    pub took: Duration,
}

/// An address from which logins were refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoisyAddress {
    /// An IPv4 address, or the first address of an IPv6 /64.
    pub address: IpAddr,
    /// Logins that were refused, and connections that were turned away or ended without a login.
    pub count: u64,
}

/// Two tables of half an hour each: the older one is forgotten as a whole.
struct NoisyTable {
    began: Instant,
    current: HashMap<IpAddr, u64>,
    before: HashMap<IpAddr, u64>,
}

impl Default for LastHour {
    fn default() -> Self {
        let began = Instant::now();
        let noisy = NoisyTable { began, current: HashMap::new(), before: HashMap::new() };
        Self { began, minutes: Mutex::default(), slow: Mutex::default(), noisy: Mutex::new(noisy) }
    }
}

impl LastHour {
    /// A login has ended.
    pub fn note_login(&self, note: impl FnOnce(&mut MinuteOfLogins)) {
        self.note_login_at(Instant::now(), note);
    }

    pub(super) fn note_login_at(&self, now: Instant, note: impl FnOnce(&mut MinuteOfLogins)) {
        let (this, mut minutes) = (self.minute(now), lock(&self.minutes));
        if minutes.back().is_none_or(|(minute, _)| *minute < this) {
            minutes.push_back((this, MinuteOfLogins::default()));
        }
        if minutes.len() > MINUTES {
            minutes.pop_front();
        }
        if let Some((_, last)) = minutes.back_mut() {
            note(last);
        }
    }

    /// The logins of each minute, the current one last; as many minutes as there are in an hour.
    #[must_use]
    pub fn logins(&self) -> Vec<MinuteOfLogins> {
        self.logins_at(Instant::now())
    }

    pub(super) fn logins_at(&self, now: Instant) -> Vec<MinuteOfLogins> {
        let (this, minutes) = (self.minute(now), lock(&self.minutes));
        let of = |back: u64| {
            let wanted = this.checked_sub(back)?;
            minutes.iter().find(|(minute, _)| *minute == wanted).map(|(_, logins)| *logins)
        };
        (0..60).rev().map(|back| of(back).unwrap_or_default()).collect()
    }

    fn minute(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.began).as_secs() / MINUTE.as_secs()
    }

    /// A maildrop was read; the path is only made if it is among the slowest.
    pub fn note_scan(&self, took: Duration, person: &str, maildrop: impl FnOnce() -> String) {
        let (now, mut slow) = (Instant::now(), lock(&self.slow));
        slow.retain(|(at, _)| now.saturating_duration_since(*at) < HOUR);
        let place = slow.partition_point(|(_, other)| other.took >= took);
        if place >= SLOWEST {
            return;
        }
        slow.insert(place, (now, SlowMaildrop { person: person.to_owned(), maildrop: maildrop(), took }));
        slow.truncate(SLOWEST);
    }

    /// The maildrops that took longest to read, from the slowest on.
    #[must_use]
    pub fn slowest(&self) -> Vec<SlowMaildrop> {
        let (now, slow) = (Instant::now(), lock(&self.slow));
        let is_recent = |(at, _): &&(Instant, SlowMaildrop)| now.saturating_duration_since(*at) < HOUR;
        slow.iter().filter(is_recent).map(|(_, maildrop)| maildrop.clone()).collect()
    }

    /// A login from an address was refused, or a connection ended without one.
    pub fn note_noise(&self, address: IpAddr) {
        self.note_noise_at(Instant::now(), address);
    }

    pub(super) fn note_noise_at(&self, now: Instant, address: IpAddr) {
        let mut noisy = lock(&self.noisy);
        noisy.turn(now);
        if noisy.current.len() >= ADDRESSES {
            noisy.forget_quiet();
        }
        *noisy.current.entry(network(address)).or_default() += 1;
    }

    /// The addresses with most refusals in the last half to whole hour, from the noisiest on.
    #[must_use]
    pub fn noisiest(&self, most: usize) -> Vec<NoisyAddress> {
        let mut noisy = lock(&self.noisy);
        noisy.turn(Instant::now());
        let mut counts = noisy.before.clone();
        for (address, count) in &noisy.current {
            *counts.entry(*address).or_default() += count;
        }
        drop(noisy);
        let mut all: Vec<_> = counts.into_iter().map(|(address, count)| NoisyAddress { address, count }).collect();
        all.sort_unstable_by_key(|noisy| (std::cmp::Reverse(noisy.count), noisy.address));
        all.truncate(most);
        all
    }
}

impl NoisyTable {
    fn turn(&mut self, now: Instant) {
        let halves = now.saturating_duration_since(self.began).as_secs() / (HOUR.as_secs() / 2);
        match halves {
            0 => return,
            1 => self.before = std::mem::take(&mut self.current),
            _ => {
                self.before.clear();
                self.current.clear();
            }
        }
        self.began = now;
    }

    /// Forgets the half with the fewest refusals.
    fn forget_quiet(&mut self) {
        let mut counts: Vec<u64> = self.current.values().copied().collect();
        let middle = counts.len() / 2;
        let (_, median, _) = counts.select_nth_unstable(middle);
        let median = *median;
        self.current.retain(|_, count| *count > median);
    }
}

/// A whole /64 belongs to one subscriber: its IPv6 addresses count as one.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() & !u128::from(u64::MAX)).into()),
    }
}

//! The addresses from which somebody logged in of late, for POP before SMTP.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The most addresses that are remembered.
const MOST: usize = 65_536;

/// The addresses from which somebody logged in of late, each with the time of the last login.
#[derive(Debug)]
pub struct RecentAddresses {
    within: Duration,
    addresses: Mutex<HashMap<IpAddr, Instant>>,
}

impl RecentAddresses {
    /// Remembers each address for this long after a login; zero: none is remembered.
    #[must_use]
    pub fn new(within: Duration) -> Self {
        Self { within, addresses: Mutex::default() }
    }

    /// How long an address is remembered.
    #[must_use]
    pub fn within(&self) -> Duration {
        self.within
    }

    /// Whether addresses are remembered at all.
    #[must_use]
    pub fn is_on(&self) -> bool {
        !self.within.is_zero()
    }

    /// Somebody has logged in from an address.
    pub fn note(&self, address: IpAddr, now: Instant) {
        if !self.is_on() {
            return;
        }
        let mut addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        if addresses.len() >= MOST && !addresses.contains_key(&address) {
            addresses.retain(|_, login| now.duration_since(*login) < self.within);
        }
        if addresses.len() >= MOST
            && let Some(oldest) = addresses.iter().min_by_key(|(_, login)| **login).map(|(oldest, _)| *oldest)
        {
            addresses.remove(&oldest);
        }
        addresses.insert(address, now);
    }

    /// Whether somebody has logged in from an address within the time.
    #[must_use]
    pub fn contains(&self, address: IpAddr, now: Instant) -> bool {
        let addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        addresses.get(&address).is_some_and(|login| now.duration_since(*login) < self.within)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn an_address_is_remembered_for_the_time() {
        let recent = RecentAddresses::new(Duration::from_secs(60));
        let (address, now) = (IpAddr::V4(Ipv4Addr::LOCALHOST), Instant::now());
        assert!(!recent.contains(address, now));
        recent.note(address, now);
        assert!(recent.contains(address, now + Duration::from_secs(59)));
        assert!(!recent.contains(address, now + Duration::from_secs(60)));
        let off = RecentAddresses::new(Duration::ZERO);
        off.note(address, now);
        assert!(!off.is_on() && !off.contains(address, now));
    }

    #[test]
    fn the_oldest_gives_way_when_there_are_too_many() {
        let recent = RecentAddresses::new(Duration::from_secs(60 * 60));
        let (began, of) = (Instant::now(), |number: u32| IpAddr::V4(Ipv4Addr::from(number)));
        let most = u32::try_from(MOST).unwrap();
        for number in 0..=most {
            recent.note(of(number), began + Duration::from_millis(number.into()));
        }
        let now = began + Duration::from_secs(120);
        assert!(!recent.contains(of(0), now) && recent.contains(of(1), now) && recent.contains(of(most), now));
    }
}

//! How many connections there are, in total and from each address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use super::ConnectionLimits;
use crate::current::Current;

/// The places for connections.
#[derive(Clone)]
pub(super) struct ConnectionSlots {
    limits: Arc<Current<ConnectionLimits>>,
    taken: Arc<Mutex<SlotsInUse>>,
}

#[derive(Default)]
struct SlotsInUse {
    all: usize,
    by_network: HashMap<IpAddr, usize>,
}

/// One connection's place; given back when dropped.
pub(super) struct ConnectionSlot {
    /// None until it is known where the connection is from.
    network: Option<IpAddr>,
    taken: Arc<Mutex<SlotsInUse>>,
}

/// Why there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoSlot {
    InAll,
    FromThere,
}

impl NoSlot {
    /// The key of the configuration below `limits`.
    pub(super) fn limit(self) -> &'static str {
        match self {
            Self::InAll => "connections",
            Self::FromThere => "connections_per_address",
        }
    }

    /// Why, in the words of the configuration.
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::InAll => "limits.connections is reached",
            Self::FromThere => "limits.connections_per_address is reached",
        }
    }
}

impl ConnectionSlots {
    pub(super) fn new(limits: ConnectionLimits) -> Self {
        Self { limits: Arc::new(Current::new(limits)), taken: Arc::default() }
    }

    /// Changes the limits for connections that come later.
    pub(super) fn set_limits(&self, limits: ConnectionLimits) {
        self.limits.replace(limits);
    }

    /// Takes a place for a connection from an address.
    pub(super) fn take(&self, address: IpAddr) -> Result<ConnectionSlot, NoSlot> {
        let mut slot = self.take_unnamed()?;
        self.name(&mut slot, address)?;
        Ok(slot)
    }

    /// Takes a place for a connection whose client is not known yet; see [`Self::name`].
    pub(super) fn take_unnamed(&self) -> Result<ConnectionSlot, NoSlot> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.all >= self.limits.get().connections {
            return Err(NoSlot::InAll);
        }
        taken.all += 1;
        Ok(ConnectionSlot { network: None, taken: self.taken.clone() })
    }

    /// Counts a place among those of an address, once.
    pub(super) fn name(&self, slot: &mut ConnectionSlot, address: IpAddr) -> Result<(), NoSlot> {
        let network = network(address);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let from_there = taken.by_network.entry(network).or_default();
        if *from_there >= self.limits.get().connections_per_address {
            return Err(NoSlot::FromThere);
        }
        *from_there += 1;
        slot.network = Some(network);
        Ok(())
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all = taken.all.saturating_sub(1);
        let Some(network) = self.network else { return };
        let Some(from_there) = taken.by_network.get_mut(&network) else { return };
        *from_there = from_there.saturating_sub(1);
        if *from_there == 0 {
            taken.by_network.remove(&network);
        }
    }
}

/// A whole /64 belongs to one subscriber: its IPv6 addresses count as one.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() & !u128::from(u64::MAX)).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(connections: usize, connections_per_address: usize) -> ConnectionSlots {
        ConnectionSlots::new(ConnectionLimits { connections, connections_per_address, ..ConnectionLimits::default() })
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_place_is_given_back() {
        let places = places(10, 1);
        let held = places.take(address("192.0.2.1")).unwrap();
        assert_eq!(places.take(address("192.0.2.1")).err(), Some(NoSlot::FromThere));
        assert!(places.take(address("192.0.2.2")).is_ok());
        drop(held);
        assert!(places.take(address("192.0.2.1")).is_ok());
        assert!(places.taken.lock().unwrap().by_network.is_empty());
    }

    #[test]
    fn a_place_without_a_name_counts_in_all_only() {
        let places = places(2, 1);
        let (mut one, mut two) = (places.take_unnamed().unwrap(), places.take_unnamed().unwrap());
        assert_eq!(places.take_unnamed().err(), Some(NoSlot::InAll));
        places.name(&mut one, address("192.0.2.1")).unwrap();
        assert_eq!(places.name(&mut two, address("192.0.2.1")).err(), Some(NoSlot::FromThere));
        drop(two);
        drop(one);
        assert!(places.take(address("192.0.2.1")).is_ok());
        assert!(places.taken.lock().unwrap().by_network.is_empty());
    }

    #[test]
    fn one_subscriber_cannot_take_every_place() {
        let places = places(3, 2);
        let _one = places.take(address("2001:db8:1:2::1")).unwrap();
        let _two = places.take(address("2001:db8:1:2:ffff::9")).unwrap();
        assert_eq!(places.take(address("2001:db8:1:2::3")).err(), Some(NoSlot::FromThere));
        let _three = places.take(address("2001:db8:1:3::1")).unwrap();
        assert_eq!(places.take(address("192.0.2.1")).err(), Some(NoSlot::InAll));
    }
}

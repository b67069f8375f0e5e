//! Logins that wait for a further response. Postfix sends nothing when its client cancels one, so leftovers are dropped
//! after a time, and the oldest gives way if there are too many.

use std::time::{Duration, Instant};

use super::request::LoginOrigin;
use crate::pop3::SaslDialogue;

/// How many logins of one connection may wait at once.
const MOST: usize = 32;

/// How long one may wait: longer than any mail transfer agent waits for its client.
const LONGEST: Duration = Duration::from_secs(10 * 60);

/// The logins of one connection that wait for a further response.
#[derive(Default)]
pub(super) struct OpenExchanges(Vec<OpenExchange>);

/// One of them.
pub(super) struct OpenExchange {
    pub(super) id: u32,
    pub(super) origin: LoginOrigin,
    pub(super) dialogue: SaslDialogue,
    pub(super) since: Instant,
}

impl OpenExchanges {
    /// Adds one; another one with the same id is dropped.
    pub(super) fn insert(&mut self, exchange: OpenExchange) {
        let now = exchange.since;
        self.0.retain(|other| other.id != exchange.id && now.duration_since(other.since) < LONGEST);
        if self.0.len() >= MOST {
            self.0.remove(0);
        }
        self.0.push(exchange);
    }

    /// Takes one out, if it is there.
    pub(super) fn take(&mut self, id: u32) -> Option<OpenExchange> {
        let place = self.0.iter().position(|exchange| exchange.id == id)?;
        Some(self.0.remove(place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange(id: u32, since: Instant) -> OpenExchange {
        let (client, service) = ("127.0.0.1:0".parse().unwrap(), "smtp".to_owned());
        let origin = LoginOrigin { service, client, is_secured: false };
        OpenExchange { id, origin, dialogue: SaslDialogue::begin("PLAIN", false).unwrap().0, since }
    }

    #[test]
    fn leftovers_are_dropped() {
        let (mut open, began) = (OpenExchanges::default(), Instant::now());
        for id in 0..=32 {
            open.insert(exchange(id, began));
        }
        assert!(open.take(0).is_none() && open.take(1).is_some() && open.take(1).is_none());
        open.insert(exchange(2, began));
        assert_eq!(open.0.len(), 31);
        open.insert(exchange(77, began + LONGEST));
        assert_eq!(open.0.len(), 1);
    }
}

//! The hosts to which sessions are passed on: whether each that is listed by its whole name can be used.

use std::sync::Arc;

use super::Checked;
use crate::identity;
use crate::ledger::Ledger;
use crate::relay::BackEnds;

impl Checked {
    /// Connects, verifies the certificate, and reads the greeting. Nobody is logged in.
    pub(super) fn hosts(&mut self, settings: &identity::Settings, hostname: &str) {
        let Some(relay) = &settings.relay else { return };
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(fault) => return self.faults.push(format!("relay: {fault}")),
        };
        let hosts = BackEnds::new(Arc::clone(&relay.settings), hostname.to_owned(), &Ledger::default());
        for (index, host) in relay.settings.hosts.iter().enumerate() {
            if host.pattern.exact().is_none() {
                self.notes.push(format!("relay: {} not tried, since it may be many hosts", host.pattern));
            } else if let Err(fault) = runtime.block_on(hosts.try_host(index)) {
                self.faults.push(format!("relay: {}: {fault}", host.pattern));
            }
        }
    }
}

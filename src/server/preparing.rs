//! Another configuration for the running server: everything that can fail is done before anything is changed.

use std::io;
use std::sync::Arc;

use super::change::{ServerChange, TlsChange};
use super::listen::{BoundPort, PortPolicy};
use super::running::{RunningPort, RunningServer};
use super::{Listener, Settings};

impl TlsChange {
    fn of(server: &RunningServer, settings: &Settings) -> Result<Self, String> {
        let before = server.tls.as_ref().map(|tls| &tls.policies);
        match (before, settings.tls()) {
            (None, None) => Ok(Self::Kept),
            (Some(before), Some(_)) if before.are_made_of(settings) => Ok(Self::Kept),
            (_, tls) => Ok(Self::Replaced(tls.transpose()?.map(Arc::new))),
        }
    }
}

impl RunningServer {
    /// Prepares for other settings: binds the ports that were added. Nothing changes before [`Self::apply`]. Call it inside
    /// the runtime.
    ///
    /// # Errors
    /// A sentence for each address that cannot be bound; or TLS cannot be set up.
    pub fn prepare(&self, settings: &Settings) -> Result<ServerChange, Vec<String>> {
        let tls = TlsChange::of(self, settings).map_err(|fault| vec![fault])?;
        let before = self.tls.as_ref().map(|tls| tls.policies.clone());
        let policies = match &tls {
            TlsChange::Kept => before.clone(),
            TlsChange::Replaced(policies) => policies.clone(),
        };
        let (mut kept, mut added, mut needs_restart, mut faults) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for listener in &settings.listeners {
            if let Some((place, port)) = self.port_at(listener, &kept) {
                kept.push((place, listener.clone(), port.policy.get().renewed(listener, policies.clone())));
                continue;
            }
            match BoundPort::bind(listener, None, policies.clone()) {
                Ok(port) => match port.registered() {
                    Ok(port) => added.push(port),
                    Err(fault) => faults.push(format!("{}: {fault}", listener.address)),
                },
                // The right to bind it was given up at the start.
                Err((io::ErrorKind::PermissionDenied, fault)) => needs_restart.push(format!("not opened: {fault}")),
                Err((_, fault)) => faults.push(self.with_way_out(listener, fault)),
            }
        }
        let removed: Vec<_> = self.ports.iter().enumerate().filter(|(place, _)| !is_kept(&kept, *place)).collect();
        for (place, port) in removed.into_iter().filter(|(_, port)| port.is_handed_over) {
            let address = port.listener.address;
            needs_restart.push(format!("not closed: {address}: the service manager holds this socket open"));
            let policies = policies.clone().or(before.clone());
            kept.push((place, port.listener.clone(), port.policy.get().renewed(&port.listener, policies)));
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(ServerChange { kept, added, tls, limits: settings.limits, needs_restart })
    }

    /// The port of a listener's address, unless another listener has it already: several may ask for port 0.
    fn port_at(&self, listener: &Listener, kept: &[(usize, Listener, PortPolicy)]) -> Option<(usize, &RunningPort)> {
        let is_its =
            |(place, port): &(usize, &RunningPort)| port.listener.address == listener.address && !is_kept(kept, *place);
        self.ports.iter().enumerate().find(is_its)
    }

    /// A fault, and what to do if a port of our own is in the way.
    fn with_way_out(&self, listener: &Listener, fault: String) -> String {
        let port = listener.address.port();
        match self.ports.iter().find(|own| own.listener.address.port() == port) {
            Some(own) => {
                let own = own.listener.address;
                format!("{fault}; if it is the listener at {own}, reload first without it, and then with this one")
            }
            None => fault,
        }
    }
}

fn is_kept(kept: &[(usize, Listener, PortPolicy)], place: usize) -> bool {
    kept.iter().any(|(other, ..)| *other == place)
}

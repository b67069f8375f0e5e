//! Whether the addresses of the configuration can be bound, or who has them.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::path::Path;

use super::listening::{ListeningSocket, ListeningSockets};
use super::running::FoundService;
use crate::cli::unit::serves;
use crate::config::Configuration;
use crate::server::try_to_bind;

/// What is known about one address.
pub(super) struct PortFinding {
    pub(super) address: SocketAddr,
    pub(super) state: PortState,
}

/// Whether the service can listen at an address.
pub(super) enum PortState {
    /// It can.
    Free,
    /// It does.
    InUseByService,
    /// systemd does, and hands the socket over.
    HeldForService(String),
    /// It cannot, for a reason.
    Taken(String),
    /// Only a user with more rights can try; nobody listens there.
    Untried,
}

impl PortState {
    /// A word for JSON.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::InUseByService => "in_use_by_service",
            Self::HeldForService(_) => "held_for_service",
            Self::Taken(_) => "taken",
            Self::Untried => "untried",
        }
    }
}

/// The addresses of all listeners, and of `admin.http`. A port 0 is chosen by the system.
pub(super) fn inspect(
    configuration: &Configuration,
    file: &Path,
    service: &FoundService,
    sockets: &ListeningSockets,
) -> Vec<PortFinding> {
    let http = configuration.admin_http.as_ref().and_then(crate::admin::HttpAddress::tcp);
    let listeners = configuration.server.listeners.iter().map(|listener| listener.address);
    let addresses = listeners.chain(http).filter(|address| address.port() != 0);
    let find = |address| PortFinding { address, state: state(address, file, service, sockets) };
    addresses.map(find).collect()
}

fn state(address: SocketAddr, file: &Path, service: &FoundService, sockets: &ListeningSockets) -> PortState {
    let fault = match try_to_bind(address) {
        Ok(()) => return PortState::Free,
        Err(fault) => fault,
    };
    match (fault.kind(), sockets.at(address)) {
        (ErrorKind::AddrInUse | ErrorKind::PermissionDenied, Some(socket)) => holder(address, socket, file, service),
        (ErrorKind::AddrInUse, None) if service.listens_at(address) => PortState::InUseByService,
        (ErrorKind::PermissionDenied, None) => PortState::Untried,
        _ => PortState::Taken(why(address, &fault)),
    }
}

/// systemd (process 1) holds the sockets that it hands over, also while the service runs.
fn holder(address: SocketAddr, socket: &ListeningSocket, file: &Path, service: &FoundService) -> PortState {
    let is_service = |pid, command: &str| service.pid() == Some(pid) || serves(command, file);
    if socket.holders.iter().any(|holder| is_service(holder.pid, &holder.command)) {
        return PortState::InUseByService;
    }
    match socket.holders.as_slice() {
        [] if service.listens_at(address) => PortState::InUseByService,
        [] => PortState::Taken(format!(
            "{address} is taken by another process, whose user has the id {}; run the command as root to see which, or \
             use another address",
            socket.uid
        )),
        [first, ..] if first.pid == 1 => PortState::HeldForService(first.name.clone()),
        [first, ..] => PortState::Taken(format!(
            "{address} is taken by {} (process {}); stop it, or use another address",
            first.name, first.pid
        )),
    }
}

fn why(address: SocketAddr, fault: &io::Error) -> String {
    match fault.kind() {
        ErrorKind::AddrNotAvailable => {
            format!("{address}: this machine has no such address; `ip address` lists those that it has")
        }
        ErrorKind::AddrInUse => format!("{address} is taken by another process; `ss -ltnp`, run as root, shows which"),
        _ => format!("{address} cannot be bound: {fault}"),
    }
}

//! What the server must be told.

use std::net::SocketAddr;
use std::time::Duration;

use super::{Certificates, Network};

/// Everything the server needs besides what it serves.
#[derive(Clone)]
pub struct Settings {
    /// Where it listens.
    pub listeners: Vec<Listener>,
    /// Its certificates; must be there if any listener does TLS.
    pub certificates: Option<Certificates>,
    /// The user to become after the ports are bound, when started as root.
    pub user: Option<String>,
    /// The bounds of what it takes on.
    pub limits: Limits,
}

/// One address, and the policy of its port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// Where it listens; `[::]` takes IPv4 as well.
    pub address: SocketAddr,
    /// When TLS begins.
    pub tls: Tls,
    /// Who may send a password before TLS has begun.
    pub login_without_tls: LoginWithoutTls,
    /// The networks from which it takes logins; none for every one.
    pub accept_from: Vec<Network>,
}

/// When TLS begins on a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// Never.
    None,
    /// When the client says STLS (RFC 2595 §4).
    StartTls,
    /// With the first octet (RFC 8314 §3).
    Implicit,
}

/// Who may send a password in clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginWithoutTls {
    /// Nobody.
    Refuse,
    /// Clients on this machine.
    Loopback,
    /// Everybody.
    Allow,
}

/// How much the server takes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections in all.
    pub connections: usize,
    /// Connections from one address (IPv6: from one /64).
    pub connections_per_address: usize,
    /// How long sessions may go on after SIGTERM.
    pub shutdown: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connections: 20_000, connections_per_address: 200, shutdown: Duration::from_secs(30) }
    }
}

//! The settings of the server.

use std::net::SocketAddr;
use std::time::Duration;

use super::{AllowedNetwork, Certificates, ClientTrust, ProxyProtocol, TlsPolicies};

/// Everything the server needs to know, except what it serves.
#[derive(Clone)]
pub struct Settings {
    /// Where it listens.
    pub listeners: Vec<Listener>,
    /// Its own certificates; required if any listener uses TLS.
    pub certificates: Option<Certificates>,
    /// Which client certificates are valid; required if any listener asks clients for one.
    pub client_trust: Option<ClientTrust>,
    /// The name under which clients reach it, if the configuration says it; certificates should be for it.
    pub hostname: Option<String>,
    /// The user to become after the ports are bound, when started as root.
    pub user: Option<String>,
    /// The limits of the whole server.
    pub limits: ConnectionLimits,
}

impl Settings {
    /// TLS for the listeners; none if there are no certificates, neither own ones nor authorities. Where a proxy terminates
    /// TLS and forwards clients' certificates, there may be authorities alone.
    pub(super) fn tls(&self) -> Option<Result<TlsPolicies, String>> {
        let none_of_its_own = || self.client_trust.is_some().then(Certificates::default);
        let certificates = self.certificates.clone().or_else(none_of_its_own)?;
        Some(TlsPolicies::new(certificates, self.client_trust.clone(), self.hostname.clone()))
    }
}

/// One address, and the policy of its port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// Where it listens; `[::]` takes IPv4 as well.
    pub address: SocketAddr,
    /// When TLS begins.
    pub tls: TlsMode,
    /// Who may send a password before TLS has begun. Nobody where certificates are required.
    pub login_without_tls: LoginWithoutTls,
    /// Whether clients are asked for a certificate.
    pub client_certificate: ClientCertificate,
    /// Whether name and password are needed in addition.
    pub name_and_password: NameAndPassword,
    /// The networks from which logins are accepted; empty: all.
    pub accept_from: Vec<AllowedNetwork>,
    /// The proxies through which alone clients reach it; none: clients connect directly.
    pub proxy_protocol: Option<ProxyProtocol>,
}

impl Listener {
    /// One that asks for no certificate, and accepts passwords in clear only from this machine.
    #[must_use]
    pub fn at(address: SocketAddr, tls: TlsMode) -> Self {
        Self {
            address,
            tls,
            login_without_tls: LoginWithoutTls::Loopback,
            client_certificate: ClientCertificate::None,
            name_and_password: NameAndPassword::Required,
            accept_from: Vec::new(),
            proxy_protocol: None,
        }
    }
}

/// Whether clients are asked for a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientCertificate {
    /// They are not.
    None,
    /// They are; an invalid one is treated as none.
    Optional,
    /// They are, and clients without a valid one are not served.
    Required,
}

/// Whether name and password are needed in addition to a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameAndPassword {
    /// They are.
    Required,
    /// A certificate alone logs in, by SASL EXTERNAL.
    Optional,
}

/// When TLS begins on a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsMode {
    /// Never.
    None,
    /// When the client sends STLS (RFC 2595 §4).
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

/// The limits of the whole server, as numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// Connections in total.
    pub connections: usize,
    /// Connections from one address (IPv6: from one /64).
    pub connections_per_address: usize,
    /// How long sessions may continue after SIGTERM.
    pub shutdown: Duration,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self { connections: 20_000, connections_per_address: 200, shutdown: Duration::from_secs(30) }
    }
}

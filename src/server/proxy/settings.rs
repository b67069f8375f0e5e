//! Which networks may send PROXY headers to a listener, and what is believed of them.

use std::net::IpAddr;

use crate::server::AllowedNetwork;

/// A listener that is reached through a load balancer only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyProtocol {
    /// The networks from which connections are accepted; each must begin with a PROXY header.
    pub from: Vec<AllowedNetwork>,
    /// Whether a client counts as protected because the proxy says that it terminated TLS.
    pub tls: ProxyTls,
    /// Whether a client counts as the owner of a certificate because the proxy says that it verified one.
    pub client_certificates: ProxyCertificates,
}

/// What is believed of the TLS fields of a header (version 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyTls {
    /// Nothing.
    Ignored,
    /// That the client speaks TLS with the proxy.
    Believed,
}

/// What is believed of the fields about the client's certificate, where those about TLS are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyCertificates {
    /// Nothing.
    Ignored,
    /// That the client has the key of the whole certificate in the header.
    Believed,
}

impl ProxyProtocol {
    /// Whether headers are accepted from an address.
    pub(in crate::server) fn accepts(&self, address: IpAddr) -> bool {
        self.from.iter().any(|network| network.holds(address))
    }
}

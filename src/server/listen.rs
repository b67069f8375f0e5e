//! Ports, bound before privileges are dropped, and what their policy means for a client.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::Arc;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpStream;

use super::proxy::Origin;
use super::{
    AllowedNetwork, ClientCertificate, Listener, LoginWithoutTls, NameAndPassword, ProxyProtocol, TlsMode, TlsPolicies,
};
use crate::connection::{self, Client, ClientCertificates, ForwardedCertificate, TlsBefore};

/// A bound port.
pub(super) struct BoundPort<Socket = TcpListener> {
    pub(super) socket: Socket,
    pub(super) policy: PortPolicy,
    pub(super) listener: Listener,
    /// The service manager bound it.
    pub(super) is_handed_over: bool,
}

/// The policy of a port.
#[derive(Clone)]
pub(super) struct PortPolicy {
    name: Arc<str>,
    tls: TlsMode,
    login_without_tls: LoginWithoutTls,
    client_certificate: ClientCertificate,
    name_and_password: NameAndPassword,
    policies: Option<Arc<TlsPolicies>>,
    accept_from: Arc<[AllowedNetwork]>,
    proxy_protocol: Option<Arc<ProxyProtocol>>,
}

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 4096;

impl BoundPort {
    /// Binds a listener's address, unless a socket was handed over. `[::]` takes IPv4 too, whatever the system's default.
    pub(super) fn bind(
        listener: &Listener,
        handed_over: Option<TcpListener>,
        policies: Option<Arc<TlsPolicies>>,
    ) -> Result<Self, (io::ErrorKind, String)> {
        let describe = |fault: io::Error| (fault.kind(), format!("{}: {fault}{}", listener.address, hint(&fault)));
        let is_handed_over = handed_over.is_some();
        let socket = handed_over.map_or_else(|| bind(listener.address), Ok).map_err(describe)?;
        let address = socket.local_addr().map_err(describe)?;
        let policy = PortPolicy::new(address.to_string().into(), listener, policies);
        Ok(Self { socket, policy, listener: listener.clone(), is_handed_over })
    }

    /// The same with its socket in the runtime.
    pub(super) fn registered(self) -> io::Result<BoundPort<tokio::net::TcpListener>> {
        let Self { socket, policy, listener, is_handed_over } = self;
        let socket = tokio::net::TcpListener::from_std(socket)?;
        Ok(BoundPort { socket, policy, listener, is_handed_over })
    }
}

impl PortPolicy {
    fn new(name: Arc<str>, listener: &Listener, policies: Option<Arc<TlsPolicies>>) -> Self {
        Self {
            name,
            tls: listener.tls,
            login_without_tls: listener.login_without_tls,
            client_certificate: listener.client_certificate,
            name_and_password: listener.name_and_password,
            policies,
            accept_from: listener.accept_from.clone().into(),
            proxy_protocol: listener.proxy_protocol.clone().map(Arc::new),
        }
    }

    /// That of the same port by other settings.
    pub(super) fn renewed(&self, listener: &Listener, policies: Option<Arc<TlsPolicies>>) -> Self {
        Self::new(self.name.clone(), listener, policies)
    }

    /// The address, as the log calls the port.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The TLS mode, for the log.
    pub(super) fn tls(&self) -> &'static str {
        match self.tls {
            TlsMode::None => "none",
            TlsMode::StartTls => "starttls",
            TlsMode::Implicit => "implicit",
        }
    }

    /// A client of this port, with what the policy allows it.
    pub(super) fn client(&self, socket: TcpStream, origin: Origin) -> Client {
        let Origin { peer, is_local, tls: tls_before, certificate, is_proxy, is_relayed } = origin;
        let forwarded = certificate.and_then(|certificate| self.client_certificates(Some(certificate)));
        Client {
            transport: socket,
            peer,
            listener: self.name.clone(),
            implicit_tls: self.tls == TlsMode::Implicit,
            // The client could not do a second handshake inside the TLS that it speaks with the proxy.
            stls: self.tls == TlsMode::StartTls && tls_before.is_none(),
            tls: self.client_tls(),
            passwords_in_clear: match self.login_without_tls {
                // A password in clear would bypass the certificate.
                _ if self.client_certificate == ClientCertificate::Required && forwarded.is_none() => false,
                _ if tls_before.is_some() => true,
                LoginWithoutTls::Refuse => false,
                LoginWithoutTls::Loopback => is_local,
                LoginWithoutTls::Allow => true,
            },
            tls_before: tls_before.map(|protection| TlsBefore { protection, client_certificates: forwarded }),
            takes_logins: self.takes_logins_from(peer.ip()),
            is_probe: is_proxy,
            is_relayed,
        }
    }

    /// Which networks must send a PROXY header, if this port is behind a proxy.
    pub(super) fn proxy_protocol(&self) -> Option<&ProxyProtocol> {
        self.proxy_protocol.as_deref()
    }

    /// The TLS configuration for the next client, with the current authorities and revocation lists.
    fn client_tls(&self) -> Option<connection::PortTls> {
        let policies = self.policies.as_ref().filter(|_| self.tls != TlsMode::None)?;
        let configuration = policies.configuration(self.client_certificate)?;
        let client_certificates = self.client_certificates(None);
        Some(connection::PortTls { acceptor: configuration.into(), client_certificates })
    }

    /// How the certificate of the next client is treated: the one that the proxy forwards, or the one that TLS here sees.
    fn client_certificates(&self, forwarded: Option<ForwardedCertificate>) -> Option<ClientCertificates> {
        let policies = self.policies.clone().filter(|_| self.client_certificate != ClientCertificate::None)?;
        Some(ClientCertificates {
            required: self.client_certificate == ClientCertificate::Required,
            is_enough: self.name_and_password == NameAndPassword::Optional,
            judge: Arc::new(move |chain| policies.judge(chain)),
            forwarded,
        })
    }

    fn takes_logins_from(&self, address: IpAddr) -> bool {
        self.accept_from.is_empty() || self.accept_from.iter().any(|network| network.holds(address))
    }

    /// Whether a client can read plain text before TLS.
    pub(super) fn speaks_in_clear(&self) -> bool {
        self.tls != TlsMode::Implicit
    }
}

/// Binds an address as the service does, but does not listen there, so that nobody notices it: another process may bind the
/// address at the same time.
///
/// # Errors
/// The address cannot be bound.
pub fn try_to_bind(address: SocketAddr) -> io::Result<()> {
    bound(address).map(drop)
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = bound(address)?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

fn bound(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    // Accepted sockets inherit it (tcp(7)), which saves a call for each client.
    socket.set_tcp_nodelay(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

fn hint(fault: &io::Error) -> &'static str {
    match fault.kind() {
        io::ErrorKind::PermissionDenied => {
            "; ports below 1024 require CAP_NET_BIND_SERVICE, or a start as root with `user:` in the configuration"
        }
        io::ErrorKind::AddrInUse => "; another service listens there: ss -ltnp shows which",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a client from there may send a password in clear, on a port with STLS.
    async fn allowed(login_without_tls: LoginWithoutTls, from: &str) -> bool {
        let address = "127.0.0.1:0".parse().unwrap();
        let port =
            BoundPort::bind(&Listener { login_without_tls, ..Listener::at(address, TlsMode::StartTls) }, None, None)
                .unwrap();
        let socket = TcpStream::connect(port.socket.local_addr().unwrap()).await.unwrap();
        port.policy.client(socket, Origin::direct(from.parse().unwrap())).passwords_in_clear
    }

    #[tokio::test]
    async fn passwords_in_clear_are_accepted_as_the_policy_says() {
        use LoginWithoutTls::{Allow, Loopback, Refuse};
        for (policy, local, remote) in [(Refuse, false, false), (Loopback, true, false), (Allow, true, true)] {
            for from in ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1"] {
                assert_eq!(allowed(policy, from).await, local, "{policy:?} {from}");
            }
            for from in ["192.0.2.1:1", "10.0.0.1:1", "[2001:db8::1]:1", "[fe80::1]:1"] {
                assert_eq!(allowed(policy, from).await, remote, "{policy:?} {from}");
            }
        }
    }
}

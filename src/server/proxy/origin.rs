//! Whom a connection is from.

use std::net::SocketAddr;

use super::header::ProxyHeader;
use super::settings::{ProxyCertificates, ProxyProtocol, ProxyTls};
use crate::connection::ForwardedCertificate;

/// Whom a connection is from, as far as its socket and a PROXY header tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::server) struct Origin {
    /// The address that counts for limits, networks, lock-outs and the log; IPv4 is never mapped into IPv6.
    pub(in crate::server) peer: SocketAddr,
    /// Both the client and the socket's other end are on this machine.
    pub(in crate::server) is_local: bool,
    /// The TLS that the proxy terminated, if that is believed; in the words of the log.
    pub(in crate::server) tls: Option<&'static str>,
    /// What the proxy says about the client's certificate, if that is believed.
    pub(in crate::server) certificate: Option<ForwardedCertificate>,
    /// The proxy speaks for itself, as its health checks do.
    pub(in crate::server) is_proxy: bool,
    /// Another Restante passes the session on: it goes no further than here.
    pub(in crate::server) is_relayed: bool,
}

impl Origin {
    /// A client that connects by itself.
    pub(in crate::server) fn direct(peer: SocketAddr) -> Self {
        let (tls, certificate) = (None, None);
        Self { peer, is_local: peer.ip().is_loopback(), tls, certificate, is_proxy: false, is_relayed: false }
    }

    /// A client of a proxy, which connects from `proxy`. Without an address in the header, the socket's own counts.
    pub(in crate::server) fn behind(proxy: SocketAddr, header: ProxyHeader, believed: &ProxyProtocol) -> Self {
        let peer = header.source.unwrap_or(proxy);
        let tls = header.tls.filter(|_| believed.tls == ProxyTls::Believed);
        let believes_certificates = believed.client_certificates == ProxyCertificates::Believed;
        Self {
            peer,
            // A remote proxy's own loopback is not ours: what it sends has crossed the network.
            is_local: peer.ip().is_loopback() && proxy.ip().is_loopback(),
            tls: tls.as_ref().map(|tls| tls.version),
            certificate: tls.map(|tls| tls.certificate).filter(|_| believes_certificates),
            // Version 1 has no LOCAL: HAProxy's health checks name the socket's own ends.
            is_proxy: peer == proxy,
            is_relayed: header.is_relayed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tls_fields::TerminatedTls;
    use super::*;

    fn behind(proxy: &str, source: Option<&str>, tls: ProxyTls) -> Origin {
        believing(proxy, source, tls, ProxyCertificates::Ignored)
    }

    fn believing(proxy: &str, source: Option<&str>, tls: ProxyTls, client_certificates: ProxyCertificates) -> Origin {
        let terminated = TerminatedTls { version: "TLS 1.3 at the proxy", certificate: ForwardedCertificate::NameOnly };
        let header =
            ProxyHeader { source: source.map(|it| it.parse().unwrap()), tls: Some(terminated), is_relayed: false };
        Origin::behind(proxy.parse().unwrap(), header, &ProxyProtocol { from: Vec::new(), tls, client_certificates })
    }

    #[test]
    fn a_client_is_on_this_machine_only_if_its_proxy_is_too() {
        for (proxy, source, is_local) in [
            ("127.0.0.1:1", Some("127.0.0.1:2"), true),
            ("127.0.0.1:1", Some("192.0.2.1:2"), false),
            ("192.0.2.9:1", Some("127.0.0.1:2"), false),
            ("192.0.2.9:1", Some("[::1]:2"), false),
            ("127.0.0.1:1", None, true),
            ("192.0.2.9:1", None, false),
        ] {
            assert_eq!(behind(proxy, source, ProxyTls::Ignored).is_local, is_local, "{proxy} {source:?}");
        }
    }

    #[test]
    fn a_proxy_speaks_for_itself_without_an_address_or_with_its_own() {
        for (source, is_proxy) in [(None, true), (Some("192.0.2.9:1"), true), (Some("192.0.2.9:2"), false)] {
            assert_eq!(behind("192.0.2.9:1", source, ProxyTls::Ignored).is_proxy, is_proxy, "{source:?}");
        }
    }

    #[test]
    fn tls_at_the_proxy_counts_only_where_it_is_believed() {
        assert_eq!(behind("192.0.2.9:1", Some("192.0.2.1:2"), ProxyTls::Ignored).tls, None);
        assert_eq!(behind("192.0.2.9:1", Some("192.0.2.1:2"), ProxyTls::Believed).tls, Some("TLS 1.3 at the proxy"));
    }

    #[test]
    fn a_certificate_at_the_proxy_counts_only_where_it_and_its_tls_are_believed() {
        let of = |tls, certificates| believing("192.0.2.9:1", Some("192.0.2.1:2"), tls, certificates).certificate;
        assert_eq!(of(ProxyTls::Believed, ProxyCertificates::Ignored), None);
        assert_eq!(of(ProxyTls::Ignored, ProxyCertificates::Believed), None);
        let believed = of(ProxyTls::Believed, ProxyCertificates::Believed);
        assert_eq!(believed, Some(ForwardedCertificate::NameOnly));
    }
}

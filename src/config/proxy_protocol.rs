//! `listeners[].proxy_protocol`: load balancers, and what is believed of them.

use super::networks::networks;
use super::section::Section;
use super::tree::NodeKind;
use crate::server::{ClientCertificate, ProxyCertificates, ProxyProtocol, ProxyTls, TlsMode};

/// The proxies of a listener, if it has any.
pub(super) fn read(
    listener: &Section<'_>,
    listener_tls: Option<TlsMode>,
    client_certificate: ClientCertificate,
) -> Option<ProxyProtocol> {
    let section = listener.section("proxy_protocol");
    let from = networks(&section, "from");
    let tls =
        section.word("tls", ProxyTls::Ignored, &[("ignored", ProxyTls::Ignored), ("believed", ProxyTls::Believed)]);
    let certificates = client_certificates(&section);
    let contradiction = match tls {
        ProxyTls::Believed if section.get("from").is_none() => {
            Some("believed has no effect without from; expected the networks of the proxies in from, or no such key")
        }
        ProxyTls::Believed
            if client_certificate == ClientCertificate::Required && certificates == ProxyCertificates::Ignored =>
        {
            Some(
                "believed has no effect where client_certificate is required; expected ignored, or \
                 client_certificates: believed as well",
            )
        }
        _ => None,
    };
    if let Some(what) = contradiction {
        section.fault("tls", section.place_of("tls"), what);
    }
    let contradiction = match certificates {
        ProxyCertificates::Believed if tls == ProxyTls::Ignored => {
            Some("believed has no effect without tls: believed; expected that key as well, or ignored")
        }
        ProxyCertificates::Believed if listener_tls == Some(TlsMode::Implicit) => {
            Some("believed has no effect where the listener's tls is implicit; expected ignored")
        }
        ProxyCertificates::Believed if client_certificate == ClientCertificate::None => Some(
            "believed has no effect where client_certificate is none; expected ignored, or another client_certificate",
        ),
        _ => None,
    };
    if let Some(what) = contradiction {
        section.fault("client_certificates", section.place_of("client_certificates"), what);
    }
    Some(ProxyProtocol { from: from?, tls, client_certificates: certificates })
}

/// Whether the proxies of a listener are believed which certificate a client has. A mistake is reported by [`read`].
pub(super) fn believes_certificates(listener: &Section<'_>) -> bool {
    let proxies = listener.get("proxy_protocol").and_then(|node| node.pairs());
    let mut keys = proxies.into_iter().flatten();
    keys.any(|(key, node)| {
        key.name == "client_certificates" && matches!(&node.kind, NodeKind::String(text) if text.value == "believed")
    })
}

fn client_certificates(section: &Section<'_>) -> ProxyCertificates {
    let words = [("ignored", ProxyCertificates::Ignored), ("believed", ProxyCertificates::Believed)];
    section.word("client_certificates", ProxyCertificates::Ignored, &words)
}

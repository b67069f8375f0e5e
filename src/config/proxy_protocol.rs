//! `listeners[].proxy_protocol`: load balancers, and what is believed of them.

use super::networks::networks;
use super::section::Section;
use crate::server::{ClientCertificate, ProxyProtocol, ProxyTls};

/// The proxies of a listener, if it has any.
pub(super) fn read(listener: &Section<'_>, client_certificate: ClientCertificate) -> Option<ProxyProtocol> {
    let section = listener.section("proxy_protocol");
    let from = networks(&section, "from");
    let tls =
        section.word("tls", ProxyTls::Ignored, &[("ignored", ProxyTls::Ignored), ("believed", ProxyTls::Believed)]);
    let contradiction = match tls {
        ProxyTls::Believed if section.get("from").is_none() => {
            Some("believed has no effect without from; expected the networks of the proxies in from, or no such key")
        }
        ProxyTls::Believed if client_certificate == ClientCertificate::Required => {
            Some("believed has no effect where client_certificate is required; expected ignored")
        }
        _ => None,
    };
    if let Some(what) = contradiction {
        section.fault("tls", section.place_of("tls"), what);
    }
    Some(ProxyProtocol { from: from?, tls })
}

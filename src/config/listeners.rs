//! `user`, `listeners`, `tls`, and the limits of the whole server.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use super::client_certificates;
use super::networks::networks;
use super::paths::Base;
use super::proxy_protocol;
use super::section::Section;
use super::tree::{Position, quoted};
use crate::server::{
    self, Certificates, ConnectionLimits, Listener, LoginWithoutTls, ProxyProtocol, ProxyTls, TlsMode,
};

/// The settings of the server.
pub(super) fn read(root: &Section<'_>, base: &Base) -> server::Settings {
    let listeners = listeners(root);
    let certificates = certificates(&root.section("tls"), base);
    let starved = listeners.iter().find(|(listener, _)| listener.tls != TlsMode::None);
    if let (Some((listener, place)), None) = (starved, &certificates) {
        let address = listener.address;
        root.fault_at(
            *place,
            format!(
                "the listener at {address} uses TLS, but tls.certificates is missing; expected a list of \
                 {{ chain: FILE, key: FILE }}"
            ),
        );
    }
    client_certificates::want_authorities(root, &listeners);
    server::Settings {
        client_trust: client_certificates::trust(&root.section("tls"), base),
        listeners: listeners.into_iter().map(|(listener, _)| listener).collect(),
        certificates,
        hostname: root.text("hostname").map(str::to_owned),
        user: root.text("user").map(str::to_owned),
        limits: limits(&root.section("limits")),
    }
}

/// The listeners with the positions of their `tls` keys.
fn listeners(root: &Section<'_>) -> Vec<(Listener, Position)> {
    let Some(sections) = root.sections("listeners") else { return standard(root) };
    if root.is_empty_list("listeners") {
        let right = "expected at least one, or no such key, which gives ports 110 and 995";
        root.fault("listeners", root.place_of("listeners"), format!("the list is empty; {right}"));
    }
    let mut listeners: Vec<(Listener, Position)> = Vec::new();
    for section in sections {
        let Some(listener) = listener(&section) else { continue };
        match listeners.iter().find(|(other, _)| collide(other.address, listener.address)) {
            Some((other, _)) => taken(&section, listener.address, other.address),
            None => listeners.push((listener, section.place_of("tls"))),
        }
    }
    listeners
}

/// Ports 110 and 995, on every address.
fn standard(root: &Section<'_>) -> Vec<(Listener, Position)> {
    let everywhere = |port| SocketAddr::from((Ipv6Addr::UNSPECIFIED, port));
    [(110, TlsMode::StartTls), (995, TlsMode::Implicit)]
        .map(|(port, tls)| (Listener::at(everywhere(port), tls), root.place_of("listeners")))
        .to_vec()
}

fn listener(section: &Section<'_>) -> Option<Listener> {
    section.require("address", "an address with its port, such as \"[::]:110\"");
    section.require("tls", "none, starttls or implicit");
    let modes = [("none", TlsMode::None), ("starttls", TlsMode::StartTls), ("implicit", TlsMode::Implicit)];
    let tls = section.chosen("tls", &modes);
    let forwarded = proxy_protocol::believes_certificates(section);
    let (client_certificate, name_and_password) = client_certificates::asked(section, tls, forwarded);
    let proxy_protocol = proxy_protocol::read(section, tls, client_certificate);
    let login_without_tls = login_without_tls(section, tls, proxy_protocol.as_ref());
    let accept_from = networks(section, "accept_from").unwrap_or_default();
    Some(Listener {
        address: section.parsed("address", address)?,
        tls: tls?,
        login_without_tls,
        client_certificate,
        name_and_password,
        accept_from,
        proxy_protocol,
    })
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        format!(
            "{} is not an address with its port; expected something like \"[::]:110\" or 192.0.2.1:110",
            quoted(text)
        )
    })
}

/// Who may send a password in clear; a contradiction to `tls` is a mistake.
fn login_without_tls(
    section: &Section<'_>,
    tls: Option<TlsMode>,
    proxy_protocol: Option<&ProxyProtocol>,
) -> LoginWithoutTls {
    let key = "login_without_tls";
    let words = [
        ("refuse", LoginWithoutTls::Refuse),
        ("loopback", LoginWithoutTls::Loopback),
        ("allow", LoginWithoutTls::Allow),
    ];
    let login = section.word(key, LoginWithoutTls::Loopback, &words);
    let believes_tls = proxy_protocol.is_some_and(|proxies| proxies.tls == ProxyTls::Believed);
    let contradiction = match (tls, login) {
        (Some(TlsMode::Implicit), LoginWithoutTls::Allow) => {
            "allow has no effect where tls is implicit; expected no such key"
        }
        (Some(TlsMode::None), LoginWithoutTls::Refuse) if !believes_tls => {
            "refuse rejects everybody where tls is none; expected loopback or allow, or another tls"
        }
        _ => return login,
    };
    section.fault(key, section.place_of(key), contradiction);
    login
}

/// Whether the second of two addresses cannot be bound once the first is.
fn collide(one: SocketAddr, other: SocketAddr) -> bool {
    // Port 0 lets the system choose one.
    one.port() != 0 && one.port() == other.port() && (covers(one.ip(), other.ip()) || covers(other.ip(), one.ip()))
}

/// `[::]` takes IPv4 as well.
fn covers(one: IpAddr, other: IpAddr) -> bool {
    one == other || one == Ipv6Addr::UNSPECIFIED || (one == Ipv4Addr::UNSPECIFIED && other.is_ipv4())
}

fn taken(section: &Section<'_>, address: SocketAddr, by: SocketAddr) {
    let what = format!("{address} is taken by the listener at {by} already; expected another port or address");
    section.fault("address", section.place_of("address"), what);
}

fn certificates(tls: &Section<'_>, base: &Base) -> Option<Certificates> {
    // A value that is not a list is reported already; "missing" would be a second message for the same mistake.
    let Some(pairs) = tls.sections("certificates") else {
        return tls.get("certificates").map(|_| Certificates::default());
    };
    let mut certificates = Certificates::default();
    for pair in pairs {
        pair.require("chain", "the file of the certificate and those between it and the root");
        pair.require("key", "the file of the certificate's key");
        let chain = pair.parsed("chain", |path| base.resolve(path));
        let key = pair.parsed("key", |path| base.resolve(path));
        let (Some(chain), Some(key)) = (chain, key) else { continue };
        if let Err((file, what)) = certificates.add(&chain, &key) {
            let at = if file == key { "key" } else { "chain" };
            pair.fault(at, pair.place_of(at), format!("{}: {what}", file.display()));
        }
    }
    (!tls.is_empty_list("certificates")).then_some(certificates)
}

fn limits(section: &Section<'_>) -> ConnectionLimits {
    let default = ConnectionLimits::default();
    let number =
        |key, default: usize| usize::try_from(section.count(key, default as u64, 1..=1_000_000)).unwrap_or(default);
    ConnectionLimits {
        connections: number("connections", default.connections),
        connections_per_address: number("connections_per_address", default.connections_per_address),
        shutdown: section.duration("shutdown", default.shutdown, Duration::ZERO..=Duration::from_secs(60 * 60)),
    }
}

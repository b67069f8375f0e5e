//! `client_certificate`, `name_and_password`, `tls.client_ca`, `tls.crls`: whether clients are asked for certificates, and which are valid.

use std::path::PathBuf;

use super::paths::Base;
use super::section::Section;
use super::tree::Position;
use crate::server::{ClientCertificate, ClientTrust, Listener, NameAndPassword, ProxyCertificates, TlsMode};

/// What a listener requires of its clients; a contradiction to its other keys is a mistake.
/// `forwarded`: a proxy that terminated TLS says which certificate a client has.
pub(super) fn asked(
    section: &Section<'_>,
    tls: Option<TlsMode>,
    forwarded: bool,
) -> (ClientCertificate, NameAndPassword) {
    let words = [
        ("none", ClientCertificate::None),
        ("optional", ClientCertificate::Optional),
        ("required", ClientCertificate::Required),
    ];
    let certificate = section.word("client_certificate", ClientCertificate::None, &words);
    let words = [("required", NameAndPassword::Required), ("optional", NameAndPassword::Optional)];
    let password = section.word("name_and_password", NameAndPassword::Required, &words);
    let fault = |key, what| section.fault(key, section.place_of(key), what);
    match (certificate, password) {
        (ClientCertificate::None, NameAndPassword::Optional) => {
            let what = "optional rejects everybody where client_certificate is none; expected required";
            fault("name_and_password", what);
        }
        (ClientCertificate::Optional | ClientCertificate::Required, _) if tls == Some(TlsMode::None) && !forwarded => {
            let what = "has no effect without TLS; expected none, or another tls";
            fault("client_certificate", what);
        }
        (ClientCertificate::Required, _) if section.get("login_without_tls").is_some_and(|_| !refuses(section)) => {
            let what = "rejects everybody before TLS where client_certificate is required; expected refuse";
            fault("login_without_tls", what);
        }
        _ => {}
    }
    (certificate, password)
}

fn refuses(section: &Section<'_>) -> bool {
    section.text("login_without_tls") == Some("refuse")
}

/// A listener that asks for certificates needs authorities.
pub(super) fn want_authorities(root: &Section<'_>, listeners: &[(Listener, Position)]) {
    let sees = |listener: &Listener| {
        let proxies = listener.proxy_protocol.as_ref();
        let is_told = proxies.is_some_and(|it| it.client_certificates == ProxyCertificates::Believed);
        listener.tls != TlsMode::None || is_told
    };
    let asks = |listener: &Listener| sees(listener) && listener.client_certificate != ClientCertificate::None;
    let asking = listeners.iter().find(|(listener, _)| asks(listener));
    if let (Some((listener, place)), None) = (asking, root.section("tls").get("client_ca")) {
        let address = listener.address;
        let right = "expected a PEM file of the authorities that sign them";
        let what = format!("the listener at {address} asks for certificates, but tls.client_ca is missing; {right}");
        root.fault_at(*place, what);
    }
}

/// The authorities and their revocation lists, if any are configured and can be read.
pub(super) fn trust(tls: &Section<'_>, base: &Base) -> Option<ClientTrust> {
    let authorities = tls.parsed("client_ca", |path| base.resolve(path));
    let listed = tls.list("crls").unwrap_or_default();
    let lists: Vec<PathBuf> =
        listed.iter().filter_map(|item| tls.parsed_of("crls", item, |path| base.resolve(path))).collect();
    if !listed.is_empty() && tls.get("client_ca").is_none() {
        let what = "has no effect without client_ca; expected that key as well, or neither";
        tls.fault("crls", tls.place_of("crls"), what);
    }
    let authorities = authorities?;
    match ClientTrust::read(&authorities, &lists) {
        Ok(trust) => Some(trust),
        Err((file, what)) if file == authorities => {
            let right = "expected a PEM file of the authorities that sign the clients' certificates";
            tls.fault("client_ca", tls.place_of("client_ca"), format!("{}: {what}; {right}", file.display()));
            None
        }
        Err((file, what)) => {
            let right = "expected files of revocation lists, PEM or DER";
            tls.fault("crls", tls.place_of("crls"), format!("{}: {what}; {right}", file.display()));
            None
        }
    }
}

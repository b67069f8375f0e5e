//! `client_certificate`, `name_and_password`, `tls.client_ca`, `tls.crls`: whether and whose certificates count.

use std::path::PathBuf;

use super::paths::Base;
use super::section::Section;
use super::tree::Place;
use crate::server::{ClientCertificate, ClientTrust, Listener, NameAndPassword, Tls};

/// What a listener asks of its clients; what contradicts the rest of it is a fault.
pub(super) fn asked(section: &Section<'_>, tls: Option<Tls>) -> (ClientCertificate, NameAndPassword) {
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
            let what = "optional lets nobody in where client_certificate is none; right would be required";
            fault("name_and_password", what);
        }
        (ClientCertificate::Optional | ClientCertificate::Required, _) if tls == Some(Tls::None) => {
            let what = "means nothing where tls is none; right would be none, or another tls";
            fault("client_certificate", what);
        }
        (ClientCertificate::Required, _) if section.get("login_without_tls").is_some_and(|_| !refuses(section)) => {
            let what = "lets nobody in before TLS where client_certificate is required; right would be refuse";
            fault("login_without_tls", what);
        }
        _ => {}
    }
    (certificate, password)
}

fn refuses(section: &Section<'_>) -> bool {
    section.text("login_without_tls") == Some("refuse")
}

/// A listener that asks for certificates must know whose count.
pub(super) fn want_authorities(root: &Section<'_>, listeners: &[(Listener, Place)]) {
    let asks =
        |listener: &Listener| listener.tls != Tls::None && listener.client_certificate != ClientCertificate::None;
    let asking = listeners.iter().find(|(listener, _)| asks(listener));
    if let (Some((listener, place)), None) = (asking, root.section("tls").get("client_ca")) {
        let address = listener.address;
        let right = "right would be a PEM file of the authorities that sign them";
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
        let what = "means nothing without client_ca; right would be that key too, or no such list";
        tls.fault("crls", tls.place_of("crls"), what);
    }
    let authorities = authorities?;
    match ClientTrust::read(&authorities, &lists) {
        Ok(trust) => Some(trust),
        Err((file, what)) if file == authorities => {
            let right = "right would be a PEM file of the authorities that sign the clients' certificates";
            tls.fault("client_ca", tls.place_of("client_ca"), format!("{}: {what}; {right}", file.display()));
            None
        }
        Err((file, what)) => {
            let right = "right would be files of revocation lists, PEM or DER";
            tls.fault("crls", tls.place_of("crls"), format!("{}: {what}; {right}", file.display()));
            None
        }
    }
}

//! Which certificate a client is shown.

use std::fmt::Write as _;
use std::fs;
use std::sync::Arc;

use restante::demo::authority::Authority;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};

use crate::support::conversation::Conversation;
use crate::support::stage::{PASSWORD, Stage};

/// Takes any certificate: these tests look at what is shown, not at what is trusted.
#[derive(Debug)]
struct Anything;

impl ServerCertVerifier for Anything {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ECDSA_NISTP256_SHA256]
    }
}

fn taking_anything(names_the_server: bool) -> Arc<ClientConfig> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let verifier = builder.dangerous().with_custom_certificate_verifier(Arc::new(Anything));
    let mut config = verifier.with_no_client_auth();
    config.enable_sni = names_the_server;
    Arc::new(config)
}

/// Serves with one certificate for each of these names, in this order.
fn stage(names: &[&str]) -> Stage {
    Stage::set_by(&[], |plan, site| {
        let authority = Authority::new().unwrap();
        plan.certificates = String::new();
        for (number, name) in names.iter().enumerate() {
            let certified = authority.certify(&[name]).unwrap();
            certified.write(&site.folder().join("tls"), &number.to_string()).unwrap();
            writeln!(plan.certificates, "    - {{ chain: tls/{number}.pem, key: tls/{number}.key }}").unwrap();
        }
        fs::remove_file(site.folder().join("tls/server.pem")).unwrap();
    })
}

/// The number of the certificate that is shown to who asks for this name.
fn shown(
    stage: &Stage,
    name: &str,
    tls: &Arc<ClientConfig>,
    begin: fn(&Stage, &str, &Arc<ClientConfig>) -> Conversation,
) -> usize {
    let client = begin(stage, name, tls);
    let chain = client.session().peer_certificates().unwrap();
    let certificate =
        |number: &usize| CertificateDer::from_pem_file(stage.site.folder().join(format!("tls/{number}.pem"))).unwrap();
    (0..3).find(|number| certificate(number) == chain[0]).unwrap()
}

fn implicit(stage: &Stage, name: &str, tls: &Arc<ClientConfig>) -> Conversation {
    let mut client = Conversation::tls(stage.service.pop3s(), name, tls);
    client.expect("+OK");
    client
}

fn after_stls(stage: &Stage, name: &str, tls: &Arc<ClientConfig>) -> Conversation {
    let mut client = stage.client();
    client.stls(name, tls);
    client
}

#[test]
fn a_client_gets_the_certificate_of_the_name_it_asks_for() {
    let stage = stage(&["pop.renovations.example", "mail.renovations.example", "*.branch.example"]);
    let tls = taking_anything(true);
    for begin in [implicit, after_stls] {
        for (name, number) in [
            ("pop.renovations.example", 0),
            ("mail.renovations.example", 1),
            ("MAIL.Renovations.Example", 1),
            ("paris.branch.example", 2),
            // A wildcard stands for exactly one label (RFC 6125 §6.4.3).
            ("branch.example", 0),
            ("left.bank.branch.example", 0),
            ("who.knows.example", 0),
        ] {
            assert_eq!(shown(&stage, name, &tls, begin), number, "{name}");
        }
        // A client that names nobody, as old ones do, and one that names an address, which is no name (RFC 6066 §3).
        assert_eq!(shown(&stage, "mail.renovations.example", &taking_anything(false), begin), 0);
        assert_eq!(shown(&stage, "127.0.0.1", &tls, begin), 0);
    }
}

#[test]
fn the_exact_name_goes_before_a_wildcard() {
    let stage = stage(&["pop.renovations.example", "*.branch.example", "rome.branch.example"]);
    assert_eq!(shown(&stage, "rome.branch.example", &taking_anything(true), implicit), 2);
    assert_eq!(shown(&stage, "oslo.branch.example", &taking_anything(true), implicit), 1);
}

/// Which certificate was shown has no bearing on who may log in.
#[test]
fn everybody_logs_in_under_every_certificate() {
    let stage = stage(&["pop.renovations.example", "mail.renovations.example", "*.branch.example"]);
    for name in ["mail.renovations.example", "oslo.branch.example", "who.knows.example"] {
        implicit(&stage, name, &taking_anything(true)).login("ajones", PASSWORD);
    }
}

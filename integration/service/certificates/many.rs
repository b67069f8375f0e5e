//! Authorities whose names do not fit into a request for certificates: nobody's handshake may fail because of them.

use std::fs;
use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, KeyPair, KeyUsagePurpose};
use rustls::version::{TLS12, TLS13};

use super::{POLICIES, World, opened};
use crate::support::certificates::showing_by;
use crate::support::process::{output, program};
use crate::support::service::restante;

/// Adds so many authorities to a file, whose names have some 150 octets each.
fn add_authorities(file: &Path, count: usize) {
    let key = KeyPair::generate().unwrap();
    let mut all = fs::read_to_string(file).unwrap();
    for number in 0..count {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        let name = format!("Authority {number} of a public administration with a long name");
        params.distinguished_name.push(DnType::OrganizationName, "Ministry of Long Names, Department of Certificates");
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        all.push_str(&params.self_signed(&key).unwrap().pem());
    }
    fs::write(file, all).unwrap();
}

/// A world whose `client_ca` has so many further authorities. Revocation is not looked at: they have no lists.
fn world(authorities: usize) -> World {
    World::with_files(|plan, site| {
        add_authorities(&site.folder().join("people-ca.pem"), authorities);
        plan.tls = String::from("  client_ca: people-ca.pem\n");
    })
}

fn check(world: &World) -> (Option<i32>, String) {
    let file = world.site.folder().join("restante.yaml");
    let ended = output(restante().args(["check", "--config"]).arg(file), "");
    (ended.status.code(), String::from_utf8([ended.stdout, ended.stderr].concat()).unwrap())
}

const LEFT_OUT: &str = "their names are not sent to clients";

#[test]
fn many_authorities_break_no_handshake() {
    let world = world(600);
    for version in [&TLS12, &TLS13] {
        for (policy, stls) in POLICIES.into_iter().flat_map(|policy| [(policy, false), (policy, true)]) {
            let certificate = (policy.0 != "none").then_some(&world.own);
            let tls = showing_by(&[version], &world.site.authority(), certificate);
            let mut client = world.connect(policy, stls, &tls);
            if policy.0 != "none" && policy.1 == "optional" {
                client.send("AUTH EXTERNAL =");
                assert_eq!(opened(&mut client).as_deref(), Ok("ajones"), "{policy:?}");
            } else {
                client.ask("QUIT", "+OK");
            }
        }
        // Whoever has no certificate is served wherever none is required.
        let tls = showing_by(&[version], &world.site.authority(), None);
        let mut client = world.connect(("optional", "required"), false, &tls);
        client.login("ajones", "violet-harbour-17");
    }
    let (status, told) = check(&world);
    assert!(status == Some(0) && told.contains(LEFT_OUT) && told.contains("601 authorities"), "{status:?} {told}");
    world.service.wait_for_log(&["tls.client_ca", LEFT_OUT]);
}

/// Clients with several certificates choose by these names, so they are sent where they fit.
#[test]
fn the_names_of_a_few_authorities_are_sent() {
    let world = world(3);
    let port = world.port(("optional", "required"), false).to_string();
    for version in ["-tls1_2", "-tls1_3"] {
        let ended = output(program("openssl").args(["s_client", version, "-connect", &port]), "");
        let told = String::from_utf8_lossy(&ended.stdout).into_owned();
        assert!(told.contains("CN = Renovations CA for people") && told.contains("CN = Authority 2 of"), "{told}");
    }
    let (status, told) = check(&world);
    assert!(status == Some(0) && !told.contains(LEFT_OUT), "{told}");
}

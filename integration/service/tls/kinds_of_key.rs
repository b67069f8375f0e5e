//! Certificates of different kinds of key for one name: each client gets the first that it can verify.
//!
//! The clients are `openssl s_client`, restricted to some versions, signature algorithms and curves.

use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use crate::support::process::{output, program, succeed};
use crate::support::stage::{NAME, Stage};

const RSA: &[&str] = &["-newkey", "rsa:2048"];
const P256: &[&str] = &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
const P384: &[&str] = &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"];

/// A certificate to make: its file and common name, the host name that it is for, its key.
type Wanted<'a> = (&'a str, &'a str, &'a [&'a str]);

/// A self-signed certificate, which says by its common name which one it is.
fn make(folder: &Path, (common_name, host, key): Wanted<'_>) {
    let mut command = program("openssl");
    command.args(["req", "-x509", "-nodes", "-days", "2"]).args(key);
    command.args(["-subj", &format!("/CN={common_name}"), "-addext", &format!("subjectAltName=DNS:{host}")]);
    command.args(["-addext", "basicConstraints=critical,CA:FALSE"]);
    command.arg("-keyout").arg(folder.join(format!("{common_name}.key")));
    succeed(command.arg("-out").arg(folder.join(format!("{common_name}.pem"))), "");
}

/// Serves with these certificates, in this order.
fn stage(certificates: &[Wanted<'_>]) -> Stage {
    Stage::set_by(&[], |plan, site| {
        let folder = site.folder().join("tls");
        plan.certificates = String::new();
        let mut trusted = String::new();
        for certificate in certificates {
            make(&folder, *certificate);
            let name = certificate.0;
            writeln!(plan.certificates, "    - {{ chain: tls/{name}.pem, key: tls/{name}.key }}").unwrap();
            trusted.push_str(&fs::read_to_string(folder.join(format!("{name}.pem"))).unwrap());
        }
        fs::write(folder.join("trusted.pem"), trusted).unwrap();
    })
}

/// The common name of the certificate that a client with these options gets and verifies; none if the handshake fails.
fn verified(stage: &Stage, server: SocketAddr, host: &str, options: &[&str]) -> Option<String> {
    let mut command = program("openssl");
    command.args(["s_client", "-verify_return_error", "-servername", host, "-connect", &server.to_string()]);
    command.arg("-CAfile").arg(stage.site.folder().join("tls/trusted.pem")).args(options);
    let ended = output(&mut command, "");
    let told = String::from_utf8_lossy(&ended.stdout).into_owned();
    let subject = told.lines().find_map(|line| line.strip_prefix("subject=CN = "))?.to_owned();
    ended.status.success().then_some(subject)
}

/// By TLS 1.2 and 1.3, clients that know one kind of signature only. Those of TLS 1.3 that know RSA by PKCS #1 alone know it
/// for certificates, not for the handshake (RFC 8446 §4.2.3).
const RESTRICTED: &[(&str, &[&str])] = &[
    ("rsa", &["-tls1_2", "-sigalgs", "RSA+SHA256"]),
    ("rsa", &["-tls1_2", "-sigalgs", "RSA-PSS+SHA256"]),
    ("rsa", &["-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"]),
    ("rsa", &["-tls1_3", "-sigalgs", "RSA-PSS+SHA256"]),
    ("ecdsa", &["-tls1_2", "-sigalgs", "ECDSA+SHA256"]),
    ("ecdsa", &["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"]),
    ("ecdsa", &["-tls1_3", "-sigalgs", "ECDSA+SHA256"]),
    ("ecdsa", &["-tls1_3", "-sigalgs", "RSA+SHA256:ECDSA+SHA256"]),
];

#[test]
fn each_client_gets_the_certificate_it_can_verify_in_both_orders() {
    let (rsa, ecdsa) = (("rsa", NAME, RSA), ("ecdsa", NAME, P256));
    for order in [[rsa, ecdsa], [ecdsa, rsa]] {
        let stage = stage(&order);
        let ports = [(stage.service.pop3s(), &[][..]), (stage.service.pop3(), &["-starttls", "pop3"][..])];
        for (port, begin) in ports {
            for (kind, options) in RESTRICTED {
                let shown = verified(&stage, port, NAME, &[options, begin].concat());
                assert_eq!(shown.as_deref(), Some(*kind), "{options:?} with {} first", order[0].0);
            }
            // Whoever can verify both gets the first.
            for version in ["-tls1_2", "-tls1_3"] {
                let shown = verified(&stage, port, NAME, &[&[version], begin].concat());
                assert_eq!(shown.as_deref(), Some(order[0].0), "{version}");
            }
        }
    }
}

/// A certificate for the name goes before those for others; one that the client can verify before one that it cannot.
#[test]
fn a_name_is_served_by_whichever_of_its_certificates_can_be_verified() {
    let stage = stage(&[
        ("other", "other.example", RSA),
        ("exact", "pop.branch.example", P256),
        ("wild", "*.branch.example", RSA),
    ]);
    let rsa: &[&str] = &["-tls1_3", "-sigalgs", "RSA-PSS+SHA256"];
    for (host, options, shown) in [
        ("pop.branch.example", &[][..], "exact"),
        ("pop.branch.example", rsa, "wild"),
        ("imap.branch.example", &[], "wild"),
        ("nowhere.example", &[], "other"),
        ("nowhere.example", &["-tls1_3", "-sigalgs", "ECDSA+SHA256"], "exact"),
    ] {
        assert_eq!(
            verified(&stage, stage.service.pop3s(), host, options).as_deref(),
            Some(shown),
            "{host} {options:?}"
        );
    }
}

/// Before TLS 1.3 the curves that a client names bound the keys that it can verify as well (RFC 8422 §5.1.1).
#[test]
fn a_client_of_tls_1_2_that_lacks_a_keys_curve_gets_another_certificate() {
    let stage = stage(&[("p384", NAME, P384), ("rsa", NAME, RSA)]);
    for (curves, shown) in [("P-256", "rsa"), ("P-256:P-384", "p384"), ("X25519:P-256", "rsa")] {
        let got = verified(&stage, stage.service.pop3s(), NAME, &["-tls1_2", "-groups", curves]);
        assert_eq!(got.as_deref(), Some(shown), "{curves}");
    }
    // In TLS 1.3 they are for the key exchange alone.
    let got = verified(&stage, stage.service.pop3s(), NAME, &["-tls1_3", "-groups", "P-256"]);
    assert_eq!(got.as_deref(), Some("p384"));
}

#[test]
fn a_client_that_can_verify_none_is_refused_in_words() {
    let stage = stage(&[("ecdsa", NAME, P256)]);
    for (version, told) in [
        ("-tls1_2", "offers no cipher suite that is safe and fits the key of a certificate (RSA or ECDSA)"),
        ("-tls1_3", "cannot verify signatures by the key of any certificate"),
    ] {
        assert_eq!(verified(&stage, stage.service.pop3s(), NAME, &[version, "-sigalgs", "RSA-PSS+SHA256"]), None);
        stage.service.wait_for_log(&["connection ended", "TLS handshake failed: the client", told]);
    }
}

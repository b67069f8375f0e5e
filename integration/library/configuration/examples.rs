//! Every example of a configuration in the texts for people is one that loads.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, IsCa, KeyIdMethod, KeyPair,
    KeyUsagePurpose, PKCS_RSA_SHA256, SerialNumber, date_time_ymd,
};
use restante::config;
use tempfile::TempDir;

use crate::support::examples::yaml_examples;

/// What examples leave out, since they are about something else.
const LEFT_OUT: [(&str, &str); 2] = [
    ("tls:", "tls: { certificates: [{ chain: fullchain.pem, key: privkey.pem }] }\n"),
    ("directories:", "directories: [{ urls: [ldaps://ldap.example.org], base: o=example }]\n"),
];

#[test]
fn examples_in_the_texts_load() {
    let folder = folder();
    let (mut faults, mut found) = (Vec::new(), 0);
    for text in texts() {
        for example in yaml_examples(&fs::read_to_string(&text).unwrap()) {
            found += 1;
            let file = folder.path().join("restante.yaml");
            fs::write(&file, completed(&example)).unwrap();
            let fault = config::load(&file).err().or_else(|| effective_fault(&file));
            faults.extend(fault.map(|fault| format!("{}:\n{example}{fault}", text.display())));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(found > 5, "{found}");
}

/// What is wrong with the effective configuration of an example; nothing, if it loads and is its own.
fn effective_fault(file: &Path) -> Option<config::Faults> {
    for all in [false, true] {
        let text = config::effective(file, all).unwrap();
        let printed = file.with_file_name("printed.yaml");
        fs::write(&printed, &text).unwrap();
        match config::effective(&printed, all) {
            Ok(again) => assert_eq!(again, text),
            Err(faults) => return Some(faults),
        }
    }
    None
}

fn texts() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let guide = fs::read_dir(root.join("config/guide")).unwrap().map(|entry| entry.unwrap().path());
    guide.chain([root.join("README.md")]).collect()
}

fn completed(example: &str) -> String {
    let is_left_out = |key: &str| !example.lines().any(|line| line.starts_with(key));
    let further = LEFT_OUT.iter().filter(|(key, _)| is_left_out(key)).map(|(_, text)| *text);
    // A place that tests cannot write to.
    let text = further.fold(example.replace("/etc/restante/", ""), |text, further| text + further);
    let (without_base, urls) = (!text.contains("base: "), "directories:\n  - urls: ");
    if without_base { text.replace(urls, "directories:\n  - base: o=example\n    urls: ") } else { text }
}

/// A folder with the files that the examples name.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let own = rcgen::generate_simple_self_signed(["pop.example.org".to_owned()]).unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let revoked = CertificateRevocationListParams {
        this_update: date_time_ymd(2026, 1, 1),
        next_update: date_time_ymd(2099, 1, 1),
        crl_number: SerialNumber::from(1_u64),
        issuing_distribution_point: None,
        revoked_certs: Vec::new(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    for (name, content) in [
        ("fullchain.pem", own.cert.pem()),
        ("privkey.pem", own.signing_key.serialize_pem()),
        ("people-ca.pem", authority.pem()),
        ("ldap-ca.pem", authority.pem()),
        ("people.crl", revoked.signed_by(&authority).unwrap().pem().unwrap()),
        ("id.example.org.jwks", KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap().public_key_pem()),
        ("ldap.password", "correct horse\n".to_owned()),
    ] {
        fs::write(folder.path().join(name), content).unwrap();
    }
    folder
}

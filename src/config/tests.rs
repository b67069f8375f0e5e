//! The reference file that is shipped: complete and correct.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::*;
use crate::config::tree::NodeKind;

use crate::config::effective::REFERENCE;

/// The keys without a default.
const SMALLEST: &str = "
directories:
  - urls: [ldaps://ldap1.renovations.example, ldaps://ldap2.renovations.example]
    base: ou=people,dc=renovations,dc=example
tls:
  certificates:
    - { chain: fullchain.pem, key: privkey.pem }
";

/// A folder with the files that the reference names.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let own = rcgen::generate_simple_self_signed(["mail.renovations.example".to_owned()]).unwrap();
    for (name, content) in [
        ("fullchain.pem", own.cert.pem()),
        ("privkey.pem", own.signing_key.serialize_pem()),
        ("ldap.password", "correct horse\n".to_owned()),
    ] {
        fs::write(folder.path().join(name), content).unwrap();
    }
    folder
}

fn loaded(folder: &Path, content: &str) -> Configuration {
    let file = folder.join("restante.yaml");
    fs::write(&file, content).unwrap();
    load(&file).unwrap_or_else(|faults| panic!("{faults}"))
}

#[test]
fn the_reference_has_the_defaults() {
    let folder = folder();
    let (told, silent) = (loaded(folder.path(), REFERENCE), loaded(folder.path(), SMALLEST));
    assert_eq!(told.server.listeners, silent.server.listeners);
    assert!(told.server.client_trust.is_none() && silent.server.client_trust.is_none());
    assert_eq!(told.server.user, silent.server.user);
    assert_eq!(told.server.limits, silent.server.limits);
    assert_eq!(told.connection.hostname, silent.connection.hostname);
    assert_eq!(told.connection.refusal_step, silent.connection.refusal_step);
    assert_eq!(told.connection.limits, silent.connection.limits);
    assert_eq!(told.identity.policy, silent.identity.policy);
    assert_eq!(told.identity.ambiguous, silent.identity.ambiguous);
    assert_eq!(told.identity.template, silent.identity.template);
    assert_eq!(told.identity.root, silent.identity.root);
    assert_eq!(told.identity.cache, silent.identity.cache);
    assert_eq!(told.identity.lockout, silent.identity.lockout);
    assert_eq!(told.maildir, silent.maildir);
    assert_eq!(told.logging, silent.logging);
    assert_eq!((told.admin, silent.admin), (None, None));
}

#[test]
fn the_reference_has_the_defaults_of_a_directory() {
    let folder = folder();
    let [mut told, mut silent] = [REFERENCE, SMALLEST].map(|content| loaded(folder.path(), content).directories);
    assert_eq!((told.len(), silent.len()), (1, 1));
    let (told, silent) = (told.remove(0), silent.remove(0));
    assert_eq!(told.name, silent.name);
    assert_eq!(told.urls, silent.urls);
    assert_eq!(told.starttls, silent.starttls);
    assert_eq!(told.base, silent.base);
    assert_eq!(told.filter, silent.filter);
    assert_eq!(told.names, silent.names);
    assert_eq!(told.attributes, silent.attributes);
    assert_eq!(told.certificate_mapping, silent.certificate_mapping);
    assert_eq!(told.limits, silent.limits);
    assert_eq!(told.bind.unwrap().password.expose(), "correct horse");
    assert!(silent.bind.is_none());
}

#[test]
fn every_module_has_its_own_defaults() {
    let folder = folder();
    let silent = loaded(folder.path(), SMALLEST);
    assert_eq!(silent.server.limits, server::ConnectionLimits::default());
    assert_eq!(silent.connection.limits, connection::SessionLimits::default());
    assert_eq!(silent.identity.cache, identity::Lifetimes::default());
    assert_eq!(silent.directories[0].limits, directory::DirectoryLimits::default());
    assert_eq!(silent.maildir, maildir::Settings::new("/srv/mail".into()));
    assert_eq!(silent.identity.policy, crate::names::Policy::fewer());
}

#[test]
fn the_reference_names_every_key() {
    let folder = folder();
    let tree = file::parse(REFERENCE.as_bytes()).unwrap();
    let findings = Findings::default();
    read(&tree, &Base::of(&folder.path().join("restante.yaml")), &findings);
    let mut told = BTreeSet::new();
    keys(&tree, "", &mut told);
    let missing: Vec<String> = findings.asked().difference(&told).cloned().collect();
    assert_eq!(missing, Vec::<String>::new());
}

fn keys(node: &Node, path: &str, told: &mut BTreeSet<String>) {
    if let NodeKind::List(items) = &node.kind {
        for item in items {
            keys(item, path, told);
        }
    }
    for (key, value) in node.pairs().unwrap_or_default() {
        let own = if path.is_empty() { key.name.clone() } else { format!("{path}.{}", key.name) };
        keys(value, &own, told);
        told.insert(own);
    }
}

#[test]
fn the_admin_socket_has_a_path_and_a_mode() {
    let folder = folder();
    let admin = |keys: &str| loaded(folder.path(), &format!("{SMALLEST}admin: {{ {keys} }}\n")).admin.unwrap();
    let narrow = admin("socket: /run/restante/admin.sock");
    assert_eq!((narrow.socket, narrow.mode), ("/run/restante/admin.sock".into(), 0o600));
    let wide = admin("socket: admin.sock, mode: \"0660\"");
    assert_eq!((wide.socket, wide.mode), (folder.path().join("admin.sock"), 0o660));
    let long = format!("{SMALLEST}admin: {{ socket: /{} }}\n", "x".repeat(107));
    fs::write(folder.path().join("restante.yaml"), long).unwrap();
    let Err(faults) = load(&folder.path().join("restante.yaml")) else { panic!("taken") };
    assert!(faults.to_string().contains("108 octets are too many for the path of a socket"), "{faults}");
}

/// What each of the two forms of the effective configuration loads to, in another folder.
fn loaded_again(folder: &Path, content: &str) -> [Configuration; 2] {
    let file = folder.join("restante.yaml");
    fs::write(&file, content).unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    [false, true].map(|all| {
        let text = effective(&file, all).unwrap_or_else(|faults| panic!("{faults}"));
        let again = loaded(elsewhere.path(), &text);
        let once_more = effective(&elsewhere.path().join("restante.yaml"), all).unwrap();
        assert_eq!(once_more, text, "the effective configuration of the effective configuration");
        again
    })
}

#[test]
fn the_effective_configuration_loads_to_the_same_settings() {
    let folder = folder();
    let content = format!(
        "{SMALLEST}hostname: mail.example.org
listeners:
  - {{ address: \"127.0.0.1:110\", tls: starttls, accept_from: [10.0.0.0/8], login_without_tls: refuse }}
  - {{ address: \"127.0.0.1:1110\", tls: none, proxy_protocol: {{ from: [192.0.2.0/28], tls: believed }} }}
internet_authentication: {{ names: [mail, short_name] }}
mailboxes: {{ root: mail, path: \"{{mail}}/Maildir\", marker: [\"a: b\", \"\\u00e9#\"], deletion: {{ keep_for: 3d }} }}
limits: {{ idle: 20m, connections: 7 }}
cache: {{ found: 300s, password: 1h, maildrops: 1024KiB }}
lockout: {{ exempt_networks: [10.0.0.0/8] }}
admin: {{ socket: admin.sock, mode: \"0660\" }}
log: {{ format: json }}
"
    );
    for content in [&*content, SMALLEST, REFERENCE] {
        let first = loaded(folder.path(), content);
        for again in loaded_again(folder.path(), content) {
            assert_eq!(again.server.listeners, first.server.listeners);
            assert_eq!(again.server.limits, first.server.limits);
            assert_eq!(again.connection.hostname, first.connection.hostname);
            assert_eq!(again.connection.limits, first.connection.limits);
            assert_eq!(again.identity.policy, first.identity.policy);
            assert_eq!(again.identity.template, first.identity.template);
            assert_eq!(again.identity.root, first.identity.root);
            assert_eq!(again.identity.cache, first.identity.cache);
            assert_eq!(again.identity.lockout, first.identity.lockout);
            assert_eq!(again.maildir, first.maildir);
            assert_eq!(again.logging, first.logging);
            assert_eq!(again.admin, first.admin);
            assert_eq!(again.directories[0].attributes, first.directories[0].attributes);
            assert_eq!(again.directories[0].limits, first.directories[0].limits);
            assert_eq!(again.directories[0].filter, first.directories[0].filter);
            assert_eq!(again.directories[0].bind.is_some(), first.directories[0].bind.is_some());
        }
    }
}

#[test]
fn defaults_that_follow_from_other_keys_are_not_written_down() {
    let folder = folder();
    for schema in ["active_directory", "posix"] {
        let content = SMALLEST.replace("    base:", &format!("    schema: {schema}\n    base:"));
        let first = loaded(folder.path(), &content);
        for again in loaded_again(folder.path(), &content) {
            assert_eq!(again.directories[0].attributes, first.directories[0].attributes);
            assert_eq!(again.directories[0].filter, first.directories[0].filter);
        }
    }
}

#[test]
fn the_effective_configuration_is_what_differs_from_the_defaults() {
    let folder = folder();
    let file = folder.path().join("restante.yaml");
    fs::write(&file, format!("{SMALLEST}cache: {{ found: 300s, missed: 1m }}\nlog: {{ level: info }}\nuser:\n"))
        .unwrap();
    let path = folder.path().display();
    let expected = format!(
        "tls:
  certificates:
    - chain: {path}/fullchain.pem
      key: {path}/privkey.pem
directories:
  - urls: [\"ldaps://ldap1.renovations.example\", \"ldaps://ldap2.renovations.example\"]
    base: \"ou=people,dc=renovations,dc=example\"
cache:
  missed: 1m
"
    );
    assert_eq!(effective(&file, false).unwrap(), expected);
    let all = effective(&file, true).unwrap();
    for line in
        ["  found: 300s\n", "  missed: 1m\n", "  level: info\n", "  refused: 65m\n", "    tls: implicit\n", "user:\n"]
    {
        assert!(all.contains(line), "{line:?} in {all}");
    }
}

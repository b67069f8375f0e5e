//! The errors of a configuration file: everything that is wrong, each mistake with its position.

mod directories;
mod examples;
mod mailboxes;
mod people;
mod relay;
mod scram;
mod uidl;

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use restante::config::{self, Configuration};
use restante::maildir::PathTemplate;
use tempfile::TempDir;

/// What a file needs besides the lines that a test is about. The first lines are left to those.
const REST: &str = "
tls: { certificates: [{ chain: chain.pem, key: key.pem }] }
directories:
  - urls: [ldaps://ldap.example.org]
    base: dc=example,dc=org
";

fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let own = rcgen::generate_simple_self_signed(["mail.example.org".to_owned()]).unwrap();
    fs::write(folder.path().join("chain.pem"), own.cert.pem()).unwrap();
    fs::write(folder.path().join("key.pem"), own.signing_key.serialize_pem()).unwrap();
    let other = rcgen::generate_simple_self_signed(["mail.example.org".to_owned()]).unwrap();
    fs::write(folder.path().join("other.pem"), other.signing_key.serialize_pem()).unwrap();
    fs::write(folder.path().join("password"), "correct horse\n").unwrap();
    fs::write(folder.path().join("empty"), "").unwrap();
    folder
}

/// The faults of a file, without its name.
fn faults(folder: &Path, content: &[u8]) -> Vec<String> {
    let file = folder.join("restante.yaml");
    fs::write(&file, content).unwrap();
    let Err(faults) = config::load(&file) else { return Vec::new() };
    let told = faults.to_string();
    let own = format!("{}:", file.display());
    let lines: Vec<String> =
        told.lines().map(|line| line.strip_prefix(&own).unwrap_or_else(|| panic!("{line}")).to_owned()).collect();
    assert_eq!(lines.len(), faults.count());
    lines.into_iter().map(|line| line.replace(&format!("{}/", folder.display()), "")).collect()
}

fn good(content: &str) -> Configuration {
    let folder = folder();
    let file = folder.path().join("restante.yaml");
    fs::write(&file, content).unwrap();
    config::load(&file).unwrap_or_else(|faults| panic!("{faults}"))
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let content = r#"# six mistakes
hostname: "mail example"
limits:
  idle: 5m
  conections: 10
internet_authentication:
  names: [mail, shortname]
mailboxes: { root: /srv/mail, marker: ../x }
hostname: other
tls: { certificates: [{ chain: chain.pem, key: key.pem }] }
directories:
  - { urls: [ldaps://ldap.example.org], base: "dc=example,dc=org" }
"#;
    assert_eq!(
        faults(folder().path(), content.as_bytes()),
        [
            "2:11: hostname: \"mail example\" is not a host name; expected a name such as mail.example.org",
            "4:9: limits.idle: \"5m\" is below the minimum; expected 10m to 1d",
            "5:3: \"limits.conections\" is an unknown key; did you mean limits.connections?",
            "7:17: internet_authentication.names: \"shortname\" is unknown; expected \
             distinguished_name or hierarchical_name or common_name or short_name or mail or first_name or last_name",
            "8:39: mailboxes.marker: \"../x\" leads out of the mail root; expected a path below it, such as .mounted",
            "9:1: hostname is a duplicate key; expected only once, and line 2 has it",
        ]
    );
}

/// Lines at the beginning of a file, and what is wrong with them.
const FAULTS: &[(&str, &str)] = &[
    ("language: fr", "1:11: language: \"fr\" is"),
    ("mailboxes: { eight_bit_headers: maybe }", "1:33: mailboxes.eight_bit_headers: \"maybe\" is"),
    ("refusal_step: soon", "1:15: refusal_step: \"soon\" is not a time"),
    ("refusal_step: 1M", "1:15: refusal_step: \"1M\" is not a time"),
    ("refusal_step: 5", "1:15: refusal_step: \"5\" is not a time"),
    ("refusal_step: -1s", "1:15: refusal_step: \"-1s\" is not a time"),
    ("refusal_step: 2m", "1:15: refusal_step: \"2m\" is above the maximum; expected 0s to 1m"),
    ("refusal_step: [1s]", "1:15: refusal_step: must be "),
    ("cache: { found: 31d }", "1:17: cache.found: \"31d\" is above the maximum; expected 0s to 30d"),
    ("cache: { people: 0 }", "1:18: cache.people: \"0\" is below the minimum; expected 1 to 100000000"),
    ("cache: { people: 1e5 }", "1:18: cache.people: \"1e5\" is not a whole number"),
    ("cache: { maildrops: 256MB }", "1:21: cache.maildrops: \"256MB\" is not a size"),
    ("cache: { maildrops: 2048GiB }", "1:21: cache.maildrops: \"2048GiB\" is above the maximum; expected 0 to 1024GiB"),
    ("mailboxes: { deadline: 0s }", "1:24: mailboxes.deadline: \"0s\" is below the minimum; expected 1s to 10m"),
    ("mailboxes: { deadline: 1h }", "1:24: mailboxes.deadline: \"1h\" is above the maximum; expected 1s to 10m"),
    (
        "mailboxes: { largest_message: 64KiB }",
        "1:31: mailboxes.largest_message: \"64KiB\" is below the minimum; expected 1MiB to 1024GiB",
    ),
    ("cache: 5m", "1:8: cache: must be a mapping of keys"),
    ("limits: { idle: 25h }", "1:17: limits.idle: \"25h\" is above the maximum; expected 10m to 1d"),
    ("limits: { connections: many }", "1:24: limits.connections: \"many\" is not a whole number"),
    (
        "limits: { connections: 99999999999999999999 }",
        "1:24: limits.connections: \"99999999999999999999\" is above the maximum",
    ),
    ("limits: { command_line: 254 }", "1:25: limits.command_line: \"254\" is below the minimum; expected 255 to 64KiB"),
    ("limits: { command_line: 1MB }", "1:25: limits.command_line: \"1MB\" is not a size"),
    ("hostname: true", "1:11: hostname: must be a string"),
    ("hostname: \"\"", "1:11: hostname: \"\" is empty"),
    ("user: { name: x }", "1:7: user: must be "),
    ("idle: 20m", "1:1: \"idle\" is an unknown key; did you mean limits.idle"),
    (
        "nonsense: 1",
        "1:1: \"nonsense\" is an unknown key; expected admin, cache, client_settings, directories, expire, hostname,",
    ),
    ("5: x", "1:1: \"5\" is an unknown key"),
    ("log: { format: xml }", "1:16: log.format: \"xml\" is unknown; expected text or json"),
    ("log: { level: trace }", "1:15: log.level: \"trace\" is unknown"),
    ("listeners: []", "1:12: listeners: the list is empty"),
    ("listeners: \"[::]:110\"", "1:12: listeners: must be a list"),
    ("listeners: [110]", "1:13: listeners: must be a mapping of keys"),
    ("listeners: [{ tls: none }]", "1:13: listeners.address is missing; expected an address with its port"),
    ("listeners: [{ address: 127.0.0.1:110 }]", "1:13: listeners.tls is missing; expected none, starttls or"),
    (
        "listeners: [{ address: localhost:110, tls: none }]",
        "1:24: listeners.address: \"localhost:110\" is not an address",
    ),
    (
        "listeners: [{ address: \":110\", tls: none }]",
        "1:24: listeners.address: \":110\" is not an address with its port",
    ),
    (
        "listeners: [{ address: 127.0.0.1:110, tls: none, login_without_tls: refuse }]",
        "1:69: listeners.login_without_tls: refuse rejects everybody where tls is none",
    ),
    (
        "listeners: [{ address: 127.0.0.1:995, tls: implicit, login_without_tls: allow }]",
        "1:73: listeners.login_without_tls: allow has no effect where tls is implicit",
    ),
    (
        "listeners: [{ address: 127.0.0.1:110, tls: none }, { address: 127.0.0.1:110, tls: none }]",
        "1:63: listeners.address: 127.0.0.1:110 is taken by the listener at 127.0.0.1:110 already",
    ),
    (
        "listeners: [{ address: 127.0.0.1:110, tls: none }, { address: \"[::]:110\", tls: none }]",
        "1:63: listeners.address: [::]:110 is taken by the listener at 127.0.0.1:110 already",
    ),
    (
        "listeners: [{ address: 127.0.0.1:110, tls: none, client_certificate: optional }]",
        "1:70: listeners.client_certificate: has no effect without TLS; expected none, or another tls",
    ),
    (
        "listeners: [{ address: 127.0.0.1:110, tls: implicit, client_certificate: required }]",
        "1:44: the listener at 127.0.0.1:110 asks for certificates, but tls.client_ca is missing; expected",
    ),
    (
        "listeners: [{ address: 127.0.0.1:110, tls: none, name_and_password: optional }]",
        "1:69: listeners.name_and_password: optional rejects everybody where client_certificate is none; expected \
         required",
    ),
    (
        "listeners: [{ address: 127.0.0.1:110, tls: none, accept_from: [] }]",
        "1:63: listeners.accept_from: an empty list rejects everybody; expected networks, or no such key",
    ),
    (
        "listeners: [{ address: 127.0.0.1:110, tls: none, accept_from: [10.0.0.0/33] }]",
        "1:64: listeners.accept_from: \"10.0.0.0/33\" is not a network; expected something like 192.0.2.0/24",
    ),
    (
        "listeners: [{ address: 127.0.0.1:110, tls: none, proxy_protocol: { tls: believed } }]",
        "1:73: listeners.proxy_protocol.tls: believed has no effect without from; expected the networks of the proxies",
    ),
    (
        "listeners: [{ address: 127.0.0.1:110, tls: none, proxy_protocol: { from: [] } }]",
        "1:74: listeners.proxy_protocol.from: an empty list rejects everybody",
    ),
    (
        "listeners: [{ address: 127.0.0.1:110, tls: none, proxy_protocol: { from: [127.0.0.1], tls: yes } }]",
        "1:92: listeners.proxy_protocol.tls: \"yes\" is unknown; expected ignored or believed",
    ),
    (
        "listeners: [{ address: 127.0.0.1:110, tls: none, proxy_protocol: { from: [127.0.0.1], trust: all } }]",
        "1:87: \"listeners.proxy_protocol.trust\" is an unknown key; expected client_certificates, from, tls",
    ),
    (
        "listeners: [{ address: 127.0.0.1:110, tls: none, proxy_protocol: { \
         from: [127.0.0.1], client_certificates: believed } }]",
        "1:108: listeners.proxy_protocol.client_certificates: believed has no effect without tls: believed",
    ),
    (
        "listeners: [{ address: 127.0.0.1:110, tls: none, proxy_protocol: { \
         from: [127.0.0.1], tls: believed, client_certificates: believed } }]",
        "1:123: listeners.proxy_protocol.client_certificates: believed has no effect where client_certificate is none",
    ),
    (
        "listeners: [{ address: 127.0.0.1:995, tls: implicit, proxy_protocol: { \
         from: [127.0.0.1], tls: believed, client_certificates: believed } }]",
        "1:127: listeners.proxy_protocol.client_certificates: believed has no effect where the listener's tls is implicit",
    ),
    (
        "listeners: [{ address: 127.0.0.1:110, tls: none, client_certificate: required, proxy_protocol: { \
         from: [127.0.0.1], tls: believed, client_certificates: believed } }]",
        "1:44: the listener at 127.0.0.1:110 asks for certificates, but tls.client_ca is missing",
    ),
    ("internet_authentication: { names: [] }", "1:35: internet_authentication.names: an empty list rejects everybody"),
    ("internet_authentication: { names: most }", "1:35: internet_authentication.names: \"most\" is unknown"),
    (
        "internet_authentication: { ambiguous: try_all }",
        "1:39: internet_authentication.ambiguous: \"try_all\" is unknown; expected refuse or try_each",
    ),
    (
        "internet_authentication: { default_domain: \"@example.org\" }",
        "1:44: internet_authentication.default_domain: \"@example.org\" is not a domain",
    ),
    (
        "internet_authentication: { names: [short_name], default_domain: example.org }",
        "1:65: internet_authentication.default_domain: has no effect where names leaves out mail",
    ),
    ("mailboxes: { marker: /etc/passwd }", "1:22: mailboxes.marker: \"/etc/passwd\" leads out of the mail root"),
    ("lockout: { person: 10001 }", "1:20: lockout.person: \"10001\" is above the maximum; expected 0 to 10000"),
    ("lockout: { lasts: 0s }", "1:19: lockout.lasts: \"0s\" is below the minimum; expected 1s to 30d"),
    (
        "lockout: { exempt_networks: [10.0.0.0/8, 10.1.2.3/16] }",
        "1:42: lockout.exempt_networks: \"10.1.2.3/16\" has host bits set; expected 10.1.0.0/16",
    ),
    ("lockout: { exempt_networks: [office] }", "1:30: lockout.exempt_networks: \"office\" is not a network; expected"),
    (
        "admin: { socket: a.sock, mode: \"600\" }",
        "1:32: admin.mode: \"600\" is not a mode; expected four octal digits in quotes",
    ),
    ("admin: { socket: a.sock, mode: \"0680\" }", "1:32: admin.mode: \"0680\" is not a mode"),
    ("admin: { mode: \"0660\" }", "1:16: admin.mode: has no effect without admin.socket"),
    ("socketmap: { mode: \"0600\" }", "1:20: socketmap.mode: has no effect without socket"),
    ("sasl_service: { socket: a.sock, mode: \"660\" }", "1:39: sasl_service.mode: \"660\" is not a mode"),
    (
        "socketmap: { socket: a.sock, recipient_delimiter: \"@\" }",
        "1:51: socketmap.recipient_delimiter: \"@\" is not a delimiter; expected",
    ),
    ("socketmap: { pop_before_smtp: 5m }", "1:31: socketmap.pop_before_smtp: has no effect without socket"),
    (
        "sasl_service: { socket: a.sock }\nsocketmap: { socket: a.sock }",
        "2:22: socketmap.socket: is the socket of sasl_service already; expected another path",
    ),
    ("client_settings: { smtp: { port: 25 } }", "1:34: client_settings.smtp.port: has no effect without host"),
    ("client_settings: { smtp: { host: a b } }", "1:34: client_settings.smtp.host: \"a b\" is not a host name"),
    ("client_settings: { smtp: { host: a, tls: ssl } }", "1:42: client_settings.smtp.tls: \"ssl\" is unknown"),
];

#[test]
fn one_mistake_is_one_line_with_its_position() {
    each_is_reported(FAULTS);
}

/// Each of these, the only mistake in a file, is one line that begins so and says what would be right.
/// Whether a message says how to correct the mistake.
fn says_what_is_expected(message: &str) -> bool {
    ["; expected ", "must be ", "did you mean "].iter().any(|hint| message.contains(hint))
}

fn each_is_reported(mistakes: &[(&str, &str)]) {
    let folder = folder();
    for (line, fault) in mistakes {
        let told = faults(folder.path(), format!("{line}{REST}").as_bytes());
        assert_eq!(told.len(), 1, "{line}: {told:?}");
        assert!(told[0].starts_with(fault), "{line}:\n{}\n{fault}", told[0]);
        assert!(says_what_is_expected(&told[0]), "{}", told[0]);
    }
}

#[test]
fn listeners_with_tls_require_a_certificate() {
    let directory = "directories: [{ urls: [ldaps://x], base: dc=x }]\n";
    let folder = folder();
    let told = faults(folder.path(), directory.as_bytes());
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("1:1: the listener at [::]:110 uses TLS, but tls.certificates is missing; expected"));
    for (pair, fault) in [
        ("{ chain: ▸password, key: key.pem }", "chain: password: holds no certificate"),
        ("{ chain: chain.pem, key: ▸chain.pem }", "key: chain.pem: "),
        ("{ chain: ▸none.pem, key: key.pem }", "chain: none.pem: "),
        (
            "{ chain: chain.pem, key: ▸other.pem }",
            "key: other.pem: the key does not belong to the first certificate in ",
        ),
        ("▸{ chain: chain.pem }", "key is missing; expected the file of the certificate's key"),
    ] {
        let line = format!("tls: {{ certificates: [{pair}] }}");
        let column = line.chars().position(|c| c == '▸').unwrap() + 1;
        let told = faults(folder.path(), format!("{directory}{}\n", line.replace('▸', "")).as_bytes());
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with(&format!("2:{column}: tls.certificates.{fault}")), "{}", told[0]);
    }
    for (keys, fault) in [
        (
            "client_ca: ▸key.pem",
            "client_ca: key.pem: holds no certificate (a block that begins with BEGIN CERTIFICATE)",
        ),
        ("client_ca: ▸none.pem", "client_ca: none.pem: "),
        ("client_ca: chain.pem, crls: ▸[password]", "crls: password: holds no revocation list (a block that begins"),
        ("client_ca: chain.pem, crls: ▸[none.crl]", "crls: none.crl: "),
        ("crls: ▸[none.crl]", "crls: has no effect without client_ca; expected that key as well, or neither"),
    ] {
        let line = format!("tls: {{ certificates: [{{ chain: chain.pem, key: key.pem }}], {keys} }}");
        let column = line.chars().position(|c| c == '▸').unwrap() + 1;
        let told = faults(folder.path(), format!("{directory}{}\n", line.replace('▸', "")).as_bytes());
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with(&format!("2:{column}: tls.{fault}")), "{}", told[0]);
    }
    let asking = "tls: { certificates: [{ chain: chain.pem, key: key.pem }], client_ca: chain.pem }
listeners: [{ address: \"[::]:110\", tls: starttls, login_without_tls: loopback, client_certificate: required }]\n";
    let told = faults(folder.path(), format!("{directory}{asking}").as_bytes());
    let fault = "3:70: listeners.login_without_tls: rejects everybody before TLS where client_certificate is required; expected";
    assert!(told.len() == 1 && told[0].starts_with(fault), "{told:?}");
    let asking = asking.replace("loopback", "refuse");
    assert_eq!(faults(folder.path(), format!("{directory}{asking}").as_bytes()), Vec::<String>::new());
    let told = faults(folder.path(), format!("{directory}tls: {{ certificates: chain.pem }}\n").as_bytes());
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("2:22: tls.certificates: must be "), "{}", told[0]);
    let clear = format!("{directory}listeners: [{{ address: \"127.0.0.1:0\", tls: none }}]\n");
    assert_eq!(faults(folder.path(), clear.as_bytes()), Vec::<String>::new());
}

#[test]
fn a_file_that_is_not_a_configuration_is_reported() {
    let folder = folder();
    for (content, fault) in [
        (&b""[..], "1:1: the file is empty; expected "),
        (b"# only words\n", "1:1: the file is empty; expected "),
        (b"- a\n", "1:1: must be a mapping of keys"),
        (b"just words\n", "1:1: must be a mapping of keys"),
        (b"log: \xff\n", "1:6: is not UTF-8 from here; expected "),
        (b"log:\n\tformat: text\n", "2:2: is not valid YAML: tabs disallowed"),
        (b"log: { format: !secret text }\n", "1:24: tags (words that begin with !) are not supported; "),
        (b"log: {}\n---\nlog: {}\n", "3:1: a second document begins here; expected "),
        (b"listeners: [{ address: [::]:110 }]\n", "1:28: is not valid YAML: "),
    ] {
        let told = faults(folder.path(), content);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with(fault), "{}\n{fault}", told[0]);
    }
}

#[test]
fn values_reach_their_modules() {
    let configuration = good(&format!(
        "hostname: pop.example.org\nlimits: {{ idle: 20m, command_line: 2KiB, shutdown: 0s }}\nmailboxes: {{ root: mail, \
         marker: .mounted }}\ninternet_authentication: {{ names: more, ambiguous: try_each, default_domain: example.org }}\n{REST}    bind: {{ \
         dn: \"cn=svc,dc=example,dc=org\", password_file: password }}\n    schema: posix\n    name: main\n"
    ));
    assert_eq!(configuration.connection.hostname, "pop.example.org");
    assert_eq!(configuration.connection.limits.idle.as_secs(), 1200);
    assert_eq!(configuration.connection.limits.command_line, 2048);
    assert_eq!(configuration.server.limits.shutdown.as_secs(), 0);
    assert!(configuration.maildir.root.is_absolute() && configuration.maildir.root.ends_with("mail"));
    assert_eq!(configuration.identity.root, configuration.maildir.root);
    assert_eq!(configuration.maildir.markers, [PathTemplate::parse_marker(".mounted").unwrap()]);
    assert_eq!(configuration.identity.policy.default_domain(), Some("example.org"));
    assert!(configuration.identity.policy.allows(restante::names::Kind::FirstName));
    assert_eq!(configuration.identity.ambiguous, restante::identity::Ambiguous::TryEach);
    assert_eq!(configuration.directories[0].filter, "(objectClass=posixAccount)");
    assert_eq!(&*configuration.directories[0].name, "main");
    assert_eq!(configuration.directories[0].bind.as_ref().unwrap().password.expose(), "correct horse");
}

proptest! {
    #[test]
    fn no_file_makes_it_panic(octets: Vec<u8>) {
        let folder = tempfile::tempdir().unwrap();
        faults(folder.path(), &octets);
    }

    /// Nearer to the real thing: words of the format in any order.
    #[test]
    fn no_muddle_of_keys_and_marks_makes_it_panic(
        words in prop::collection::vec(
            prop::sample::select(vec![
                "tls:", "certificates:", "directories:", "urls:", "base:", "limits:", "idle:", "listeners:", "address:", "lockout:",
                " ", "  ", "\n", "\n  ", "\n    ", "- ", "[", "]", "{", "}", ",", ": ", "5m", "\"", "'", "&a ", "*a", "<<: ", "!x ",
                "? ", "|\n", "null", "true", "[::]:110", "---\n", "#", "dc=x", "ldaps://x", "mailboxes:", "path:", "{mail}", "ü", "\t",
            ]),
            0..40,
        )
    ) {
        let folder = tempfile::tempdir().unwrap();
        faults(folder.path(), words.concat().as_bytes());
    }
}

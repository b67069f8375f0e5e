//! What people and administrators are told: CAPA, check, resolve, audit, who, kick, status, metrics.

use super::{NAME, Relayed, Wanted, directory};
use crate::support::process::output;
use crate::support::service::{Plan, Service, Site};

/// The lines of CAPA.
fn capabilities(service: &Service) -> Vec<String> {
    let mut client = service.client();
    client.ask("CAPA", "+OK");
    let lines = String::from_utf8(client.multiline()).unwrap();
    lines.lines().map(|line| line.trim_end().to_owned()).collect()
}

fn told(site: &Site, words: &[&str]) -> (String, bool) {
    let output = output(&mut site.command(words), "");
    (String::from_utf8([output.stdout, output.stderr].concat()).unwrap(), output.status.success())
}

/// Restante with SCRAM, whose one host has these keys.
fn with_scram(keys: &str) -> (Service, Site, impl Sized) {
    let (directory, site) = (directory(&[(NAME, "127.0.0.1")]), Site::new());
    std::fs::write(site.folder().join("relay.password"), "secret\n").unwrap();
    let mut plan = Plan::at(&directory.url())
        .and("refusal_step: 0s")
        .and(&format!("relay: {{ hosts: [{{ name: 127.0.0.1, tls: none, {keys} }}] }}"));
    plan.directory.push_str("    attributes: { scram: authPassword }\n");
    let service = site.serve(&plan);
    (service, site, directory)
}

#[test]
fn capa_promises_only_what_every_host_keeps() {
    let (service, _site, _directory) = with_scram("login: password");
    let lines = capabilities(&service);
    assert!(lines.contains(&"SASL PLAIN LOGIN".to_owned()), "{lines:?}");
    for never in ["UTF8", "LANG", "EXPIRE"] {
        assert!(!lines.iter().any(|line| line.starts_with(never)), "{lines:?}");
    }
    let keys = "login: proxy_account, account: relay, account_password_file: relay.password";
    let (service, _site, _directory) = with_scram(keys);
    let lines = capabilities(&service);
    assert!(lines.contains(&"SASL PLAIN LOGIN SCRAM-SHA-256".to_owned()), "{lines:?}");
}

#[test]
fn check_tries_each_host_that_is_listed_by_its_whole_name() {
    let relayed = Relayed::set(&Wanted::default());
    let (text, _) = told(&relayed.site, &["check"]);
    assert!(!text.contains("relay: localhost"), "{text}");
    let (port, ca) = (relayed.dovecot.pop3s().port(), relayed.site.authority());
    let yaml = relayed.plan.yaml().replace(&relayed.there.authority().display().to_string(), &ca.display().to_string());
    let yaml = yaml.replace("  hosts:\n", "  hosts:\n    - { name: \"*.mail.example.org\" }\n");
    std::fs::write(relayed.site.folder().join("restante.yaml"), yaml).unwrap();
    let (text, is_fine) = told(&relayed.site, &["check"]);
    assert!(!is_fine && text.contains("relay: localhost: TLS: "), "{port} {text}");
    assert!(text.contains("relay: *.mail.example.org not tried"), "{text}");
}

#[test]
fn resolve_shows_the_host_and_the_name_there() {
    let relayed = Relayed::set(&Wanted { host: "user: \"{mail}\"", ..Wanted::default() });
    let (text, is_fine) = told(&relayed.site, &["resolve", NAME]);
    assert!(is_fine, "{text}");
    assert!(text.contains("mail host   localhost, as alan.jones@renovations.example\n"), "{text}");
    assert!(text.contains("decision    one person, whose session is passed on to localhost"), "{text}");
    let (text, _) = told(&relayed.site, &["resolve", "--json", NAME]);
    assert!(text.contains("\"elsewhere\""), "{text}");
}

#[test]
fn audit_counts_people_by_host_and_lists_hosts_that_are_not_listed() {
    let directory = directory(&[(NAME, "localhost"), ("mbrown", "stranger.example"), ("tclerk", "stranger.example")]);
    let site = Site::new();
    let plan = Plan::at(&directory.url()).and("relay: { hosts: [{ name: localhost, tls: none }] }");
    std::fs::write(site.folder().join("restante.yaml"), plan.yaml()).unwrap();
    let (text, is_fine) = told(&site, &["audit"]);
    assert!(!is_fine && text.contains("1 at localhost\n"), "{text}");
    assert!(text.contains("ERROR: mail host cannot be used") && text.contains("stranger.example"), "{text}");
    let (text, _) = told(&site, &["audit", "--json"]);
    assert!(text.contains("\"no_host\"") && text.contains("\"hosts\":{\"localhost\":1}"), "{text}");
}

#[test]
fn commands_about_mail_say_that_it_is_elsewhere() {
    let relayed = Relayed::set(&Wanted::default());
    let (text, is_fine) = told(&relayed.site, &["index", NAME]);
    assert!(!is_fine && text.contains("the mail is at localhost, and not here"), "{text}");
}

#[test]
fn administrators_see_the_host_and_end_the_session() {
    let relayed = Relayed::set(&Wanted { further: "admin: { socket: admin.sock }", ..Wanted::default() });
    let mut client = relayed.session();
    let (text, _) = told(&relayed.site, &["who"]);
    let line = text.lines().find(|line| line.contains(NAME)).unwrap_or_else(|| panic!("{text}"));
    assert!(line.ends_with("localhost") && line.contains("transaction"), "{text}");
    let (text, _) = told(&relayed.site, &["status"]);
    assert!(text.contains("host localhost") && text.contains("sessions: 1"), "{text}");
    let (text, is_fine) = told(&relayed.site, &["kick", NAME]);
    assert!(is_fine, "{text}");
    client.ended();
    relayed.service.wait_for_log(&["relayed session ended", "ended by an administrator"]);
}

#[test]
fn metrics_name_the_host_as_the_configuration_does() {
    let relayed = Relayed::set(&Wanted { further: "admin: { http: \"unix:http.sock\" }", ..Wanted::default() });
    let mut client = relayed.session();
    super::sees_mail_there(&mut client);
    let mut socket = std::os::unix::net::UnixStream::connect(relayed.site.folder().join("http.sock")).unwrap();
    std::io::Write::write_all(&mut socket, b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut text = String::new();
    std::io::Read::read_to_string(&mut socket, &mut text).unwrap();
    for line in [
        "restante_relay_logins_total{host=\"localhost\",outcome=\"accepted\"} 1",
        "restante_relay_sessions_current{host=\"localhost\"} 1",
        "restante_relay_retrievals_total{host=\"localhost\"} 1",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
}

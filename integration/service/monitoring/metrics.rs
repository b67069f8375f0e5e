//! The metrics, as Prometheus reads them.

use std::fs;
use std::time::{Duration, SystemTime};

use super::{ADMIN, exchange, get, http_address, value};
use crate::support::certificates::{ClientAuthority, Request};
use crate::support::process::{output, program};
use crate::support::stage::{PASSWORD, Stage};
use crate::support::wait_until;

/// What Prometheus 2.42 sends.
const PROMETHEUS: &str = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
                          text/plain;version=0.0.4;q=0.5,*/*;q=0.1";

/// A stage on which everything has happened that is counted.
pub(super) fn busy() -> Stage {
    let further = format!("{ADMIN}relay: {{ hosts: [{{ name: mail2.renovations.example }}] }}\n");
    let stage = Stage::set(&further, &[("cur/1.a", b"a\n"), ("cur/2.b", b"b\n")]);
    let mut client = stage.tls_client();
    client.login("ajones", PASSWORD);
    client.ask("RETR 1", "+OK");
    client.message();
    client.ask("TOP 2 0", "+OK");
    client.message();
    client.ask("DELE 1", "+OK");
    client.ask("QUIT", "+OK");
    let mut stranger = stage.client();
    stranger.ask("USER attacker-chosen-name", "+OK");
    stranger.ask("PASS attacker-chosen-password", "-ERR [AUTH]");
    let mut guesser = stage.client();
    guesser.ask("USER ajones", "+OK");
    guesser.ask("PASS wrong", "-ERR [AUTH]");
    let mut old = std::net::TcpStream::connect(stage.service.pop3s()).unwrap();
    std::io::Write::write_all(&mut old, b"this is not TLS\r\n\r\n").unwrap();
    stage.service.wait_for_log(&["connection ended", "TLS handshake failed"]);
    stage
}

#[test]
fn what_happens_is_counted() {
    let stage = busy();
    let metrics = get(http_address(&stage.service), "/metrics").body;
    let url = stage.directory.url();
    let server = format!("directory=\"test\",server=\"{url}\"");
    for (series, count) in [
        ("restante_logins_total{mechanism=\"USER\",kind=\"short_name\",outcome=\"accepted\"}", 1.0),
        ("restante_logins_total{mechanism=\"USER\",kind=\"none\",outcome=\"unknown_name\"}", 1.0),
        ("restante_logins_total{mechanism=\"USER\",kind=\"none\",outcome=\"wrong_password\"}", 1.0),
        ("restante_messages_retrieved_total", 1.0),
        ("restante_message_tops_sent_total", 1.0),
        ("restante_messages_deleted_total", 1.0),
        ("restante_tls_handshakes_total{version=\"TLS 1.3\",resumed=\"no\"}", 1.0),
        ("restante_tls_handshake_failures_total{reason=\"not_tls\"}", 1.0),
        ("restante_maildrop_scan_seconds_count", 1.0),
        ("restante_cache_lookups_total{cache=\"names\",result=\"miss\"}", 3.0),
        ("restante_cache_lookups_total{cache=\"passwords\",result=\"miss\"}", 2.0),
        ("restante_lockouts_current", 0.0),
        ("restante_cache_entries{cache=\"names\"}", 2.0),
        ("restante_cache_entries{cache=\"passwords\"}", 1.0),
        (&*format!("restante_directory_operations_total{{{server},kind=\"bind\",outcome=\"answered\"}}"), 2.0),
        (&*format!("restante_directory_operation_seconds_count{{{server},kind=\"bind\"}}"), 2.0),
        (&*format!("restante_directory_server_up{{{server}}}"), 1.0),
    ] {
        // An unknown name may be asked for twice, before and after a refusal.
        let told = value(&metrics, series);
        if series.contains("cache=\"names\",") {
            assert!(told.is_some_and(|told| (2.0..=count).contains(&told)), "{series}: {told:?}");
        } else {
            assert_eq!(told, Some(count), "{series}\n{metrics}");
        }
    }
    let days = metrics.lines().find(|line| line.starts_with("restante_certificate_expiry_seconds{")).unwrap();
    assert!(days.contains("tls/server.pem") && days.contains("localhost"), "{days}");
    assert!(value(&metrics, "restante_sessions_total") >= Some(4.0));
}

/// Clients verify the whole chain.
#[test]
fn a_chain_expires_with_the_first_of_its_certificates() {
    let day = Duration::from_secs(86_400);
    let now = SystemTime::now();
    let authority = ClientAuthority::new("Root").below_until("Intermediate", 9, now + 10 * day);
    let request = Request::of_server().until(now + 80 * day);
    let stage = Stage::set_by(&[], |plan, site| {
        let own = authority.sign(request);
        let folder = site.folder().join("tls");
        own.write(&folder, "chained");
        fs::write(folder.join("chained.pem"), own.chain()).unwrap();
        plan.certificates = "    - { chain: tls/chained.pem, key: tls/chained.key }\n".to_owned();
        plan.further.push_str(ADMIN);
    });
    let metrics = get(http_address(&stage.service), "/metrics").body;
    let line = metrics.lines().find(|line| line.starts_with("restante_certificate_expiry_seconds{")).unwrap();
    let seconds: f64 = line.rsplit_once(' ').unwrap().1.parse().unwrap();
    assert!((9.9..=10.0).contains(&(seconds / 86_400.0)), "{line}");
    stage.service.wait_for_log(&["event=certificate_in_use ", "days=9"]);
}

#[test]
fn nothing_that_a_client_sends_and_no_person_is_in_the_metrics() {
    let stage = busy();
    let metrics = get(http_address(&stage.service), "/metrics").body;
    for secret in ["ajones", "Jones", "attacker", PASSWORD, "/Maildir"] {
        assert!(!metrics.contains(secret), "{secret}: {metrics}");
    }
    let without_server = metrics.replace(&stage.directory.url(), "");
    assert!(!without_server.contains("127.0.0.1"), "{without_server}");
}

#[test]
fn a_lock_out_is_counted_while_it_lasts() {
    let stage = Stage::set_by(&[], |plan, _| {
        plan.lockout = "person: 2, network: 0, within: 5m, lasts: 5m".to_owned();
        plan.further.push_str(ADMIN);
    });
    let address = http_address(&stage.service);
    for password in ["one", "two", "three"] {
        let mut client = stage.client();
        client.ask("USER ajones", "+OK");
        client.ask(&format!("PASS {password}"), "-ERR [AUTH]");
    }
    let metrics = get(address, "/metrics").body;
    assert_eq!(value(&metrics, "restante_lockouts_total{subject=\"person\"}"), Some(1.0), "{metrics}");
    assert_eq!(value(&metrics, "restante_lockouts_current"), Some(1.0));
    stage.command(&["flush"]);
    assert_eq!(value(&get(address, "/metrics").body, "restante_lockouts_current"), Some(0.0));
}

#[test]
fn connections_beyond_a_limit_are_counted() {
    let limits = format!("{ADMIN}limits: {{ connections_per_address: 1 }}\n");
    let stage = Stage::set(&limits, &[]);
    let address = http_address(&stage.service);
    let _first = stage.client();
    let mut second = crate::support::conversation::Conversation::plain(stage.service.pop3());
    second.expect("-ERR [SYS/TEMP] too many connections");
    let series = "restante_connections_turned_away_total{limit=\"connections_per_address\"}";
    wait_until("it is counted", || value(&get(address, "/metrics").body, series) == Some(1.0));
}

#[test]
fn promtool_finds_nothing_wrong_with_the_text_format() {
    let stage = busy();
    let metrics = get(http_address(&stage.service), "/metrics");
    assert!(metrics.header.contains("content-type: text/plain; version=0.0.4"), "{}", metrics.header);
    let checked = output(program("promtool").args(["check", "metrics"]), &metrics.body);
    let said = String::from_utf8([checked.stdout, checked.stderr].concat()).unwrap();
    assert_eq!((checked.status.code(), said.as_str()), (Some(0), ""), "{}", metrics.body);
}

#[test]
fn prometheus_is_given_openmetrics() {
    let stage = busy();
    let address = http_address(&stage.service);
    let request =
        format!("GET /metrics HTTP/1.1\r\nHost: {address}\r\nAccept: {PROMETHEUS}\r\nConnection: close\r\n\r\n");
    let metrics = exchange(address, &request);
    assert!(metrics.header.contains("content-type: application/openmetrics-text; version=1.0.0"), "{}", metrics.header);
    assert!(metrics.body.ends_with("# EOF\n"), "{}", metrics.body);
}

//! Hosts that are down, frozen, slow or not who they should be: never a wrong password, and nobody else waits.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use super::{NAME, PASSWORD, Relayed, Wanted, before, refused, scripted, sees_mail_there};
use crate::support::maildir;
use crate::support::service::{Plan, Site};

/// A port at which nobody listens.
fn closed() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn a_host_that_is_down_is_a_temporary_failure() {
    let (service, _site, _directory) = before(closed(), "", "");
    assert!(refused(&service).starts_with("-ERR [SYS/TEMP] "));
    service.wait_for_log(&["WARN", "session not passed on: host unavailable", "connecting: "]);
}

#[test]
fn a_host_that_failed_just_now_is_not_tried_again_yet() {
    let (service, _site, _directory) = before(closed(), "retry_after: 5m", "");
    assert!(refused(&service).starts_with("-ERR [SYS/TEMP] "));
    assert!(refused(&service).starts_with("-ERR [SYS/TEMP] "));
    service.wait_for_log(&["not tried again yet: connecting: "]);
}

#[test]
fn a_host_that_is_back_is_used_again() {
    let port = crate::support::ports::Port::take();
    let (service, _site, _directory) = before(port.number(), "retry_after: 0s", "");
    assert!(refused(&service).starts_with("-ERR [SYS/TEMP] "));
    let listener = TcpListener::bind(port.address()).unwrap();
    std::thread::spawn(move || {
        use std::io::{BufRead as _, BufReader, Write as _};
        let (mut client, _) = listener.accept().unwrap();
        let mut lines = BufReader::new(client.try_clone().unwrap()).lines();
        client.write_all(b"+OK\r\n").unwrap();
        while let Some(Ok(_)) = lines.next() {
            client.write_all(b"+OK\r\n").unwrap();
        }
    });
    drop(service.session(NAME, PASSWORD));
}

#[test]
fn a_frozen_host_is_a_temporary_failure_and_holds_up_nobody_else() {
    let relayed = Relayed::set(&Wanted { host: "login_timeout: 2s, retry_after: 5m", ..Wanted::default() });
    relayed.dovecot.freeze();
    let mut stuck = relayed.service.client();
    stuck.ask(&format!("USER {NAME}"), "+OK");
    stuck.send(&format!("PASS {PASSWORD}"));
    let person =
        restante::demo::people::people().unwrap().into_iter().find(|person| person.short_name != NAME).unwrap();
    maildir::make(&relayed.site.maildir(&person.short_name), &[]);
    relayed.service.session(&person.short_name, &person.password).ask("STAT", "+OK 0 0");
    stuck.expect("-ERR [SYS/TEMP] ");
    // Known to be dead now: nobody waits for it again.
    let began = Instant::now();
    assert!(refused(&relayed.service).starts_with("-ERR [SYS/TEMP] "));
    assert!(began.elapsed() < Duration::from_millis(1900), "{:?}", began.elapsed());
    relayed.dovecot.thaw();
}

#[test]
fn a_host_that_does_not_answer_the_password_is_a_temporary_failure() {
    let (address, _) = scripted(vec![vec!["+OK ready", "+OK", "HANG"]]);
    let (service, _site, _directory) = before(address.port(), "login_timeout: 1s", "");
    assert!(refused(&service).starts_with("-ERR [SYS/TEMP] "));
    service.wait_for_log(&["login: no reply within 1s"]);
}

#[test]
fn a_host_that_closes_is_a_temporary_failure() {
    let (address, _) = scripted(vec![vec!["CLOSE"], vec!["+OK ready", "CLOSE"]]);
    let (service, _site, _directory) = before(address.port(), "retry_after: 0s", "");
    assert!(refused(&service).starts_with("-ERR [SYS/TEMP] "));
    assert!(refused(&service).starts_with("-ERR [SYS/TEMP] "));
    service.wait_for_logs(&["session not passed on: host unavailable", "closed the connection"], 2);
}

#[test]
fn a_host_whose_certificate_is_not_valid_gets_no_password() {
    let relayed = Relayed::set(&Wanted::default());
    let stranger = Site::new();
    for (ca, host) in [(stranger.authority(), "localhost"), (relayed.there.authority(), "127.0.0.2")] {
        let directory = super::directory(&[(NAME, host)]);
        let site = Site::new();
        let plan = Plan::at(&directory.url()).and("refusal_step: 0s").and(&format!(
            "relay: {{ hosts: [{{ name: {host}, port: {}, ca: {} }}] }}",
            relayed.dovecot.pop3s().port(),
            ca.display()
        ));
        let service = site.serve(&plan);
        assert!(refused(&service).starts_with("-ERR [SYS/TEMP] "));
        service
            .wait_for_log(&["session not passed on: host unavailable", if host == "localhost" { "TLS: " } else { "" }]);
    }
    assert!(!relayed.dovecot.log().contains("Login: user"), "{}", relayed.dovecot.log());
}

#[test]
fn a_host_without_stls_gets_no_password() {
    let (address, read) = scripted(vec![vec!["+OK ready", "-ERR unknown command"]]);
    let directory = super::directory(&[(NAME, "127.0.0.1")]);
    let site = Site::new();
    let plan = Plan::at(&directory.url()).and("refusal_step: 0s").and(&format!(
        "relay: {{ hosts: [{{ name: 127.0.0.1, port: {}, tls: starttls, ca: {} }}] }}",
        address.port(),
        site.authority().display()
    ));
    let service = site.serve(&plan);
    assert!(refused(&service).starts_with("-ERR [SYS/TEMP] "));
    assert_eq!(*read.lock().unwrap(), ["STLS"]);
}

#[test]
fn a_host_has_no_more_sessions_than_it_may_have() {
    let relayed = Relayed::set(&Wanted { host: "connections: 1", ..Wanted::default() });
    let mut first = relayed.session();
    first.ask("STAT", "+OK 1 ");
    assert!(refused(&relayed.service).starts_with("-ERR [SYS/TEMP] "));
    relayed.service.wait_for_log(&["the host has 1 sessions, the most it may have"]);
    first.ask("QUIT", "+OK");
    first.ended();
    relayed.service.wait_for_log(&["relayed session ended"]);
    sees_mail_there(&mut relayed.session());
}

#[test]
fn a_host_that_leads_back_here_is_named_as_a_loop() {
    let (address, read) = scripted(vec![vec!["+OK mail.renovations.example POP3 server ready"]]);
    let (service, _site, _directory) = before(address.port(), "", "");
    assert!(refused(&service).starts_with("-ERR [SYS/PERM] "));
    service.wait_for_log(&["ERROR", "loop: the host greets with this service's own name"]);
    assert_eq!(*read.lock().unwrap(), Vec::<String>::new());
}

#[test]
fn refusals_keep_to_the_steps_whatever_the_host_says() {
    let (address, _) = scripted(vec![vec!["+OK ready", "+OK", "-ERR [AUTH] no"]]);
    let directory = super::directory(&[(NAME, "127.0.0.1")]);
    let site = Site::new();
    let plan = Plan::at(&directory.url())
        .and("refusal_step: 2s")
        .and(&format!("relay: {{ hosts: [{{ name: 127.0.0.1, port: {}, tls: none }}] }}", address.port()));
    let service = site.serve(&plan);
    let mut client = service.client();
    client.ask(&format!("USER {NAME}"), "+OK");
    let began = Instant::now();
    client.ask(&format!("PASS {PASSWORD}"), "-ERR [AUTH]");
    assert!(began.elapsed() >= Duration::from_millis(1990), "{:?}", began.elapsed());
}

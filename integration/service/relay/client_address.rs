//! The client's address at the host, and a second host that must not be passed on to.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, TcpListener};

use super::{NAME, PASSWORD, Relayed, Wanted, before, directory, other_site, refused, scripted, sees_mail_there};
use crate::support::conversation::Conversation;
use crate::support::service::{Plan, Site};

#[test]
fn dovecot_learns_the_address_by_xclient() {
    let dovecot = "login_trusted_networks = 127.0.0.0/8\n";
    let relayed = Relayed::set(&Wanted { host: "client_address: xclient", dovecot, ..Wanted::default() });
    let from: IpAddr = "127.0.0.77".parse().unwrap();
    relayed.dovecot.own_mail();
    let mut client = Conversation::plain_from(from, relayed.service.pop3());
    client.expect("+OK");
    client.login(NAME, PASSWORD);
    sees_mail_there(&mut client);
    crate::support::wait_until("Dovecot logs the login", || relayed.dovecot.log().contains("Login: user=<ajones>"));
    assert!(relayed.dovecot.log().contains("rip=127.0.0.77"), "{}", relayed.dovecot.log());
}

#[test]
fn a_host_that_does_not_offer_xclient_is_sent_none() {
    let relayed = Relayed::set(&Wanted { host: "client_address: xclient", ..Wanted::default() });
    sees_mail_there(&mut relayed.session());
}

#[test]
fn dovecot_learns_the_address_by_the_proxy_protocol() {
    let dovecot = "haproxy_trusted_networks = 127.0.0.0/8
service pop3-login {
  inet_listener pop3s {
    haproxy = yes
  }
}
";
    let relayed = Relayed::set(&Wanted { host: "client_address: proxy_v2", dovecot, ..Wanted::default() });
    relayed.dovecot.own_mail();
    let mut client = Conversation::plain_from("127.0.0.78".parse().unwrap(), relayed.service.pop3());
    client.expect("+OK");
    client.login(NAME, PASSWORD);
    sees_mail_there(&mut client);
    crate::support::wait_until("Dovecot logs the login", || relayed.dovecot.log().contains("Login: user=<ajones>"));
    assert!(relayed.dovecot.log().contains("rip=127.0.0.78"), "{}", relayed.dovecot.log());
}

#[test]
fn the_header_comes_before_everything_else() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (service, _site, _directory) =
        before(listener.local_addr().unwrap().port(), "client_address: proxy_v2, login_timeout: 5s", "");
    let read = std::thread::spawn(move || {
        let (mut host, _) = listener.accept().unwrap();
        let mut header = [0; 28];
        host.read_exact(&mut header).unwrap();
        host.write_all(b"-ERR no\r\n").unwrap();
        header
    });
    assert!(refused(&service).starts_with("-ERR [SYS/TEMP] "));
    let header = read.join().unwrap();
    assert_eq!(header[..14], *b"\r\n\r\n\0\r\nQUIT\n\x21\x11");
    assert_eq!(header[16..20], [127, 0, 0, 1]);
}

/// A Restante that expects the PROXY protocol, whose people are at these hosts.
fn second(host: &str, further: &str) -> (crate::support::service::Service, Site, impl Sized) {
    let (directory, site) = (directory(&[(NAME, host)]), other_site());
    let mut plan = Plan::at(&directory.url()).and("refusal_step: 0s").and(further);
    plan.listeners =
        "  - { address: \"127.0.0.1:0\", tls: implicit, proxy_protocol: { from: [127.0.0.0/8] } }\n".to_owned();
    let service = site.serve(&plan);
    (service, site, directory)
}

/// A Restante in front of it.
fn first(
    second: &crate::support::service::Service,
    there: &Site,
) -> (crate::support::service::Service, Site, impl Sized) {
    let (directory, site) = (directory(&[(NAME, "localhost")]), Site::new());
    let mut plan = Plan::at(&directory.url()).and("refusal_step: 0s").and(&format!(
        "relay: {{ hosts: [{{ name: localhost, port: {}, ca: {}, client_address: proxy_v2 }}] }}",
        second.pop3s().port(),
        there.authority().display()
    ));
    plan.further.push_str("language: en\n");
    let yaml = plan.yaml().replace("hostname: mail.renovations.example", "hostname: front.renovations.example");
    let service = site.serve_yaml(&yaml);
    (service, site, directory)
}

#[test]
fn another_restante_serves_the_mail_and_logs_the_clients_address() {
    let (there, site, _directory) = second("", "");
    let (here, _front, _other) = first(&there, &site);
    let mut client = Conversation::plain_from("127.0.0.79".parse().unwrap(), here.pop3());
    client.expect("+OK");
    client.login(NAME, PASSWORD);
    sees_mail_there(&mut client);
    client.ask("QUIT", "+OK");
    there.wait_for_log(&["connection ended", "peer=127.0.0.79:", "retr=1"]);
    here.wait_for_log(&["relayed session ended", "retr=1"]);
}

#[test]
fn a_session_is_passed_on_once_only() {
    let (third, read) = scripted(vec![vec!["+OK ready", "+OK", "+OK"]]);
    let further = format!("relay: {{ hosts: [{{ name: 127.0.0.1, port: {}, tls: none }}] }}", third.port());
    let (there, site, _directory) = second("127.0.0.1", &further);
    let (here, _front, _other) = first(&there, &site);
    assert!(refused(&here).starts_with("-ERR [SYS/PERM] "));
    there.wait_for_log(&["ERROR", "loop: another Restante has passed this session on already"]);
    assert_eq!(*read.lock().unwrap(), Vec::<String>::new());
}

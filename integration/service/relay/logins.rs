//! The four ways to log a person in at their host, and what becomes of those who are not.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{NAME, PASSWORD, Relayed, Wanted, before, refused, scripted, sees_mail_there};
use crate::support::certificates::{ClientAuthority, Request};

/// Dovecot with a master user `relay`.
const MASTER: &str = "auth_master_user_separator = *
passdb {
  driver = passwd-file
  master = yes
  args = FOLDER/masters
}
";

const MASTERS: &[(&str, &str)] = &[("masters", "relay:{PLAIN}relay-secret\n"), ("relay.password", "relay-secret\n")];

#[test]
fn mail_at_another_host_is_read_as_if_it_were_here() {
    let relayed = Relayed::set(&Wanted::default());
    let mut client = relayed.session();
    sees_mail_there(&mut client);
    client.ask("DELE 1", "+OK");
    client.ask("QUIT", "+OK");
    client.ended_in_good_order();
    let line = relayed.service.wait_for_log(&["relayed session ended"]);
    for word in ["host=\"localhost\"", "person=\"ajones\"", "retr=1", "dele=1", "octets=", "reason=\"quit\""] {
        assert!(line.contains(word), "{word}: {line}");
    }
    let mut again = relayed.session();
    again.ask("STAT", "+OK 0 0");
}

#[test]
fn a_host_is_reached_by_stls() {
    let relayed = Relayed::set(&Wanted { stls: true, ..Wanted::default() });
    sees_mail_there(&mut relayed.session());
}

#[test]
fn people_without_a_host_find_their_mail_here() {
    let relayed = Relayed::set(&Wanted::default());
    let mut client = relayed.service.client();
    let person =
        restante::demo::people::people().unwrap().into_iter().find(|person| person.short_name != NAME).unwrap();
    client.login(&person.short_name, &person.password);
    client.ask("STAT", "+OK 0 0");
    client.ask("QUIT", "+OK");
    let line = relayed.service.wait_for_log(&["connection ended", &person.short_name]);
    assert!(!line.contains("host="), "{line}");
}

#[test]
fn a_wrong_password_is_refused_here_and_never_reaches_the_host() {
    let (address, read) = scripted(vec![vec!["+OK ready", "+OK", "+OK"]]);
    let (service, _site, _directory) = before(address.port(), "", "");
    let mut client = service.client();
    client.ask(&format!("USER {NAME}"), "+OK");
    client.ask("PASS wrong", "-ERR [AUTH]");
    assert_eq!(*read.lock().unwrap(), Vec::<String>::new());
}

#[test]
fn the_host_is_told_the_name_of_the_entry_and_not_the_one_that_was_typed() {
    let (address, read) = scripted(vec![vec!["+OK ready", "+OK", "+OK in", "+OK bye"]]);
    let (service, _site, _directory) = before(address.port(), "user: \"{short_name}@there.example\"", "");
    let mut client = service.client();
    client.login("Alan Jones", PASSWORD);
    client.ask("QUIT", "+OK");
    assert_eq!(*read.lock().unwrap(), ["USER ajones@there.example", &format!("PASS {PASSWORD}"), "QUIT"]);
}

#[test]
fn a_master_user_of_dovecot_logs_people_in_without_their_password() {
    let keys = "login: master_user, account: relay, account_password_file: FOLDER/relay.password";
    let relayed = Relayed::set(&Wanted { host: keys, dovecot: MASTER, files: MASTERS, ..Wanted::default() });
    sees_mail_there(&mut relayed.session());
}

#[test]
fn a_proxy_account_logs_people_in_by_its_authorization_identity() {
    let keys = "login: proxy_account, account: relay, account_password_file: FOLDER/relay.password";
    let relayed = Relayed::set(&Wanted { host: keys, dovecot: MASTER, files: MASTERS, ..Wanted::default() });
    sees_mail_there(&mut relayed.session());
}

#[test]
fn a_client_certificate_logs_people_in_by_external() {
    let authority = ClientAuthority::new("Relay CA");
    let own = authority.sign(Request::named("relay"));
    let (chain, key) = (own.chain(), own.key.serialize_pem());
    let ca = authority.pem();
    let files: &[(&str, &str)] =
        &[("relay.pem", &chain), ("relay.key", &key), ("relay-ca.pem", &ca), ("masters", "relay:::::::nopassword=y\n")];
    let dovecot = "auth_mechanisms = plain external
auth_ssl_username_from_cert = yes
auth_ssl_require_client_cert = no
ssl_ca = <FOLDER/relay-ca.pem
ssl_verify_client_cert = yes
ssl_require_crl = no
auth_master_user_separator = *
passdb {
  driver = passwd-file
  master = yes
  args = FOLDER/masters
}
";
    let keys = "login: certificate, certificate: FOLDER/relay.pem, key: FOLDER/relay.key";
    let relayed = Relayed::set(&Wanted { host: keys, dovecot, files, ..Wanted::default() });
    sees_mail_there(&mut relayed.session());
}

#[test]
fn a_login_with_a_long_password_is_sent_in_two_steps() {
    let long = "x".repeat(300);
    let (address, read) = scripted(vec![vec!["+OK ready", "+ ", "+OK in", "+OK bye"]]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    std::fs::write(&file, &long).unwrap();
    let keys = format!("login: proxy_account, account: relay, account_password_file: {}", file.display());
    let (service, _site, _directory) = before(address.port(), &keys, "");
    let mut client = service.session(NAME, PASSWORD);
    client.ask("QUIT", "+OK");
    let response = STANDARD.encode(format!("{NAME}\0relay\0{long}"));
    assert_eq!(*read.lock().unwrap(), ["AUTH PLAIN", &response, "QUIT"]);
}

#[test]
fn a_refusal_by_the_host_is_passed_on_by_its_code() {
    for (reply, told) in [
        ("-ERR [AUTH] no", "-ERR [AUTH] "),
        ("-ERR [IN-USE] busy", "-ERR [IN-USE] "),
        ("-ERR [LOGIN-DELAY] wait", "-ERR [LOGIN-DELAY] "),
        ("-ERR [SYS/TEMP] later", "-ERR [SYS/TEMP] "),
        ("-ERR [SYS/PERM] broken", "-ERR [SYS/PERM] "),
        ("-ERR Login failed.", "-ERR the server"),
        ("garbage", "-ERR [SYS/TEMP] "),
    ] {
        let (address, _) = scripted(vec![vec!["+OK ready", "+OK", reply]]);
        let (service, _site, _directory) = before(address.port(), "", "");
        let line = refused(&service);
        assert!(line.starts_with(told), "{reply}: {line}");
        service.wait_for_log(&["session not passed on", "host=\"127.0.0.1\""]);
    }
}

#[test]
fn a_refusal_of_our_own_account_is_no_wrong_password() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    std::fs::write(&file, "secret\n").unwrap();
    for login in ["proxy_account", "master_user"] {
        let (address, _) = scripted(vec![vec!["+OK ready", "-ERR [AUTH] no"]]);
        let keys = format!("login: {login}, account: relay, account_password_file: {}", file.display());
        let (service, _site, _directory) = before(address.port(), &keys, "");
        let line = refused(&service);
        assert!(line.starts_with("-ERR [SYS/PERM] "), "{line}");
        service.wait_for_log(&["ERROR", "session not passed on: misconfigured", "[AUTH] no"]);
    }
}

#[test]
fn a_password_with_a_line_end_in_it_is_no_second_command() {
    let (address, read) = scripted(vec![vec!["+OK ready", "+OK", "+OK"]]);
    let directory = super::directory(&[(NAME, "127.0.0.1")]);
    let injected = format!("{PASSWORD}\r\nDELE 1");
    directory.controls().change(|tree| {
        let dn =
            restante::demo::people::people().unwrap().into_iter().find(|person| person.short_name == NAME).unwrap().dn;
        tree.set(&dn, "userPassword", [injected.as_bytes()]).unwrap();
    });
    let site = crate::support::service::Site::new();
    let plan = crate::support::service::Plan::at(&directory.url())
        .and("refusal_step: 0s")
        .and(&format!("relay:\n  hosts:\n    - {{ name: 127.0.0.1, port: {}, tls: none }}", address.port()));
    let service = site.serve(&plan);
    let mut client = service.client();
    let response = STANDARD.encode(format!("\0{NAME}\0{injected}"));
    client.ask(&format!("AUTH PLAIN {response}"), "-ERR [SYS/PERM]");
    assert!(read.lock().unwrap().iter().all(|line| !line.contains("DELE")), "{:?}", read.lock().unwrap());
}

#[test]
fn an_entry_cannot_send_a_password_to_a_host_that_is_not_listed() {
    let directory = super::directory(&[(NAME, "stranger.example")]);
    let site = crate::support::service::Site::new();
    let plan = crate::support::service::Plan::at(&directory.url())
        .and("refusal_step: 0s")
        .and("relay: { hosts: [{ name: 127.0.0.1, tls: none }] }");
    let service = site.serve(&plan);
    assert!(refused(&service).starts_with("-ERR [SYS/PERM] "));
    service.wait_for_log(&["ERROR", "stranger.example, which is not listed in relay.hosts"]);
}

#[test]
fn a_site_without_mail_of_its_own_says_so_to_people_without_a_host() {
    let relayed = Relayed::set(&Wanted::default());
    let site = crate::support::service::Site::new();
    let yaml = relayed.plan.yaml().replace("mailboxes:\n  root: mail\n  path: \"{short_name}/Maildir\"\n", "");
    let service = site.serve_yaml(&yaml);
    relayed.dovecot.own_mail();
    sees_mail_there(&mut service.session(NAME, PASSWORD));
    let person =
        restante::demo::people::people().unwrap().into_iter().find(|person| person.short_name != NAME).unwrap();
    let mut client = service.client();
    client.ask(&format!("USER {}", person.short_name), "+OK");
    client.ask(&format!("PASS {}", person.password), "-ERR [SYS/PERM]");
    service.wait_for_log(&["ERROR", "no mail is served here (mailboxes.root is not set)"]);
}

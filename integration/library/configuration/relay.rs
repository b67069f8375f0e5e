//! Hosts to which sessions are passed on.

use super::{REST, each_is_reported, good};

/// Lines at the beginning of a file, and what is wrong with them.
const FAULTS: &[(&str, &str)] = &[
    ("relay: { own_names: [a.example.org] }", "1:21: relay.own_names: has no effect without relay.hosts"),
    ("relay: { attribute: mailServer }", "1:21: relay.attribute: has no effect without relay.hosts"),
    ("relay: { attribute: a b, hosts: [{ name: a }] }", "1:21: relay.attribute: \"a b\" is not an attribute"),
    ("relay: { hosts: [{ port: 995 }] }", "1:18: relay.hosts.name is missing; expected a host name"),
    ("relay: { hosts: [{ name: \"*\" }] }", "1:26: relay.hosts.name: \"*\" is not a host name"),
    ("relay: { hosts: [{ name: a, port: 0 }] }", "1:35: relay.hosts.port: "),
    ("relay: { hosts: [{ name: a, login: plain }] }", "1:36: relay.hosts.login: \"plain\" is unknown"),
    ("relay: { hosts: [{ name: a, tls: none }] }", "1:34: relay.hosts.tls: would send passwords in clear"),
    ("relay: { hosts: [{ name: localhost, tls: none, ca: x }] }", "1:52: relay.hosts.ca: has no effect without TLS"),
    ("relay: { hosts: [{ name: a, ca: missing.pem }] }", "1:33: relay.hosts.ca: "),
    ("relay: { hosts: [{ name: a, account: b }] }", "1:38: relay.hosts.account: has an effect only with login: proxy"),
    (
        "relay: { hosts: [{ name: a, key: key.pem }] }",
        "1:34: relay.hosts.key: has an effect only with login: certificate",
    ),
    ("relay: { hosts: [{ name: a, user: relay }] }", "1:35: relay.hosts.user: the template has no field"),
    ("relay: { hosts: [{ name: a, user: \"{uid}\" }] }", "1:35: relay.hosts.user: \"uid\" is no field"),
    (
        "relay: { hosts: [{ name: a, login: master_user, account: \"a*b\", account_password_file: password }] }",
        "1:58: relay.hosts.account: \"a*b\" is not an account name",
    ),
    (
        "relay: { hosts: [{ name: a, login: certificate, certificate: chain.pem, key: other.pem }] }",
        "1:62: relay.hosts.certificate: ",
    ),
    (
        "relay: { hosts: [{ name: localhost, tls: none, login: certificate, certificate: chain.pem, key: key.pem }] }",
        "1:42: relay.hosts.tls: a certificate can be shown only under TLS",
    ),
];

#[test]
fn a_mistake_about_hosts_is_reported_with_its_position() {
    each_is_reported(FAULTS);
}

#[test]
fn an_account_needs_its_name_and_its_password() {
    each_is_reported(&[(
        "relay: { hosts: [{ name: a, login: proxy_account, account: relay }] }",
        "1:18: relay.hosts.account_password_file is missing; expected a file whose first line",
    )]);
}

#[test]
fn the_attributes_of_hosts_and_names_are_asked_for_in_the_directory() {
    let hosts = "relay: { attribute: mailServer, hosts: [{ name: a, user: \"{attr:login}\" }] }";
    let configuration = good(&format!("{hosts}{REST}"));
    let further = &configuration.directories[0].further_attributes;
    assert!(["mailServer", "login"].iter().all(|name| further.iter().any(|other| other == name)), "{further:?}");
    let relay = configuration.identity.relay.unwrap();
    assert!(!relay.serves_here, "there is no mail root");
    assert_eq!(relay.settings.hosts[0].port, 995);
    let configuration = good(&format!("mailboxes: {{ root: mail }}\n{hosts}{REST}"));
    assert!(configuration.identity.relay.unwrap().serves_here);
    assert!(good(REST).identity.relay.is_none());
}

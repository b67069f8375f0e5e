//! `directories`: what is wrong with one, and what several have each for themselves.

use super::{REST, faults, folder, good, says_what_is_expected};

/// What a directory says, with a mark at the place of the fault (none: where the directory begins), and the fault.
const DIRECTORY_FAULTS: &[(&str, &str)] = &[
    ("base: dc=x", "directories.urls is missing; expected a list such as [ldaps://"),
    ("urls: [ldaps://x]", "directories.base is missing; expected the DN below which"),
    ("urls: ▸ldaps://x, base: dc=x", "directories.urls: must be a list"),
    ("urls: ▸[], base: dc=x", "directories.urls: the list is empty"),
    ("urls: [▸https://x], base: dc=x", "directories.urls: \"https\" is no LDAP scheme; expected ldap"),
    ("urls: [▸ldap://x], base: dc=x", "directories.urls: \"ldap://x\" would send passwords in clear; expected"),
    ("urls: [ldaps://x], base: ▸people", "directories.base: \"people\" is not a distinguished name; expected"),
    ("urls: [ldaps://x], base: dc=x, starttls: ▸yes", "directories.starttls: must be "),
    ("urls: [ldaps://x], base: dc=x, starttls: ▸true", "directories.starttls: has no effect if no URL"),
    ("urls: [ldapi://%2Fx], base: dc=x, ca: ▸chain.pem", "directories.ca: has no effect without TLS"),
    ("urls: [ldaps://x], base: dc=x, ca: ▸missing.pem", "directories.ca: missing.pem: "),
    ("urls: [ldaps://x], base: dc=x, ca: ▸key.pem", "directories.ca: key.pem holds no certificate"),
    ("urls: [ldaps://x], base: dc=x, filter: ▸\"(a=b\"", "directories.filter: \"(a=b\" is no filter; expected"),
    ("urls: [ldaps://x], base: dc=x, filter: ▸\"a\\n\\eb\"", "directories.filter: \"a\u{fffd}\u{fffd}b\" is no filter"),
    ("urls: [ldaps://x], base: dc=x, domain: ▸RENO", "directories.domain: has no effect where schema is not"),
    (
        "urls: [ldaps://x], base: dc=x, allowed_group: ▸pop3",
        "directories.allowed_group: \"pop3\" is not a distinguished",
    ),
    ("urls: [ldaps://x], base: dc=x, group_base: ▸dc=x", "directories.group_base: has no effect without allowed_group"),
    (
        "urls: [ldaps://x], base: dc=x, enabled_attribute: ▸{ name: a }",
        "directories.enabled_attribute.value is missing",
    ),
    (
        "urls: [ldaps://x], base: dc=x, enabled_attribute: ▸{ value: a }",
        "directories.enabled_attribute.name is missing",
    ),
    ("urls: [ldaps://x], base: dc=x, attributes: { mail: ▸[] }", "directories.attributes.mail: the list is empty"),
    (
        "urls: [ldaps://x], base: dc=x, attributes: { mail: [a, ▸\"smtp:\"] }",
        "directories.attributes.mail: \"\" is not an",
    ),
    ("urls: [ldaps://x], base: dc=x, schema: ▸poxis", "directories.schema: \"poxis\" is unknown"),
    ("urls: [ldaps://x], base: dc=x, bind: ▸{ dn: cn=x }", "directories.bind.password_file is missing"),
    (
        "urls: [ldaps://x], base: dc=x, attributes: { mail: ▸e mail }",
        "directories.attributes.mail: \"e mail\" is not an",
    ),
    (
        "urls: [ldaps://x], base: dc=x, timeouts: { search: ▸0s }",
        "directories.timeouts.search: \"0s\" is below the minimum",
    ),
    (
        "urls: [ldaps://x], base: dc=x, keep_alive: ▸2h",
        "directories.keep_alive: \"2h\" is above the maximum; expected 0s to 1h",
    ),
    ("urls: [ldaps://x], base: dc=x, bind_connections: ▸0", "directories.bind_connections: \"0\" is below the minimum"),
    (
        "urls: [ldaps://x], base: dc=x, bind: { dn: cn=x, ▸password: horse }",
        "\"directories.bind.password\" is an unknown key; did you mean directories.bind.password_file",
    ),
    (
        "urls: [ldaps://x], base: dc=x, bind: { dn: cn=x, password_file: ▸empty }",
        "directories.bind.password_file: empty: empty password; expected a file whose first line",
    ),
    (
        "urls: [ldaps://x], base: dc=x, bind: { dn: cn=x, password_file: ▸none }",
        "directories.bind.password_file: none cannot be read: No such file",
    ),
    (
        "urls: [ldaps://x], base: dc=x, certificate_mapping: ▸name",
        "directories.certificate_mapping: \"name\" is unknown; expected key or subject",
    ),
    (
        "name: x, urls: [ldaps://x], base: dc=x }, ▸{ urls: [ldaps://y], base: dc=y",
        "directories.name is missing; expected",
    ),
    (
        "name: x, urls: [ldaps://x], base: dc=x }, { name: ▸x, urls: [ldaps://y], base: dc=y",
        "directories.name: \"x\" is the name of another directory; expected a unique one",
    ),
    ("name: x, urls: [ldaps://x], base: dc=x }, ▸{ name: y, urls: [ldaps://y]", "directories.base is missing"),
    ("urls: [ldaps://x], base: dc=x, names_below: ▸[]", "directories.names_below: an empty list excludes every name"),
    ("urls: [ldaps://x], base: dc=x, names_below: ▸o=x", "directories.names_below: must be a list"),
    (
        "urls: [ldaps://x], base: dc=x, names_below: [o=x, ▸Sales]",
        "directories.names_below: \"Sales\" is not a DN pattern",
    ),
    ("urls: [ldaps://x], base: dc=x, mail_domains: ▸[]", "directories.mail_domains: an empty list excludes every name"),
    (
        "urls: [ldaps://x], base: dc=x, mail_domains: [▸\"@x\"]",
        "directories.mail_domains: \"@x\" is not a domain; expected",
    ),
];

#[test]
fn a_mistake_about_the_directory_is_reported_with_its_position() {
    let folder = folder();
    for (keys, fault) in DIRECTORY_FAULTS {
        let rest = "tls: { certificates: [{ chain: chain.pem, key: key.pem }] }";
        let content = format!("directories: [{{ {keys} }}]\n{rest}\n");
        let begins = "directories: [".len() + 1;
        let column = content.find('▸').map_or(begins, |at| content[..at].chars().count() + 1);
        let told = faults(folder.path(), content.replace('▸', "").as_bytes());
        let fault = format!("1:{column}: {fault}");
        assert!(told.iter().any(|line| line.starts_with(&fault)), "{keys}:\n{told:#?}\n{fault}");
        assert!(told.iter().all(|line| says_what_is_expected(line)), "{told:?}");
    }
}

#[test]
fn each_of_several_directories_has_settings_of_its_own() {
    let second = "  - { name: second, urls: [ldaps://y], base: o=y, schema: posix, names_below: [\"ou=*,o=y\"], \
                  mail_domains: [y.example] }\n";
    let configuration =
        good(&format!("mailboxes: {{ path: \"{{attr:homeDirectory}}\" }}\n{REST}    name: first\n{second}"));
    let [first, second] = &configuration.directories[..] else { panic!("two directories") };
    assert_eq!((&*first.name, &*second.name), ("first", "second"));
    assert_eq!((first.base.as_str(), second.base.as_str()), ("dc=example,dc=org", "o=y"));
    assert_eq!(
        (first.filter.as_str(), second.filter.as_str()),
        ("(objectClass=inetOrgPerson)", "(objectClass=posixAccount)")
    );
    assert!(first.names.is_none() && !second.names.is_none());
    for directory in [first, second] {
        assert_eq!(directory.further_attributes, ["homeDirectory"]);
    }
}

#[test]
fn clear_text_to_the_directory_is_possible_where_it_is_wanted() {
    for keys in [
        "urls: [ldap://127.0.0.1:3890]",
        "urls: [ldapi://%2Frun%2Fldapi]",
        "urls: [ldap://ldap.example.org], starttls: true",
        "urls: [ldap://ldap.example.org], allow_clear_text: true",
    ] {
        good(&format!(
            "listeners: [{{ address: \"127.0.0.1:0\", tls: none }}]\ndirectories: [{{ base: dc=x, {keys} }}]\n"
        ));
    }
}

//! `restante client-settings`: each form, read by the parser that its readers use.

use std::fs;

use restante::demo::people;
use serde_json::Value;

use super::{Ended, command, configured};
use crate::support::directory::RealDirectory;
use crate::support::process::{output, program};
use crate::support::service::{Plan, Site};
use crate::support::slapd::Slapd;

/// Somebody whose names have a meaning in XML.
const FURTHER: &str = "
dn: uid=r&d,ou=Sales,ou=people,dc=renovations,dc=example
objectClass: inetOrgPerson
uid: r&d
cn: R&D <\"team\">
sn: Team
mail: r&d'<x>@renovations.example
userPassword: ampersand
";

const LISTENERS: &str = "  - { address: \"[::]:110\", tls: starttls }\n  - { address: \"0.0.0.0:995\", tls: implicit }\n  \
                         - { address: \"127.0.0.1:1110\", tls: none }\n";

const SMTP: &str = "client_settings: { smtp: { host: smtp.renovations.example, tls: starttls } }";

fn world(further: &str) -> (Slapd, Site) {
    let slapd = Slapd::start(&format!("{}\n{FURTHER}", people::LDIF));
    let site = configured(&plan(&slapd, LISTENERS, further));
    (slapd, site)
}

fn plan(slapd: &Slapd, listeners: &str, further: &str) -> Plan {
    let mut plan = Plan::at(&slapd.url()).and(further);
    plan.listeners = listeners.to_owned();
    plan
}

fn settings(site: &Site, format: &str, login: &str) -> Ended {
    command(site, &["client-settings", "--format", format, login], "")
}

/// The output of one that must succeed.
fn written(site: &Site, format: &str, login: &str) -> String {
    let ended = settings(site, format, login);
    assert_eq!((ended.status, ended.complained.as_str()), (0, ""), "{}", ended.told);
    ended.told
}

/// What a Python expression makes of a text in `text`, as JSON.
fn parsed(script: &str, text: &str) -> Value {
    let script = format!("import sys, json\ntext = sys.stdin.buffer.read()\n{script}");
    let output = output(program("python3").args(["-c", &script]), text);
    assert!(output.status.success(), "{}\n{text}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_words_name_server_ports_login_name_and_how_long_mail_can_stay() {
    let (_slapd, site) = world(&format!("{SMTP}\nexpire: {{ after: 30d }}"));
    let told = written(&site, "text", "Al Jones");
    for line in [
        "  mail address  alan.jones@renovations.example\n",
        "  server        mail.renovations.example\n  port          995\n  encryption    SSL/TLS\n",
        "  login name    alan.jones@renovations.example\n",
        "  password      that of the entry uid=ajones,ou=Sales,ou=people,dc=renovations,dc=example in directory test\n",
        "  also possible port 110 with STARTTLS\n",
        "  server        smtp.renovations.example\n  port          587\n  encryption    STARTTLS\n",
        "30 days after it was first fetched",
    ] {
        assert!(told.contains(line), "{line}\n{told}");
    }
    assert!(!told.contains("1110"), "a loopback port is nobody's: {told}");
}

#[test]
fn without_expiry_and_smtp_the_words_say_so() {
    let (_slapd, site) = world("");
    let told = written(&site, "text", "ajones");
    assert!(told.contains("the server removes nothing by age"), "{told}");
    assert!(told.contains("not configured here (client_settings.smtp)"), "{told}");
}

#[test]
fn the_login_name_is_one_that_the_policy_allows_and_that_nobody_else_has() {
    for (names, login, expected) in [
        ("fewer", "Alan Jones/Sales/people", "alan.jones@renovations.example"),
        ("[short_name, common_name]", "Alan Jones", "ajones"),
        ("[common_name]", "Al Jones", "Al Jones"),
        // Without a mail address.
        ("fewer", "Tom Clerk", "tclerk"),
    ] {
        let (_slapd, site) = world(&format!("internet_authentication: {{ names: {names} }}"));
        let told = written(&site, "text", login);
        assert!(told.contains(&format!("  login name    {expected}\n")), "{names} {login}: {told}");
    }
}

#[test]
fn an_apple_profile_is_a_property_list_with_all_that_the_program_requires() {
    let (_slapd, site) = world(SMTP);
    let profile = written(&site, "apple", "r&d");
    let list = parsed("import plistlib\nprint(json.dumps(plistlib.loads(text)))", &profile);
    let mail = &list["PayloadContent"][0];
    for (key, value) in [
        ("PayloadType", Value::from("com.apple.mail.managed")),
        ("EmailAccountType", "EmailTypePOP".into()),
        ("EmailAddress", "r&d'<x>@renovations.example".into()),
        ("IncomingMailServerHostName", "mail.renovations.example".into()),
        ("IncomingMailServerPortNumber", 995.into()),
        ("IncomingMailServerUseSSL", true.into()),
        ("IncomingMailServerAuthentication", "EmailAuthPassword".into()),
        ("IncomingMailServerUsername", "r&d'<x>@renovations.example".into()),
        ("OutgoingMailServerHostName", "smtp.renovations.example".into()),
        ("OutgoingMailServerPortNumber", 587.into()),
        ("OutgoingMailServerAuthentication", "EmailAuthPassword".into()),
        ("PayloadVersion", 1.into()),
    ] {
        assert_eq!(mail[key], value, "{key}: {list:#}");
    }
    assert_eq!((&list["PayloadType"], &list["PayloadVersion"]), (&"Configuration".into(), &1.into()));
    assert_ne!(list["PayloadUUID"], mail["PayloadUUID"]);
    assert_eq!(written(&site, "apple", "r&d"), profile, "the same person's profile replaces the installed one");
    let other = parsed("import plistlib\nprint(json.dumps(plistlib.loads(text)))", &written(&site, "apple", "ajones"));
    assert_ne!(list["PayloadUUID"], other["PayloadUUID"]);
}

#[test]
fn outlook_gets_both_protocols_in_its_namespaces() {
    let (_slapd, site) = world(SMTP);
    let script = "
import xml.etree.ElementTree as tree
root = tree.fromstring(text)
outer = '{http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006}'
inner = '{http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a}'
assert root.tag == outer + 'Autodiscover', root.tag
account = root.find(inner + 'Response').find(inner + 'Account')
name = lambda element: element.tag.removeprefix(inner)
told = {name(e): e.text for e in account if len(e) == 0}
told['protocols'] = [{name(e): e.text for e in p} for p in account.findall(inner + 'Protocol')]
print(json.dumps(told))";
    let told = parsed(script, &written(&site, "outlook", "r&d"));
    assert_eq!((&told["AccountType"], &told["Action"]), (&"email".into(), &"settings".into()));
    let (pop3, smtp) = (&told["protocols"][0], &told["protocols"][1]);
    for (protocol, key, value) in [
        (pop3, "Type", "POP3"),
        (pop3, "Server", "mail.renovations.example"),
        (pop3, "Port", "995"),
        (pop3, "SSL", "on"),
        (pop3, "Encryption", "SSL"),
        (pop3, "SPA", "off"),
        (pop3, "LoginName", "r&d'<x>@renovations.example"),
        (smtp, "Type", "SMTP"),
        (smtp, "Port", "587"),
        (smtp, "Encryption", "TLS"),
    ] {
        assert_eq!(protocol[key], value, "{key}: {told:#}");
    }
}

#[test]
fn the_records_are_lines_of_a_zone_that_bind_loads() {
    let (_slapd, site) = world(SMTP);
    let records = written(&site, "dns", "ajones");
    let zone = site.folder().join("zone");
    let head = "$TTL 3600\n@ IN SOA ns hostmaster 1 3600 600 86400 60\n@ IN NS ns\n";
    fs::write(&zone, format!("{head}ns IN A 192.0.2.1\nmail IN A 192.0.2.2\nsmtp IN A 192.0.2.3\n{records}")).unwrap();
    let checked = output(program("named-checkzone").args(["-D", "renovations.example"]).arg(&zone), "");
    let told = String::from_utf8(checked.stdout).unwrap();
    assert!(checked.status.success(), "{told}{}\n{records}", String::from_utf8_lossy(&checked.stderr));
    let found: Vec<String> = told
        .lines()
        .filter(|line| line.contains("SRV"))
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    for record in [
        "_pop3s._tcp.renovations.example. 3600 IN SRV 0 1 995 mail.renovations.example.",
        "_pop3._tcp.renovations.example. 3600 IN SRV 10 1 110 mail.renovations.example.",
        "_submission._tcp.renovations.example. 3600 IN SRV 10 1 587 smtp.renovations.example.",
        "_submissions._tcp.renovations.example. 3600 IN SRV 0 0 0 .",
    ] {
        assert!(found.contains(&record.to_owned()), "{record}: {found:#?}");
    }
}

#[test]
fn what_is_missing_is_said_before_a_program_would_reject_the_settings() {
    let (slapd, site) = world("");
    for format in ["thunderbird", "apple"] {
        let ended = settings(&site, format, "ajones");
        assert_eq!((ended.status, ended.told.as_str()), (1, ""), "{format}");
        assert!(ended.complained.contains("set client_settings.smtp.host"), "{}", ended.complained);
    }
    let nobody = settings(&site, "text", "nobody at all");
    assert!(
        nobody.status == 1 && nobody.complained.contains("nobody at all: no such login name"),
        "{}",
        nobody.complained
    );
    let namesakes = settings(&site, "text", "Mary Brown");
    assert!(namesakes.status == 1 && namesakes.complained.contains("ambiguous"), "{}", namesakes.complained);
    let config = site.folder().join("restante.yaml");
    fs::write(&config, plan(&slapd, LISTENERS, "").yaml().replace("hostname: mail.renovations.example\n", "")).unwrap();
    let unnamed = settings(&site, "text", "ajones");
    assert!(unnamed.status == 1 && unnamed.complained.contains("hostname is empty"), "{}", unnamed.complained);
    let closed = "  - { address: \"127.0.0.1:0\", tls: starttls }\n";
    fs::write(&config, plan(&slapd, closed, "").yaml()).unwrap();
    let nowhere = settings(&site, "text", "ajones");
    assert!(
        nowhere.status == 1 && nowhere.complained.contains("no listener accepts passwords"),
        "{}",
        nowhere.complained
    );
}

#[test]
fn listeners_on_loopback_alone_give_settings_for_this_machine_and_say_so() {
    let (slapd, site) = world("");
    let inside = "  - { address: \"127.0.0.1:1110\", tls: starttls }\n  - { address: \"[::1]:1995\", tls: implicit }\n";
    fs::write(site.folder().join("restante.yaml"), plan(&slapd, inside, "").yaml()).unwrap();
    for format in ["text", "dns"] {
        let ended = settings(&site, format, "ajones");
        assert_eq!(ended.status, 0, "{}", ended.complained);
        assert!(ended.complained.contains("for mail programs on this machine only"), "{}", ended.complained);
        assert!(ended.told.contains("localhost") && ended.told.contains("1995"), "{}", ended.told);
        assert!(ended.told.contains("1110") && !ended.told.contains("mail.renovations.example"), "{}", ended.told);
    }
}

#[test]
fn keys_for_smtp_without_its_host_are_mistakes() {
    let (_slapd, site) = world("client_settings: { smtp: { port: 25, tls: none } }");
    let ended = settings(&site, "text", "ajones");
    assert_eq!(ended.status, 78);
    for key in ["client_settings.smtp.tls", "client_settings.smtp.port"] {
        assert!(ended.complained.contains(&format!("{key}: has no effect without host")), "{}", ended.complained);
    }
}

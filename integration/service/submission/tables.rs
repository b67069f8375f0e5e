//! What the tables answer, and what the SASL service says, word by word.

use std::fs;
use std::path::PathBuf;

use restante::demo::people;

use crate::support::directory::RealDirectory as _;
use crate::support::login::{give_mail, opens};
use crate::support::mta_client::{SaslClient, TableClient};
use crate::support::service::{Plan, Service, Site};
use crate::support::slapd::Slapd;
use crate::support::stage::{PASSWORD, Stage};
use crate::support::submission::{ALAN, ALANS};

/// A further address, as directories of mail servers hold it, and two people who share one.
const FURTHER: &str = "
dn: uid=eva,ou=Sales,ou=people,dc=renovations,dc=example
objectClass: inetOrgPerson
uid: eva
cn: Eva
sn: Eva
mail: eva@renovations.example
employeeType: e.va@renovations.example
employeeType: \"quoted name\"@renovations.example

dn: uid=shared1,ou=Sales,ou=people,dc=renovations,dc=example
objectClass: inetOrgPerson
uid: shared1
cn: One
sn: One
mail: shared@renovations.example

dn: uid=shared2,ou=Sales,ou=people,dc=renovations,dc=example
objectClass: inetOrgPerson
uid: shared2
cn: Two
sn: Two
mail: shared@renovations.example

dn: cn=No Short Name,ou=Sales,ou=people,dc=renovations,dc=example
objectClass: inetOrgPerson
cn: No Short Name
sn: Name
employeeType: nameless@renovations.example
userPassword: nameless
";

struct Tables {
    service: Service,
    site: Site,
    slapd: Slapd,
}

impl Tables {
    /// With further lines of the directory, of `mailboxes:`, and of the whole configuration.
    fn new(directory: &str, mailboxes: &str, further: &str) -> Self {
        let (slapd, site) = (Slapd::start(&format!("{}{FURTHER}", people::LDIF)), Site::new());
        let mut plan = Plan::at(&slapd.url()).and("refusal_step: 0s").and(further);
        plan.directory.push_str("    attributes: { mail: [mail, employeeType] }\n");
        plan.directory.push_str(directory);
        plan.mailboxes.push_str(mailboxes);
        if !further.contains("socketmap:") {
            plan = plan.and("socketmap: { socket: tables.sock, recipient_delimiter: \"+\" }");
        }
        let plan = plan.and("sasl_service: { socket: sasl.sock, mode: \"0600\" }");
        Self { service: site.serve(&plan), site, slapd }
    }

    fn tables(&self) -> TableClient {
        TableClient::connect(&self.site.folder().join("tables.sock"))
    }

    fn sasl(&self) -> SaslClient {
        SaslClient::connect(&self.site.folder().join("sasl.sock"))
    }

    fn maildir(&self, path: &str) -> String {
        format!("OK {}/{path}/", self.site.root().display())
    }
}

#[test]
fn addresses_lead_to_people_their_maildirs_and_their_names() {
    let world = Tables::new("", "", "");
    let mut tables = world.tables();
    let eva = world.maildir("eva/Maildir");
    for (table, key, answer) in [
        ("recipient", ALANS, format!("OK {ALANS}")),
        ("recipient", "Alan.Jones@RENOVATIONS.example", format!("OK {ALANS}")),
        ("recipient", "jmueller@renovations.example", "OK OK".to_owned()),
        ("recipient", "e.va@renovations.example", "OK eva@renovations.example".to_owned()),
        ("maildir", "eva@renovations.example", eva.clone()),
        ("maildir", "e.va@renovations.example", eva.clone()),
        ("maildir", "\"e.va\"@renovations.example", eva.clone()),
        ("maildir", "quoted name@renovations.example", eva.clone()),
        ("maildir", "\"Quoted Name\"@renovations.example", eva.clone()),
        ("alias", "e.va@renovations.example", "OK eva@renovations.example".to_owned()),
        ("alias", "e.va+x+y@renovations.example", "OK eva+x+y@renovations.example".to_owned()),
        ("alias", "eva@renovations.example", "NOTFOUND ".to_owned()),
        ("alias", "Eva+x@renovations.example", "NOTFOUND ".to_owned()),
        ("alias", "jmueller@renovations.example", "NOTFOUND ".to_owned()),
        ("maildir", "eva+lists@renovations.example", eva),
        ("sender", "e.va@renovations.example", "OK eva".to_owned()),
        ("sender", "nameless@renovations.example", "OK nameless@renovations.example".to_owned()),
    ] {
        assert_eq!(tables.look_up(table, key), answer, "{table} {key}");
    }
    for key in ["nobody@renovations.example", "ajones", "@renovations.example", "ajones@", "", "uid=ajones", "*@*"] {
        for table in ["recipient", "maildir", "alias", "sender"] {
            assert_eq!(tables.look_up(table, key), "NOTFOUND ", "{table} {key}");
        }
    }
    assert_eq!(tables.look_up("recipients", ALANS), "PERM there is no such table");
    assert!(tables.look_up("pop_before_smtp", "192.0.2.1").starts_with("PERM socketmap.pop_before_smtp"));
    assert_eq!(world.tables().look_up("maildir", "eva+x@renovations.example"), world.maildir("eva/Maildir"));
}

#[test]
fn mail_that_cannot_be_placed_waits_for_an_administrator() {
    let world = Tables::new("", "", "");
    let mut tables = world.tables();
    for table in ["recipient", "maildir", "alias"] {
        let answer = tables.look_up(table, "shared@renovations.example");
        assert!(answer.starts_with("PERM several people have this address: uid=shared1"), "{answer}");
    }
    assert_eq!(tables.look_up("sender", "shared@renovations.example"), "OK shared1,shared2");
    for table in ["recipient", "maildir"] {
        let answer = tables.look_up(table, "nameless@renovations.example");
        assert!(answer.starts_with("PERM no maildrop for "), "{answer}");
    }
}

#[test]
fn mail_is_delivered_where_it_is_read() {
    let world = Tables::new("", "", "");
    let mut tables = world.tables();
    let answer = tables.look_up("maildir", ALANS);
    give_mail(&world.site, "ajones");
    assert_eq!(answer, world.maildir("ajones/Maildir"));
    let path = PathBuf::from(answer.strip_prefix("OK ").unwrap());
    assert!(path.join("new/1.only").exists());
    opens(&world.service, "ajones", PASSWORD, "ajones");
}

/// Below the mount point it would be lost.
#[test]
fn nothing_is_delivered_while_the_disk_is_not_mounted() {
    let stage = Stage::set_by(&[], |plan, site| {
        fs::write(site.root().join(".mounted"), "").unwrap();
        plan.mailboxes.push_str("  marker: .mounted\n");
        plan.further.push_str("socketmap: { socket: tables.sock }\n");
    });
    let mut tables = TableClient::connect(&stage.site.folder().join("tables.sock"));
    let answer = tables.look_up("maildir", ALANS);
    assert!(answer.ends_with("/mail/ajones/Maildir/"), "{answer}");
    fs::remove_file(stage.site.root().join(".mounted")).unwrap();
    let answer = tables.look_up("maildir", ALANS);
    assert!(answer.starts_with("TEMP ") && answer.contains(".mounted"), "{answer}");
}

#[test]
fn whoever_may_not_use_the_service_receives_no_mail_and_a_barred_account_does() {
    let world =
        Tables::new("    enabled_attribute: { name: title, value: mail }\n", "", "cache: { found: 0s, missed: 0s }");
    let mut tables = world.tables();
    assert_eq!(tables.look_up("recipient", ALANS), "NOTFOUND ");
    world.slapd.replace("ajones", "title", "mail");
    assert_eq!(tables.look_up("recipient", ALANS), format!("OK {ALANS}"));
    let mut sasl = world.sasl();
    sasl.plain(1, "192.0.2.7", ("alamb", "seven green lamps"));
    assert_eq!(sasl.line().unwrap(), "FAIL\t1\tuser=alamb");
    sasl.plain(2, "192.0.2.7", ALAN);
    assert_eq!(sasl.line().unwrap(), "OK\t2\tuser=ajones");
}

#[test]
fn the_sasl_service_speaks_as_postfix_and_exim_expect() {
    let world = Tables::new("", "", "");
    let mut sasl = world.sasl();
    let password = "dmlvbGV0LWhhcmJvdXItMTc="; // violet-harbour-17
    assert_eq!(sasl.ask("AUTH\t1\tPLAIN\tservice=smtp\trip=192.0.2.7").unwrap(), "CONT\t1\t");
    assert_eq!(sasl.ask("CONT\t1\tAGFqb25lcwB2aW9sZXQtaGFyYm91ci0xNw==").unwrap(), "OK\t1\tuser=ajones");
    assert_eq!(sasl.ask("AUTH\t2\tLOGIN\tservice=smtp\trip=192.0.2.7").unwrap(), "CONT\t2\tVXNlcm5hbWU6");
    assert_eq!(sasl.ask("CONT\t2\tQWxhbiBKb25lcw==").unwrap(), "CONT\t2\tUGFzc3dvcmQ6");
    assert_eq!(sasl.ask(&format!("CONT\t2\t{password}")).unwrap(), "OK\t2\tuser=ajones");
    assert_eq!(sasl.ask("AUTH\t3\tLOGIN\tresp=YWpvbmVz").unwrap(), "CONT\t3\tUGFzc3dvcmQ6");
    // A client that gives up; its mail transfer agent says nothing, or cancels.
    assert_eq!(sasl.ask("CANCEL\t3\nAUTH\t4\tPLAIN").unwrap(), "CONT\t4\t");
    assert_eq!(sasl.ask("AUTH\t5\tPLAIN\tresp=a!b").unwrap(), "FAIL\t5\tcode=invalid_base64");
    assert_eq!(sasl.ask("AUTH\t6\tPLAIN\tresp==").unwrap(), "FAIL\t6\tcode=invalid_base64");
    assert_eq!(sasl.ask("AUTH\t7\tGSSAPI").unwrap(), "FAIL\t7\tcode=invalid_base64");
    assert_eq!(sasl.ask("CONT\t3\tYWRh").unwrap(), "FAIL\t3\tcode=invalid_base64");
    sasl.plain(8, "192.0.2.7", ("a\tb\u{1}c", "wrong"));
    assert_eq!(sasl.line().unwrap(), "FAIL\t8\tuser=a?b?c");
    // An authorization identity of somebody else (base64 of alamb, NUL, ajones, NUL, the password).
    let other = "YWxhbWIAYWpvbmVzAHZpb2xldC1oYXJib3VyLTE3";
    assert_eq!(sasl.ask(&format!("AUTH\t9\tPLAIN\tresp={other}")).unwrap(), "FAIL\t9\tuser=ajones");
    let mut nameless = world.sasl();
    nameless.plain(1, "2001:db8::7", ("No Short Name", "nameless"));
    // Without a short name there is no path of the mail, as for POP3.
    assert_eq!(nameless.line().unwrap(), "FAIL\t1\tuser=No Short Name");
    world.service.wait_for_log(&["login refused", "service=\"smtp\"", "peer=[2001:db8::7]:0"]);
}

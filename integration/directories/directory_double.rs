//! The embedded directory answers as a real slapd does: both are asked the same, by `OpenLDAP`'s own tools and by ldap3.

use ldap3::{LdapConnAsync, LdapResult, Scope, SearchEntry, SearchOptions};
use restante::demo::directory::EmbeddedDirectory;
use restante::demo::people::{self, BASE, LDIF, SERVICE};
use restante::names::Dn;

use crate::support::directory::RealDirectory;
use crate::support::process::{output, program};
use crate::support::slapd::{Options, Slapd};

const SERVICE_PASSWORD: &str = "copper kettle on the shelf";

/// The same entries, served by both.
struct Both {
    real: Slapd,
    double: EmbeddedDirectory,
}

impl Both {
    fn start() -> Self {
        let double = EmbeddedDirectory::start(people::tree().unwrap(), Dn::parse(SERVICE)).unwrap();
        Self { real: Slapd::start(LDIF), double }
    }

    fn for_anybody() -> Self {
        let options = Options { anybody_reads: true, ..Options::default() };
        let double = EmbeddedDirectory::start(people::tree().unwrap(), None).unwrap();
        Self { real: Slapd::start_with(LDIF, &options), double }
    }

    /// Runs one of `OpenLDAP`'s tools against both: its exit status, which is the result code, and its output.
    fn run(&self, tool: &str, arguments: &[&str]) -> [Answer; 2] {
        [self.real.url(), self.double.url()].map(|url| {
            let mut command = program(tool);
            let ended = output(command.args(["-x", "-H", &url]).args(arguments), "");
            let text = String::from_utf8(ended.stdout).unwrap();
            (ended.status.code().expect("ended by a signal"), records(&text))
        })
    }

    /// Asks both, and gives the answer if it is one.
    fn agree(&self, tool: &str, arguments: &[&str]) -> Answer {
        let [real, double] = self.run(tool, arguments);
        assert_eq!(real, double, "slapd on the left, the embedded directory on the right: {tool} {arguments:?}");
        real
    }

    /// A search as the service.
    fn search(&self, arguments: &[&str]) -> Answer {
        self.agree("ldapsearch", &as_service(arguments))
    }
}

/// The result code, and the records told with the ends of pages, sorted: a server tells entries in any order it likes.
type Answer = (i32, Vec<String>);

fn records(text: &str) -> Vec<String> {
    let without_comments =
        |record: &str| record.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join("\n");
    let mut records: Vec<_> = text.split("\n\n").map(without_comments).filter(|record| !record.is_empty()).collect();
    records.extend(text.lines().filter(|line| line.starts_with("# pagedresults")).map(|_| "a page ends".to_owned()));
    records.sort();
    records
}

fn as_service<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    [&["-LLL", "-o", "ldif-wrap=no", "-D", SERVICE, "-w", SERVICE_PASSWORD], arguments].concat()
}

#[test]
fn the_naming_contexts_are_shown_before_any_bind() {
    let both = Both::start();
    let read =
        |attributes: &[&'static str]| [&["-LLL", "-s", "base", "-b", "", "(objectClass=*)"], attributes].concat();
    let contexts = both.agree("ldapsearch", &read(&["namingContexts", "supportedLDAPVersion"]));
    assert_eq!(contexts.0, 0);
    assert!(contexts.1.concat().contains("namingContexts: dc=renovations,dc=example"), "{contexts:?}");
    both.agree("ldapsearch", &read(&["1.1"]));
}

#[test]
fn filters_find_the_same_people_with_the_same_values() {
    let both = Both::start();
    for (filter, entries) in [
        ("(uid=ajones)", 1),
        ("(UID=AJONES)", 1),
        ("(cn=alan  jones)", 2),
        ("(&(objectClass=inetOrgPerson)(cn=Alan Jones))", 1),
        ("(cn=Al Jones)", 1),
        ("(cn=Jürgen müller)", 1),
        ("(givenName=alan)", 2),
        ("(cn=Mary Brown)", 2),
        (r"(cn=Smith, Ann \28Paris\29\2a \5c + 1)", 1),
        ("(cn=*)", 8),
        ("(cn=\\2a)", 0),
        ("(cn=Smith*)", 1),
        ("(cn=*Jones)", 2),
        ("(mail=*.brown*@*example)", 2),
        ("(mail=JMUELLER@renovations.example)", 1),
        ("(|(uid=ajones)(mail=alan.lamb@renovations.example)(uid=nobody))", 2),
        ("(&(objectClass=inetOrgPerson)(!(mail=*)))", 1),
        ("(objectClass=posixAccount)", 2),
        ("(userPassword=*)", 0),
        ("(userPassword=violet-harbour-17)", 0),
        ("(entryUUID=*)", 12),
        ("(uid=nobody)", 0),
    ] {
        for attributes in [&[][..], &["1.1"], &["cn", "mail"], &["MAIL", "userPassword", "homeDirectory"], &["*"]] {
            let (code, found) = both.search(&[&["-b", BASE, filter], attributes].concat());
            assert_eq!((code, found.len()), (0, entries), "{filter}: {found:?}");
            assert!(!found.iter().any(|record| record.contains("userPassword")), "{found:?}");
        }
    }
}

#[test]
fn scopes_bases_and_limits_end_the_same() {
    let both = Both::start();
    let alan = "uid=ajones,ou=Sales,ou=people,dc=renovations,dc=example";
    for (base, scope, code) in [
        (BASE, "base", 0),
        (BASE, "one", 0),
        (BASE, "sub", 0),
        (BASE, "children", 0),
        ("OU=People, dc=Renovations,DC=example", "one", 0),
        (alan, "base", 0),
        ("uid=ajones,ou=East,ou=people,dc=renovations,dc=example", "base", 32),
        ("dc=elsewhere", "sub", 32),
        ("Alan Jones", "sub", 34),
    ] {
        assert_eq!(both.search(&["-b", base, "-s", scope, "(objectClass=*)", "1.1"]).0, code, "{base} {scope}");
    }
    let two = ["-b", BASE, "-z", "2"];
    assert_eq!(both.search(&[&two[..], &["(cn=Alan Jones)"]].concat()).0, 0);
    for (code, found) in both.run("ldapsearch", &as_service(&[&two[..], &["(cn=*)", "1.1"]].concat())) {
        assert_eq!((code, found.len()), (4, 2), "which two it tells is the server's choice");
    }
}

#[test]
fn pages_end_the_same() {
    let both = Both::start();
    for size in [1_usize, 4, 12, 100] {
        let paged = format!("pr={size}/noprompt");
        let (code, found) = both.search(&["-b", BASE, "-E", &paged, "(objectClass=*)", "1.1"]);
        assert_eq!((code, found.len()), (0, 12 + 12_usize.div_ceil(size)));
    }
}

#[test]
fn binds_end_the_same() {
    let both = Both::start();
    let who = |dn: &str, password: &str| both.agree("ldapwhoami", &["-D", dn, "-w", password]);
    for person in people::people().unwrap() {
        assert_eq!(who(&person.dn, &person.password).0, 0, "{}", person.dn);
        assert_eq!(who(&person.dn, &person.password.to_uppercase()).0, 49);
        assert_eq!(who(&person.dn, &format!("{} ", person.password)).0, 49);
        assert_eq!(who(&person.dn, "").0, 53);
    }
    let (code, name) = who("UID=AJones,OU=sales, ou=People,dc=renovations,dc=example", "violet-harbour-17");
    assert_eq!((code, name), (0, vec!["dn:uid=ajones,ou=Sales,ou=people,dc=renovations,dc=example".to_owned()]));
    assert_eq!(who("uid=nobody,ou=people,dc=renovations,dc=example", "x").0, 49);
    assert_eq!(who("cn=Alan Jones,ou=groups,ou=people,dc=renovations,dc=example", "x").0, 49);
    assert_eq!(who("Alan Jones", "violet-harbour-17").0, 34);
    assert_eq!(both.agree("ldapwhoami", &[]), (0, vec!["anonymous".to_owned()]));
}

#[test]
fn only_the_service_may_search_unless_anybody_may() {
    let search = ["-LLL", "-b", BASE, "(uid=ajones)", "mail"];
    let as_alan = ["-D", "uid=ajones,ou=Sales,ou=people,dc=renovations,dc=example", "-w", "violet-harbour-17"];
    let closed = Both::start();
    assert_eq!(closed.agree("ldapsearch", &search), (32, Vec::new()));
    assert_eq!(closed.agree("ldapsearch", &[&as_alan[..], &search].concat()), (32, Vec::new()));
    let open = Both::for_anybody();
    assert!(open.agree("ldapsearch", &search).1[0].contains("alan.jones@"));
    assert!(open.agree("ldapsearch", &[&as_alan[..], &search].concat()).1[0].contains("alan.jones@"));
}

/// What ldap3 makes of a few operations on one connection, one after the other.
async fn asked_by_ldap3(url: &str) -> Vec<String> {
    let (connection, mut ldap) = LdapConnAsync::new(url).await.unwrap();
    let driver = tokio::spawn(connection.drive());
    let mut told = Vec::new();
    let tell = |result: LdapResult| format!("{} {}", result.rc, result.matched);
    let alan = "uid=ajones,ou=Sales,ou=people,dc=renovations,dc=example";
    for (dn, password) in [(SERVICE, SERVICE_PASSWORD), (alan, "wrong"), (alan, ""), (alan, "violet-harbour-17")] {
        told.push(tell(ldap.simple_bind(dn, password).await.unwrap()));
        told.push(tell(ldap.search(BASE, Scope::Base, "(ou=people)", ["ou"]).await.unwrap().1));
    }
    told.push(tell(ldap.simple_bind(SERVICE, SERVICE_PASSWORD).await.unwrap()));
    for (base, limit, filter) in
        [(BASE, 2, "(cn=Mary Brown)"), (BASE, 1, "(cn=Mary Brown)"), ("ou=East,dc=renovations,dc=example", 2, "(cn=*)")]
    {
        ldap.with_search_options(SearchOptions::new().sizelimit(limit));
        let found = ldap.search(base, Scope::Subtree, filter, ["cn", "mail", "uid"]).await.unwrap();
        if found.1.rc == 4 {
            told.push(format!("4 behind {} entries", found.0.len()));
            continue;
        }
        told.push(tell(found.1));
        for entry in found.0.into_iter().map(SearchEntry::construct) {
            let mut attributes: Vec<_> = entry.attrs.into_iter().collect();
            attributes.sort();
            told.push(format!("{} {attributes:?}", entry.dn));
        }
    }
    ldap.unbind().await.unwrap();
    driver.await.unwrap().unwrap();
    told
}

#[tokio::test]
async fn ldap3_hears_the_same() {
    let both = Both::start();
    let real = asked_by_ldap3(&both.real.url()).await;
    assert_eq!(real, asked_by_ldap3(&both.double.url()).await);
    assert!(real.iter().any(|told| told == "4 behind 1 entries") && real.iter().any(|told| told.starts_with("53 ")));
}

#[test]
fn a_changed_entry_takes_effect_at_once_in_both() {
    let both = Both::start();
    let alan = "uid=ajones,ou=Sales,ou=people,dc=renovations,dc=example";
    both.real.modify(&format!("dn: {alan}\nchangetype: modify\nreplace: userPassword\nuserPassword: new one\n"));
    both.double.controls().change(|tree| tree.set(alan, "userPassword", ["new one"])).unwrap();
    assert_eq!(both.agree("ldapwhoami", &["-D", alan, "-w", "new one"]).0, 0);
    assert_eq!(both.agree("ldapwhoami", &["-D", alan, "-w", "violet-harbour-17"]).0, 49);

    both.real.modify(&format!(
        "dn: {alan}\nchangetype: modrdn\nnewrdn: uid=alan\ndeleteoldrdn: 1\n\
         newsuperior: ou=Production,ou=people,dc=renovations,dc=example\n"
    ));
    let moved = "uid=alan,ou=Production,ou=people,dc=renovations,dc=example";
    both.double.controls().change(|tree| tree.move_entry(alan, moved)).unwrap();
    assert_eq!(both.agree("ldapwhoami", &["-D", alan, "-w", "new one"]).0, 49);
    assert_eq!(both.agree("ldapwhoami", &["-D", moved, "-w", "new one"]).0, 0);
    assert_eq!(both.search(&["-b", BASE, "(uid=ajones)", "1.1"]), (0, Vec::new()));
    assert!(both.search(&["-b", BASE, "(uid=alan)", "uid"]).1[0].contains("uid: alan"));
}

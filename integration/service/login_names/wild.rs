//! Entries as they are found in the wild. The embedded directory serves what most real servers refuse to store.

use std::fs;

use restante::demo::directory::EmbeddedDirectory;
use restante::demo::tree::Tree;
use restante::demo::{ldif, people};
use restante::names::Dn;

use super::REFUSAL;
use crate::support::directory::RealDirectory;
use crate::support::ds389::Ds389;
use crate::support::ldap_relay::{Conduct, LdapRelay};
use crate::support::login::{give_mail, log_in, opens, refuses};
use crate::support::process::output;
use crate::support::service::{Plan, Service, Site};
use crate::support::slapd::{Options, Slapd};

const BER_NAMES: &str = include_str!("wild/ber_names.ldif");
const COMPOSED: &str = include_str!("wild/composed.ldif");
const CONFLICT: &str = include_str!("wild/conflict.ldif");
const NOT_UTF8: &str = include_str!("wild/not_utf8.ldif");
const OPTIONS: &str = include_str!("wild/options.ldif");
const TRAILING_BLANK: &str = include_str!("wild/trailing_blank.ldif");

const SERVICE: &str = "cn=svc,dc=example,dc=org";
const PEOPLE: &str = "ou=people,dc=example,dc=org";
const BY_LOCAL_PART: &str = "  path: \"{mail.local}/Maildir\"\n";

/// Restante in front of a directory with the entries of an LDIF.
struct Wild {
    service: Service,
    site: Site,
    _directory: Box<dyn std::any::Any>,
}

impl Wild {
    /// Served by the embedded directory, which takes entries as they are.
    fn embedded(entries: &str, change: impl FnOnce(&mut Plan)) -> Self {
        let directory = directory(entries);
        let url = directory.url();
        Self::before(Box::new(directory), &url, change)
    }

    /// Served by a real slapd.
    fn slapd(entries: &str, global: &str, change: impl FnOnce(&mut Plan)) -> Self {
        let options = Options { anybody_reads: true, global: global.to_owned(), ..Options::default() };
        let slapd = Slapd::start_with(entries, &options);
        let url = slapd.url();
        Self::before(Box::new(slapd), &url, change)
    }

    fn before(directory: Box<dyn std::any::Any>, url: &str, change: impl FnOnce(&mut Plan)) -> Self {
        let site = Site::new();
        fs::write(site.folder().join("ldap.password"), "service-pass-1").unwrap();
        let mut plan = Plan::at(url).and("refusal_step: 0s").and("cache: { password: 0s }");
        plan.directory = format!(
            "    urls: [\"{url}\"]\n    bind: {{ dn: \"{SERVICE}\", password_file: ldap.password }}\n    base: \"{PEOPLE}\"\n"
        );
        change(&mut plan);
        Self { service: site.serve(&plan), site, _directory: directory }
    }

    /// Each of these names opens the person's mail.
    fn all_open(&self, names: &[&str], password: &str, owner: &str) {
        for name in names {
            opens(&self.service, name, password, owner);
        }
    }

    /// What a command of ours says.
    fn command(&self, words: &[&str]) -> String {
        String::from_utf8(output(&mut self.site.command(words), "").stdout).unwrap()
    }

    fn findings(&self, kind: &str) -> Vec<String> {
        let report: serde_json::Value = serde_json::from_str(&self.command(&["audit", "--json"])).unwrap();
        let findings = report["findings"].as_array().unwrap().iter().filter(|finding| finding["kind"] == kind);
        findings.map(ToString::to_string).collect()
    }
}

fn directory(entries: &str) -> EmbeddedDirectory {
    let tree = Tree::new(ldif::parse(entries).unwrap()).unwrap();
    EmbeddedDirectory::start(tree, Dn::parse(SERVICE)).unwrap()
}

/// The same text, decomposed (NFD).
fn decomposed(text: &str) -> String {
    text.replace('ü', "u\u{308}").replace('ö', "o\u{308}")
}

/// "Values under attribute options are values of the attribute" (RFC 4512 §2.5).
#[test]
fn values_under_options_are_values_of_the_attribute() {
    let wild = Wild::embedded(OPTIONS, |plan| BY_LOCAL_PART.clone_into(&mut plan.mailboxes));
    give_mail(&wild.site, "alan");
    give_mail(&wild.site, "bea");
    wild.all_open(&["ajones", "Alan Jones", "Алан Джонс", "алан джонс", "alan@example.org"], "pw-jones-1", "alan");
    let line = wild.service.wait_for_log(&[" event=login person=", "login=\"Алан Джонс\"", "proof=\"bind\""]);
    assert!(line.contains("kind=\"common_name\""), "{line}");
    // One value stands alone under the plain name: where the mail lies does not become doubtful by those under options.
    wild.all_open(&["bsmith", "bea@example.org", "bea.at.home@example.org"], "pw-smith-1", "bea");
}

#[test]
fn a_real_slapd_gives_values_under_options() {
    let wild = Wild::slapd(OPTIONS, "attributeoptions lang- x-", |plan| BY_LOCAL_PART.clone_into(&mut plan.mailboxes));
    give_mail(&wild.site, "alan");
    give_mail(&wild.site, "bea");
    wild.all_open(&["ajones", "Алан Джонс", "alan@example.org"], "pw-jones-1", "alan");
    wild.all_open(&["bsmith", "bea@example.org", "bea.at.home@example.org"], "pw-smith-1", "bea");
}

/// RFC 4518 §2.3: composed and decomposed characters are one, in each kind of name and in each part of it.
#[test]
fn decomposed_names_are_the_composed_ones() {
    let slapd = Wild::slapd(COMPOSED, "", |_| {});
    let embedded = Wild::embedded(COMPOSED, |_| {});
    for wild in [slapd, embedded] {
        give_mail(&wild.site, "jmueller");
        for name in [
            "Jürgen Müller",
            "CN=Jürgen Müller",
            "Jürgen Müller/Köln/people",
            "cn=Jürgen Müller/ou=Köln/ou=people",
            "uid=jmueller,ou=Köln,ou=people,dc=example,dc=org",
        ] {
            wild.all_open(&[name, &decomposed(name)], "pw-mueller-1", "jmueller");
        }
    }
}

/// "A DN may hold values in BER, several attributes in one RDN, escaped commas and `#`": each is somebody's, like any
/// other, and disturbs nobody else.
#[test]
fn a_strange_dn_concerns_its_owner_alone() {
    let wild = Wild::embedded(BER_NAMES, |plan| {
        plan.directory.extend(["    names_below: [\"*,", PEOPLE, "\"]\n"]);
    });
    for owner in ["ajones", "bsmith", "kmiller1", "kmiller2", "odd1", "odd2"] {
        give_mail(&wild.site, owner);
    }
    wild.all_open(
        &[
            "ajones",
            "Alan Jones",
            "Alan Jones/Hi/people",
            "uid=ajones,1.3.6.1.4.1.1466.0=#04024869,ou=people,dc=example,dc=org",
            "uid=ajones,1.3.6.1.4.1.1466.0=\\48\\69,ou=people,dc=example,dc=org",
        ],
        "pw-jones-1",
        "ajones",
    );
    wild.all_open(&["bsmith", "Bea Smith"], "pw-smith-1", "bsmith");
    // Namesakes are told apart by their parents, however these are written.
    wild.all_open(&["kmiller1", "Kim Miller/Hi/people"], "pw-miller-1", "kmiller1");
    wild.all_open(&["kmiller2", "Kim Miller/people"], "pw-miller-2", "kmiller2");
    wild.all_open(&["odd1", "Olga Odd/Sales, East/people", "Olga Odd/#1/people"], "pw-odd-1", "odd1");
    wild.all_open(&["odd2", "Olga Odd/people"], "pw-odd-2", "odd2");
    assert_eq!(log_in(&wild.service, "Kim Miller", "pw-miller-2"), Err(REFUSAL.to_owned()));
    assert_eq!(wild.findings("unreadable_entry"), [""; 0]);
    assert_eq!(wild.findings("ambiguous_name").len(), 2, "{:?}", wild.findings("ambiguous_name"));
}

/// Spelled so that they are no DNs, or no text at all.
const UNREADABLE: [&[(&[u8], &[u8])]; 2] = [
    &[(b"uid=kmiller1,", b"uid kmiller1,"), (b"cn=odd,", b"cn odd,")],
    &[(b"uid=kmiller1,", b"uid=km\xffller1,"), (b"cn=odd,", b"cn:odd,")],
];

/// "A DN that cannot be read concerns its owner alone: no group or namesake with an odd DN breaks another's login."
#[test]
fn a_dn_that_cannot_be_read_concerns_its_owner_alone() {
    for spellings in UNREADABLE {
        let directory = directory(BER_NAMES);
        let relay = LdapRelay::to(&directory.url());
        relay.set(Conduct::Spells(spellings));
        let wild = Wild::before(Box::new(directory), &relay.url(), |_| {});
        give_mail(&wild.site, "kmiller2");
        wild.all_open(&["kmiller2", "Kim Miller", "Kim Miller/people"], "pw-miller-2", "kmiller2");
        refuses(&wild.service, "kmiller1", "pw-miller-1", "AUTH");
        wild.service.wait_for_log(&["entry ignored: its DN cannot be parsed"]);
        assert_eq!(wild.findings("unreadable_entry").len(), 1);
    }
}

/// Only members of the group, also through groups within it, are let in.
fn for_members(plan: &mut Plan) {
    plan.directory.extend(["    allowed_group: \"cn=pop3,", PEOPLE, "\"\n"]);
}

fn lets_in_members_alone(wild: &Wild) {
    give_mail(&wild.site, "bsmith");
    opens(&wild.service, "bsmith", "pw-smith-1", "bsmith");
    refuses(&wild.service, "ajones", "pw-jones-1", "AUTH");
    wild.service.wait_for_log(&["login refused", "not in the group"]);
}

#[test]
fn a_group_whose_dn_cannot_be_read_leads_to_those_above_it() {
    let directory = directory(BER_NAMES);
    let relay = LdapRelay::to(&directory.url());
    relay.set(Conduct::Spells(UNREADABLE[0]));
    let wild = Wild::before(Box::new(directory), &relay.url(), for_members);
    lets_in_members_alone(&wild);
}

#[test]
fn a_group_with_a_strange_dn_lets_its_members_in() {
    let wild = Wild::embedded(BER_NAMES, for_members);
    lets_in_members_alone(&wild);
}

/// "Losers of a replication conflict are nobody, and `audit` lists them."
#[test]
fn losers_of_a_replication_conflict_are_ignored() {
    let wild = Wild::embedded(CONFLICT, |_| {});
    for owner in ["ajones", "bsmith", "cclerk"] {
        give_mail(&wild.site, owner);
    }
    for (name, mail, password, owner) in [
        ("Alan Jones", "alan.jones@example.org", "pw-jones-1", "ajones"),
        ("Bea Smith", "bea.smith@example.org", "pw-smith-1", "bsmith"),
        ("Carl Clerk", "carl.clerk@example.org", "pw-clerk-1", "cclerk"),
    ] {
        wild.all_open(&[owner, name, mail], password, owner);
    }
    for lost in ["pw-lost-1", "pw-lost-2", "pw-lost-3"] {
        for name in ["ajones", "bsmith", "cclerk"] {
            assert_eq!(log_in(&wild.service, name, lost), Err(REFUSAL.to_owned()));
        }
    }
    let loser = "nsuniqueid=66446001-1dd211b2-bc3aa8e3-01f6a8d2+uid=ajones,ou=people,dc=example,dc=org";
    assert_eq!(log_in(&wild.service, loser, "pw-lost-1"), Err(REFUSAL.to_owned()));
    wild.service.wait_for_log(&["login refused", loser, "lost a replication conflict"]);

    let lost = wild.findings("replication_conflict");
    assert_eq!(lost.len(), 6, "{lost:?}");
    assert!(lost.iter().any(|finding| finding.contains(loser)), "{lost:?}");
    assert_eq!(wild.findings("ambiguous_name"), [""; 0]);
    assert_eq!(wild.findings("shared_mailbox"), [""; 0]);
}

/// "One value that is no UTF-8 is nobody's name, the person's others go on."
#[test]
fn a_value_that_is_not_text_hides_no_other() {
    let wild = Wild::embedded(NOT_UTF8, |_| {});
    give_mail(&wild.site, "jmueller");
    give_mail(&wild.site, "kuehn");
    wild.all_open(&["jmueller", "Jürgen Müller", "juergen@example.org"], "pw-mueller-1", "jmueller");
    wild.all_open(&["kuehn", "Kurt Kuehn", "kurt@example.org"], "pw-kuehn-1", "kuehn");
    assert_eq!(wild.findings("unreadable_entry"), [""; 0]);
}

/// "Values prepared by RFC 4518 §2.6.1: a blank at an end is no part of a path."
#[test]
fn a_trailing_blank_of_a_value_is_not_part_of_a_path() {
    let slapd = Wild::slapd(TRAILING_BLANK, "", |_| {});
    let embedded = Wild::embedded(TRAILING_BLANK, |_| {});
    for wild in [slapd, embedded] {
        give_mail(&wild.site, "ajones");
        wild.all_open(&["ajones", "Alan Jones", "alan.jones@example.org"], "pw-jones-1", "ajones");
        let line = wild.service.wait_for_log(&[" event=login person="]);
        assert!(line.contains(" event=login person=\"ajones\" "), "{line}");
    }
    for field in ["mail", "mail|lower", "mail.domain"] {
        let path = format!("  path: \"{{{field}}}/{{short_name}}/Maildir\"\n");
        let wild = Wild::embedded(TRAILING_BLANK, |plan| plan.mailboxes = path);
        let owner = if field == "mail.domain" { "example.org/ajones" } else { "alan.jones@example.org/ajones" };
        give_mail(&wild.site, owner);
        opens(&wild.service, "ajones", "pw-jones-1", owner);
    }
}

/// A Maildir that was made for the value as it is stored, blank and all, is that person's as well: an empty maildrop in
/// its place would let every client forget its unique-ids.
#[test]
fn a_maildir_whose_name_ends_in_a_blank_is_still_theirs() {
    let wild = Wild::embedded(TRAILING_BLANK, |_| {});
    give_mail(&wild.site, "ajones ");
    opens(&wild.service, "ajones", "pw-jones-1", "ajones ");
    assert_eq!(wild.findings("unowned_mailbox"), [""; 0]);
    assert_eq!(wild.findings("no_mailbox").len(), 1, "bsmith alone has none");
    let told = wild.command(&["resolve", "ajones"]);
    assert!(told.contains("mail/ajones /Maildir"), "{told}");

    // With mail in both, neither may be shown as if it were all.
    give_mail(&wild.site, "ajones");
    refuses(&wild.service, "ajones", "pw-jones-1", "SYS/PERM");
    wild.service.wait_for_log(&["ajones /Maildir", "both"]);
    assert_eq!(wild.findings("unusable_mailbox").len() + wild.findings("outside_mail_root").len(), 1);

    // Where one of them is empty, the other is all there is.
    fs::remove_file(wild.site.maildir("ajones ").join("new/1.only")).unwrap();
    opens(&wild.service, "ajones", "pw-jones-1", "ajones");
}

/// As a real 389 Directory Server compares and keeps them: it takes composed and decomposed letters for different ones, and
/// shows the loser of a conflict to everybody who may search.
#[test]
fn a_real_389_directory_server_has_conflicts_and_compares_octets() {
    // Nobody but the server itself names an entry by its nsUniqueId.
    let loser = "\ndn: employeeNumber=66446001+uid=ajones,ou=Sales,ou=people,dc=renovations,dc=example\n\
                 objectClass: inetOrgPerson\nuid: ajones\ncn: Alan Jones\nsn: Jones\nmail: alan.jones@renovations.example\n\
                 userPassword: lost-password\n\
                 nsds5ReplConflict: namingConflict (ADD) uid=ajones,ou=sales,ou=people,dc=renovations,dc=example\n";
    let server = Ds389::start(&format!("{}\n{loser}", people::LDIF));
    let site = Site::new();
    let mut plan = Plan::at(&server.url()).and("refusal_step: 0s");
    plan.directory.push_str("    schema: 389ds\n");
    for owner in ["ajones", "jmueller"] {
        give_mail(&site, owner);
    }
    let service = site.serve(&plan);
    for name in ["ajones", "Alan Jones/Sales/people", "alan.jones@renovations.example"] {
        opens(&service, name, "violet-harbour-17", "ajones");
        refuses(&service, name, "lost-password", "AUTH");
    }
    for name in ["Jürgen Müller", "Jürgen Müller/Production/people"] {
        opens(&service, name, "grüne Äpfel", "jmueller");
        opens(&service, &decomposed(name), "grüne Äpfel", "jmueller");
    }
}

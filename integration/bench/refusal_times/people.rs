//! A directory with people for every kind of refusal.

use std::fmt::Write as _;
use std::ops::Range;

use restante::demo::people;

use super::support::scram::{SCHEMA, stored};
use super::support::slapd::{Options, Slapd};
use super::ways::{Mechanism, WAYS};

/// The beginning of a person's names, and what else stands in the entry.
pub(super) type Person = (&'static str, &'static str);

const DISABLED: &str = "nsAccountLock: true\n";
const LOCKED: &str = "pwdAccountLockedTime: 20260101000000Z\n";
const GONE: &str = "pwdEndTime: 20200101000000Z\n";
const RESET: &str = "pwdReset: TRUE\n";

pub(super) const OF_PASSWORDS: &[Person] = &[
    ("a", ""),
    ("b", ""),
    ("c", ""),
    ("d", ""),
    ("e", ""),
    ("f", ""),
    ("disabled", DISABLED),
    ("locked", LOCKED),
    ("gone", GONE),
    ("old", "pwdChangedTime: 20200101000000Z\n"),
    ("reset", RESET),
    ("outsider", ""),
];

pub(super) const OF_SCRAM: &[Person] = &[
    ("a", ""),
    ("b", ""),
    ("c", ""),
    ("d", ""),
    ("e", ""),
    ("f", ""),
    ("plain", ""),
    ("disabled", DISABLED),
    ("barred", DISABLED),
    ("locked", LOCKED),
    ("gone", GONE),
    ("reset", RESET),
    ("outsider", ""),
];

pub(super) const OF_CERTIFICATES: &[Person] = &[
    ("a", ""),
    ("b", ""),
    ("c", ""),
    ("f", ""),
    ("disabled", DISABLED),
    ("locked", LOCKED),
    ("gone", GONE),
    ("reset", RESET),
    ("outsider", ""),
];

pub(super) const OF_BOTH: &[Person] = &[
    ("a", ""),
    ("b", ""),
    ("c", ""),
    ("d", ""),
    ("e", ""),
    ("f", ""),
    ("g", ""),
    ("h", ""),
    ("j", ""),
    ("k", ""),
    ("m", ""),
    ("disabled", DISABLED),
    ("barred", DISABLED),
    ("locked", LOCKED),
];

pub(super) const OF_TOKENS: &[Person] = &[
    ("a", ""),
    ("b", ""),
    ("c", ""),
    ("d", ""),
    ("f", ""),
    ("disabled", DISABLED),
    ("locked", LOCKED),
    ("gone", GONE),
    ("reset", RESET),
    ("outsider", ""),
];

/// People without credentials for SCRAM.
const WITHOUT_SCRAM: &str = "plain";

/// A slapd with so many people of each kind for some of the ways; all certificates have the same key. Its policy makes it
/// look at the state of accounts, and lock none.
pub(super) fn directory(ways: &[usize], tries: usize, certificate: &str) -> Slapd {
    let base = people::BASE;
    let policy = format!(
        "\ndn: cn=policy,{base}\nobjectClass: applicationProcess\nobjectClass: pwdPolicy\ncn: policy\n\
         pwdAttribute: userPassword\npwdLockout: TRUE\npwdMaxAge: 8640000\npwdMustChange: TRUE\n"
    );
    let options = Options {
        global: format!(
            "moduleload ppolicy\n\
             attributetype ( 2.16.840.1.113730.3.1.610 NAME 'nsAccountLock' EQUALITY caseIgnoreMatch \
             SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )\n{SCHEMA}\n"
        ),
        further: format!(
            "index member,uniqueMember,memberUid eq\noverlay ppolicy\nppolicy_default \"cn=policy,{base}\"\n\
             ppolicy_use_lockout\n"
        ),
        ..Options::default()
    };
    let mut crowd = Crowd { entries: people::LDIF.to_owned(), ..Crowd::default() };
    for way in ways {
        crowd.add_all(*way, numbers(*way, tries), certificate);
    }
    let whole = format!("\ndn: cn=pop3,{base}\nobjectClass: groupOfNames\ncn: pop3\n");
    let Crowd { entries, parts, members } = crowd;
    Slapd::start_with(&format!("{entries}{policy}{parts}{whole}{members}"), &options)
}

/// The numbers of the people of a way.
pub(super) fn numbers(way: usize, tries: usize) -> Range<usize> {
    way * tries..(way + 1) * tries
}

/// The people, and the group that lets everybody in but the outsiders: a group of groups by uid.
#[derive(Default)]
struct Crowd {
    entries: String,
    parts: String,
    members: String,
}

impl Crowd {
    /// Those called n have no mail, each Twin there is twice.
    fn add_all(&mut self, way: usize, numbers: Range<usize>, certificate: &str) {
        let way = &WAYS[way];
        let scram = format!("authPassword: {}\n", stored("right", b"sixteen octets..", 4096));
        let of_way = match way.mechanism {
            Mechanism::Scram => &*scram,
            Mechanism::Certificate | Mechanism::PasswordAndCertificate => certificate,
            _ => "",
        };
        for i in numbers {
            let base = people::BASE;
            writeln!(self.members, "member: cn=part{i},{base}").unwrap();
            write!(self.parts, "\ndn: cn=part{i},{base}\nobjectClass: posixGroup\ncn: part{i}\ngidNumber: {i}\n")
                .unwrap();
            for (kind, further) in way.people {
                let uid = format!("{kind}{i}");
                let of_way = if *kind == WITHOUT_SCRAM { "" } else { of_way };
                self.add(&uid, &format!("Person {uid}"), &format!("{}{further}{of_way}", mail(&uid)), kind);
            }
            self.add(&format!("n{i}"), &format!("Person n{i}"), of_way, "n");
            for twin in ["s", "t"] {
                let uid = format!("{twin}{i}");
                self.add(&uid, &format!("Twin {i}"), &format!("{}{of_way}", mail(&uid)), twin);
            }
        }
    }

    fn add(&mut self, uid: &str, name: &str, further: &str, kind: &str) {
        write!(
            self.entries,
            "\ndn: uid={uid},{}\nobjectClass: inetOrgPerson\nobjectClass: extensibleObject\nuid: {uid}\ncn: {name}\n\
             sn: {name}\nuserPassword: right\n{further}",
            people::BASE
        )
        .unwrap();
        if kind != "outsider" {
            writeln!(self.parts, "memberUid: {uid}").unwrap();
        }
    }
}

fn mail(uid: &str) -> String {
    format!("mail: {uid}@renovations.example\n")
}

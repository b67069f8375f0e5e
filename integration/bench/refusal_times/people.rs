//! A directory with people for every kind of refusal.

use std::fmt::Write as _;

use restante::demo::people;

use super::support::slapd::{Options, Slapd};

/// People by the beginning of their names, with what else stands in their entries.
const PEOPLE: [(&str, &str); 12] = [
    ("a", ""),
    ("b", ""),
    ("c", ""),
    ("d", ""),
    ("e", ""),
    ("f", ""),
    ("disabled", "nsAccountLock: true\n"),
    ("locked", "pwdAccountLockedTime: 20260101000000Z\n"),
    ("gone", "pwdEndTime: 20200101000000Z\n"),
    ("old", "pwdChangedTime: 20200101000000Z\n"),
    ("reset", "pwdReset: TRUE\n"),
    ("outsider", ""),
];

/// A slapd with so many people of each kind. Its policy makes it look at the state of accounts, and lock none.
pub(super) fn directory(people: usize) -> Slapd {
    let base = people::BASE;
    let policy = format!(
        "\ndn: cn=policy,{base}\nobjectClass: applicationProcess\nobjectClass: pwdPolicy\ncn: policy\n\
         pwdAttribute: userPassword\npwdLockout: TRUE\npwdMaxAge: 8640000\npwdMustChange: TRUE\n"
    );
    let options = Options {
        global: "moduleload ppolicy\n\
                 attributetype ( 2.16.840.1.113730.3.1.610 NAME 'nsAccountLock' EQUALITY caseIgnoreMatch \
                 SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )\n"
            .to_owned(),
        further: format!(
            "index member,uniqueMember,memberUid eq\noverlay ppolicy\nppolicy_default \"cn=policy,{base}\"\n\
             ppolicy_use_lockout\n"
        ),
        ..Options::default()
    };
    Slapd::start_with(&format!("{}{policy}{}", crowd(people), groups(people)), &options)
}

/// The sample people, and people for every kind; those called n have no mail, each Twin there is twice.
fn crowd(people: usize) -> String {
    let mut text = people::LDIF.to_owned();
    let mut add = |uid: String, name: String, further: &str| {
        write!(
            text,
            "\ndn: uid={uid},{}\nobjectClass: inetOrgPerson\nobjectClass: extensibleObject\nuid: {uid}\ncn: {name}\n\
             sn: {name}\nuserPassword: right\n{further}",
            people::BASE
        )
        .unwrap();
    };
    for i in 0..people {
        for (kind, further) in PEOPLE {
            let uid = format!("{kind}{i}");
            add(uid.clone(), format!("Person {uid}"), &format!("mail: {uid}@renovations.example\n{further}"));
        }
        add(format!("n{i}"), format!("Person n{i}"), "");
        for twin in ["s", "t"] {
            add(format!("{twin}{i}"), format!("Twin {i}"), &format!("mail: {twin}{i}@renovations.example\n"));
        }
    }
    text
}

/// The group that lets everybody in but the outsiders: a group of groups by uid.
fn groups(people: usize) -> String {
    let base = people::BASE;
    let (mut parts, mut whole) =
        (String::new(), format!("\ndn: cn=pop3,{base}\nobjectClass: groupOfNames\ncn: pop3\n"));
    for i in 0..people {
        writeln!(whole, "member: cn=part{i},{base}").unwrap();
        write!(parts, "\ndn: cn=part{i},{base}\nobjectClass: posixGroup\ncn: part{i}\ngidNumber: {i}\n").unwrap();
        for kind in PEOPLE.iter().map(|(kind, _)| *kind).chain(["n", "s", "t"]).filter(|kind| *kind != "outsider") {
            writeln!(parts, "memberUid: {kind}{i}").unwrap();
        }
    }
    format!("{parts}{whole}")
}

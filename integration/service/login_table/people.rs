//! The people of the table, one for each state of an account, and the groups that let them in.

use std::fmt::Write as _;

use restante::demo::people::{BASE, LDIF};

use super::states::{STATES, State};

/// The group whose members may use the service; all but one are in a group within it.
pub(super) const GROUP: &str = "cn=fetchers,ou=groups,ou=people,dc=renovations,dc=example";

/// Somebody with every kind of name, none of which anybody else has.
pub(super) struct Person {
    pub(super) short: &'static str,
    pub(super) first: &'static str,
    pub(super) last: &'static str,
    /// What their maildrop is called.
    pub(super) number: &'static str,
}

impl Person {
    pub(super) fn common_name(&self) -> String {
        format!("{} {}", self.first, self.last)
    }

    pub(super) fn alias(&self) -> String {
        format!("Good Old {}", self.first)
    }

    pub(super) fn mail(&self) -> String {
        format!("{}.{}@renovations.example", self.first, self.last)
    }

    pub(super) fn further_mail(&self) -> String {
        format!("{}@sales.renovations.example", self.last)
    }

    pub(super) fn principal_name(&self) -> String {
        format!("{}@renovations.example", self.short)
    }

    pub(super) fn password(&self) -> String {
        format!("the {} of {}", self.number, self.first)
    }

    /// Where their entry lies; Active Directory has another DN.
    fn dn(&self) -> String {
        format!("uid={},ou=Sales,{BASE}", self.short)
    }
}

/// The sample people, those of the table, and their groups.
pub(super) fn ldif() -> String {
    let mut text = format!("{LDIF}\n");
    for (state, person) in STATES.iter().map(|row| (row.state, &row.person)) {
        text += &entry(state, person);
    }
    write!(text, "dn: cn=insiders,ou=groups,{BASE}\nobjectClass: groupOfNames\ncn: insiders\n").unwrap();
    for row in STATES.iter().filter(|row| row.state != State::NotInGroup) {
        writeln!(text, "member: {}", row.person.dn()).unwrap();
    }
    write!(text, "\ndn: {GROUP}\nobjectClass: groupOfNames\ncn: fetchers\nmember: cn=insiders,ou=groups,{BASE}\n")
        .unwrap();
    text
}

fn entry(state: State, person: &Person) -> String {
    let switch = if state == State::SwitchedOff { "none" } else { "mail" };
    let Person { short, first, last, number } = person;
    let mut text = format!(
        "dn: {}\nobjectClass: inetOrgPerson\nobjectClass: shadowAccount\nuid: {short}\ncn: {}\ncn: {}\ngivenName: {first}\n\
         sn: {last}\nmail: {}\nmail: {}\nemployeeType: {switch}\nuserPassword: {}\n",
        person.dn(),
        person.common_name(),
        person.alias(),
        person.mail(),
        person.further_mail(),
        person.password()
    );
    if state != State::NoMailbox {
        writeln!(text, "employeeNumber: {number}").unwrap();
    }
    text + "\n"
}

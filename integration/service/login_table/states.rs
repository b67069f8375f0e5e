//! The states of an account, whose they are, and what comes of a login in each.

use Told::{Opened, Refused};

use super::Server::{self, Ds389, Samba, Slapd};
use super::names::Lacking;
use super::people::Person;

/// Everything that an account can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Free,
    WrongPassword,
    Disabled,
    Locked,
    NotYet,
    AccountExpired,
    PasswordExpired,
    MustChange,
    GraceLogin,
    NotInGroup,
    SwitchedOff,
    NoMailbox,
}

/// What comes of a login under a name that the policy has, as the log tells it. A client learns no more than yes or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// The mail is opened; the proof begins with these words.
    Opened(&'static str),
    /// The reason begins with these words.
    Refused(&'static str),
}

/// A state, and who is in it.
pub(super) struct Row {
    pub(super) state: State,
    pub(super) person: Person,
    told: Told,
    /// Where it is told otherwise, and why.
    otherwise: &'static [(Server, Told, &'static str)],
    /// The servers that cannot hold such a state.
    pub(super) nowhere_in: &'static [Lacking],
}

#[rustfmt::skip]
pub(super) const STATES: [Row; 12] = [
    row(State::Free,            who("fmoor", "Fiona", "Moor", "1001"), Opened("bind")),
    row(State::WrongPassword,   who("wpike", "Wanda", "Pike", "1002"), Refused("wrong password")),
    row(State::Disabled,        who("dhale", "Doris", "Hale", "1003"), Refused("account disabled"))
        .otherwise(&[(Slapd, Refused("account locked"), "an account is disabled there by a lock without end")]),
    row(State::Locked,          who("lbush", "Leo",   "Bush", "1004"), Refused("account locked")),
    row(State::NotYet,          who("nfern", "Nils",  "Fern", "1005"), Refused("account not valid yet"))
        .not_in(&[Lacking(Ds389, "pwdStartTime", "accounts have no beginning there"),
                  Lacking(Samba, "pwdStartTime", "accounts have no beginning there")]),
    row(State::AccountExpired,  who("eglen", "Edna",  "Glen", "1006"), Refused("account expired")),
    row(State::PasswordExpired, who("pvane", "Paul",  "Vane", "1007"), Refused("password expired")),
    row(State::MustChange,      who("mrook", "Mona",  "Rook", "1008"), Refused("password must be changed first")),
    row(State::GraceLogin,      who("gwolf", "Gina",  "Wolf", "1009"), Opened("grace login, "))
        .not_in(&[Lacking(Samba, "pwdGraceUseTime", "an expired password has no logins left there")]),
    row(State::NotInGroup,      who("ocove", "Olaf",  "Cove", "1010"), Refused("not in the group cn=fetchers,")),
    row(State::SwitchedOff,     who("sdune", "Sven",  "Dune", "1011"), Refused("switched off by the attribute employeeType")),
    row(State::NoMailbox,       who("bhill", "Bert",  "Hill", "1012"), Refused("no maildrop: the entry has no value for {attr:employeeNumber}")),
];

const fn row(state: State, person: Person, told: Told) -> Row {
    Row { state, person, told, otherwise: &[], nowhere_in: &[] }
}

const fn who(short: &'static str, first: &'static str, last: &'static str, number: &'static str) -> Person {
    Person { short, first, last, number }
}

impl Row {
    const fn otherwise(self, otherwise: &'static [(Server, Told, &'static str)]) -> Self {
        Self { otherwise, ..self }
    }

    const fn not_in(self, nowhere_in: &'static [Lacking]) -> Self {
        Self { nowhere_in, ..self }
    }

    /// What is typed as the password: the right one, unless it is the wrong one that is tried.
    pub(super) fn password(&self) -> String {
        let right = self.person.password();
        if self.state == State::WrongPassword { format!("not {right}") } else { right }
    }

    /// What comes of a login at one of the servers.
    pub(super) fn told_by(&self, server: Server) -> Told {
        let otherwise = self.otherwise.iter().find(|(other, ..)| *other == server);
        otherwise.map_or(self.told, |(_, told, _)| *told)
    }
}

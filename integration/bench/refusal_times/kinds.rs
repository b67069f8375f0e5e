//! The kinds of refusal, and what leads to each.

const WRONG: [&str; 5] = ["one", "two", "three", "four", "five"];

#[path = "kinds/certificates.rs"]
mod certificates;
#[path = "kinds/scram.rs"]
mod scram;
#[path = "kinds/tokens.rs"]
mod tokens;

pub(super) use certificates::{OF_BOTH, OF_CERTIFICATES};
pub(super) use scram::OF_SCRAM;
pub(super) use tokens::OF_TOKENS;

/// Name and password.
pub(super) type Pair = (String, String);

/// A kind of refusal: how it is called, its words in the log, what is sent before (by USER and PASS) and what is tried.
pub(super) struct Kind {
    pub(super) name: &'static str,
    pub(super) reason: &'static str,
    pub(super) before: fn(usize) -> Vec<Pair>,
    pub(super) tried: fn(usize) -> Attempt,
    pub(super) history: History,
}

/// The credentials of one try; which parts count depends on the way.
#[derive(Default)]
pub(super) struct Attempt {
    /// Name and password; of a token, the mail address that it is about.
    pub(super) pair: Pair,
    /// The authorization identity that the client sends; empty for none.
    pub(super) authorization: String,
    /// The common name of the certificate that is shown.
    pub(super) certificate: String,
    /// Certificate or token are not signed as they must be.
    pub(super) is_forged: bool,
    /// The token has expired.
    pub(super) has_expired: bool,
}

impl From<Pair> for Attempt {
    fn from(pair: Pair) -> Self {
        Self { pair, ..Self::default() }
    }
}

/// What counts against a try when it comes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum History {
    None,
    /// The name's wrong passwords were too many.
    OfName,
    /// The network's were: what was sent before came from the same address.
    OfNetwork,
}

impl History {
    /// By how many steps a refusal is later for it.
    pub(super) fn steps(self) -> u32 {
        if self == Self::None { 0 } else { 4 }
    }
}

fn nothing(_: usize) -> Vec<Pair> {
    Vec::new()
}

fn pair(name: String, password: &str) -> Pair {
    (name, password.to_owned())
}

fn by_pair(name: String, password: &str) -> Attempt {
    pair(name, password).into()
}

fn five(name: &str) -> Vec<Pair> {
    WRONG.iter().map(|password| pair(name.to_owned(), password)).collect()
}

/// Wrong passwords of five others.
fn five_others(i: usize) -> Vec<Pair> {
    (0..5).map(|other| pair(format!("other{other}of{i}"), "x")).collect()
}

/// One without history.
const fn kind(name: &'static str, reason: &'static str, tried: fn(usize) -> Attempt) -> Kind {
    Kind { name, reason, before: nothing, tried, history: History::None }
}

/// One from a network with too many refused logins.
const fn from_locked_network(tried: fn(usize) -> Attempt) -> Kind {
    Kind { before: five_others, history: History::OfNetwork, ..kind("locked out, network", OF_NETWORK, tried) }
}

const OF_PERSON: &str = "locked out: too many wrong passwords for this person";
const OF_NAME: &str = "locked out: too many wrong passwords for this name";
const OF_NETWORK: &str = "locked out: too many refused logins from this network";

/// Lock-outs by the name, which passwords and SCRAM proofs meet alike.
const LOCKED_OUT: Kind = Kind {
    before: |i| five(&format!("d{i}")),
    history: History::OfName,
    ..kind("locked out", OF_PERSON, |i| by_pair(format!("d{i}"), "x"))
};
const LOCKED_OUT_RIGHT: Kind = Kind {
    before: |i| five(&format!("e{i}")),
    history: History::OfName,
    ..kind("locked out, right", OF_PERSON, |i| by_pair(format!("e{i}"), "right"))
};
const LOCKED_OUT_UNKNOWN: Kind = Kind {
    before: |i| five(&format!("stranger{i}")),
    history: History::OfName,
    ..kind("locked out, unknown", OF_NAME, |i| by_pair(format!("stranger{i}"), "x"))
};

pub(super) const OF_PASSWORDS: &[Kind] = &[
    kind("unknown name", "no such login name", |i| by_pair(format!("nobody{i}"), "x")),
    kind("wrong password", "\"wrong password\"", |i| by_pair(format!("a{i}"), "x")),
    Kind {
        before: |i| vec![pair(format!("b{i}"), "x")],
        ..kind("refused before", "wrong password, refused before", |i| by_pair(format!("b{i}"), "x"))
    },
    kind("ambiguous", "ambiguous: ", |i| by_pair(format!("Twin {i}"), "right")),
    kind("no mailbox", "no maildrop: ", |i| by_pair(format!("n{i}"), "right")),
    kind("outside policy", "not a kind of name that", |i| by_pair(format!("uid=a{i},dc=else"), "x")),
    kind("no password", "empty password", |i| by_pair(format!("c{i}"), "")),
    kind("no name", "login name contains a control character", |i| by_pair(format!("a\u{1}{i}"), "x")),
    kind("disabled", "account disabled", |i| by_pair(format!("disabled{i}"), "right")),
    kind("locked", "account locked", |i| by_pair(format!("locked{i}"), "right")),
    kind("account expired", "account expired", |i| by_pair(format!("gone{i}"), "right")),
    kind("password expired", "password expired", |i| by_pair(format!("old{i}"), "right")),
    kind("must change", "password must be changed first", |i| by_pair(format!("reset{i}"), "right")),
    kind("not in group", "not in the group ", |i| by_pair(format!("outsider{i}"), "right")),
    LOCKED_OUT,
    LOCKED_OUT_RIGHT,
    LOCKED_OUT_UNKNOWN,
    from_locked_network(|i| by_pair(format!("f{i}"), "right")),
];

//! The kinds of refusal, and what leads to each.

const WRONG: [&str; 5] = ["one", "two", "three", "four", "five"];

/// Name and password.
pub(super) type Pair = (String, String);

/// A kind of refusal: how it is called, its words in the log, what is sent before and what is tried.
pub(super) struct Kind {
    pub(super) name: &'static str,
    pub(super) reason: &'static str,
    pub(super) before: fn(usize) -> Vec<Pair>,
    pub(super) tried: fn(usize) -> Pair,
    pub(super) history: History,
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

fn five(name: &str) -> Vec<Pair> {
    WRONG.iter().map(|password| pair(name.to_owned(), password)).collect()
}

/// One without history.
const fn kind(name: &'static str, reason: &'static str, tried: fn(usize) -> Pair) -> Kind {
    Kind { name, reason, before: nothing, tried, history: History::None }
}

const OF_PERSON: &str = "locked out: too many wrong passwords of this person";
const OF_NAME: &str = "locked out: too many wrong passwords of this name";
const OF_NETWORK: &str = "locked out: too many refused logins from this network";

pub(super) const KINDS: &[Kind] = &[
    kind("unknown name", "nobody has that name", |i| pair(format!("nobody{i}"), "x")),
    kind("wrong password", "wrong password ", |i| pair(format!("a{i}"), "x")),
    Kind {
        before: |i| vec![pair(format!("b{i}"), "x")],
        ..kind("refused before", "wrong password, refused before", |i| pair(format!("b{i}"), "x"))
    },
    kind("ambiguous", "ambiguous: ", |i| pair(format!("Twin {i}"), "right")),
    kind("no mailbox", "no maildrop: ", |i| pair(format!("n{i}"), "right")),
    kind("outside policy", "the name policy has no kind", |i| pair(format!("uid=a{i},dc=else"), "x")),
    kind("no password", "empty password", |i| pair(format!("c{i}"), "")),
    kind("no name", "login name contains a control character", |i| pair(format!("a\u{1}{i}"), "x")),
    kind("disabled", "account disabled", |i| pair(format!("disabled{i}"), "right")),
    kind("locked", "account locked", |i| pair(format!("locked{i}"), "right")),
    kind("account expired", "account expired", |i| pair(format!("gone{i}"), "right")),
    kind("password expired", "password expired", |i| pair(format!("old{i}"), "right")),
    kind("must change", "password must be changed first", |i| pair(format!("reset{i}"), "right")),
    kind("not in group", "not in the group ", |i| pair(format!("outsider{i}"), "right")),
    Kind {
        before: |i| five(&format!("d{i}")),
        history: History::OfName,
        ..kind("locked out", OF_PERSON, |i| pair(format!("d{i}"), "x"))
    },
    Kind {
        before: |i| five(&format!("e{i}")),
        history: History::OfName,
        ..kind("locked out, right", OF_PERSON, |i| pair(format!("e{i}"), "right"))
    },
    Kind {
        before: |i| five(&format!("stranger{i}")),
        history: History::OfName,
        ..kind("locked out, unknown", OF_NAME, |i| pair(format!("stranger{i}"), "x"))
    },
    Kind {
        before: |i| (0..5).map(|other| pair(format!("other{other}of{i}"), "x")).collect(),
        history: History::OfNetwork,
        ..kind("locked out, network", OF_NETWORK, |i| pair(format!("f{i}"), "right"))
    },
];

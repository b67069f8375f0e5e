//! Refused SCRAM logins. The time is that of the reply to the proof; the challenge's is what `challenge_times` measures.

use super::{
    Attempt, Kind, LOCKED_OUT, LOCKED_OUT_RIGHT, LOCKED_OUT_UNKNOWN, by_pair, from_locked_network, kind, pair,
};

fn acting_as(name: String, password: &str, authorization: String) -> Attempt {
    Attempt { pair: pair(name, password), authorization, ..Attempt::default() }
}

pub(in super::super) const OF_SCRAM: &[Kind] = &[
    kind("unknown name", "no such login name", |i| by_pair(format!("nobody{i}"), "x")),
    kind("wrong proof", "\"wrong password\"", |i| by_pair(format!("a{i}"), "x")),
    kind("no credentials", "the entry has no SCRAM", |i| by_pair(format!("plain{i}"), "right")),
    kind("ambiguous", "ambiguous: ", |i| by_pair(format!("Twin {i}"), "right")),
    kind("no mailbox", "no maildrop: ", |i| by_pair(format!("n{i}"), "right")),
    kind("outside policy", "not a kind of name that", |i| by_pair(format!("uid=a{i},dc=else"), "x")),
    kind("disabled", "account disabled", |i| by_pair(format!("disabled{i}"), "right")),
    kind("disabled, wrong", "account disabled", |i| by_pair(format!("barred{i}"), "x")),
    kind("locked", "account locked", |i| by_pair(format!("locked{i}"), "right")),
    kind("account expired", "account expired", |i| by_pair(format!("gone{i}"), "right")),
    kind("must change", "password must be changed first", |i| by_pair(format!("reset{i}"), "right")),
    kind("not in group", "not in the group ", |i| by_pair(format!("outsider{i}"), "right")),
    kind("another's name", "not a name of this person", |i| {
        acting_as(format!("b{i}"), "right", format!("Person a{i}"))
    }),
    kind("another's, wrong", "\"wrong password\"", |i| acting_as(format!("c{i}"), "x", format!("Person a{i}"))),
    LOCKED_OUT,
    LOCKED_OUT_RIGHT,
    LOCKED_OUT_UNKNOWN,
    from_locked_network(|i| by_pair(format!("f{i}"), "right")),
];

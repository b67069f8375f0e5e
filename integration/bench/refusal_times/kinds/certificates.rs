//! Refused certificates, alone and besides a password. Each try shows a certificate of its own, as somebody does who has
//! stolen or kept one: nothing is cached of it.

use super::{Attempt, Kind, from_locked_network, kind, pair};

fn alone(common_name: String) -> Attempt {
    Attempt { certificate: common_name, ..Attempt::default() }
}

fn acting_as(common_name: String, authorization: String) -> Attempt {
    Attempt { authorization, ..alone(common_name) }
}

fn both(common_name: String, name: String, password: &str) -> Attempt {
    Attempt { pair: pair(name, password), ..alone(common_name) }
}

pub(in super::super) const OF_CERTIFICATES: &[Kind] = &[
    kind("unknown subject", "no person found for the certificate: no entry fits", |i| alone(format!("Nobody {i}"))),
    kind("another key", "no person found for the certificate: its key is not", |i| Attempt {
        is_forged: true,
        ..alone(format!("Person a{i}"))
    }),
    kind("ambiguous", "ambiguous: ", |i| alone(format!("Twin {i}"))),
    kind("disabled", "account disabled", |i| alone(format!("Person disabled{i}"))),
    kind("locked", "account locked", |i| alone(format!("Person locked{i}"))),
    kind("account expired", "account expired", |i| alone(format!("Person gone{i}"))),
    kind("must change", "password must be changed first", |i| alone(format!("Person reset{i}"))),
    kind("not in group", "not in the group ", |i| alone(format!("Person outsider{i}"))),
    kind("no mailbox", "no maildrop: ", |i| alone(format!("Person n{i}"))),
    kind("another's name", "not a name of the certificate's owner", |i| {
        acting_as(format!("Person b{i}"), format!("a{i}"))
    }),
    kind("nobody's name", "not a name of the certificate's owner", |i| {
        acting_as(format!("Person c{i}"), format!("nobody{i}"))
    }),
    from_locked_network(|i| alone(format!("Person f{i}"))),
];

pub(in super::super) const OF_BOTH: &[Kind] = &[
    kind("own, wrong", "\"wrong password\"", |i| both(format!("Person a{i}"), format!("a{i}"), "x")),
    kind("another's, right", "another person's", |i| both(format!("Person b{i}"), format!("c{i}"), "right")),
    kind("another's, wrong", "another person's", |i| both(format!("Person d{i}"), format!("e{i}"), "x")),
    kind("another's, unknown", "no such login name", |i| both(format!("Person f{i}"), format!("nobody{i}"), "x")),
    kind("another's, ambiguous", "ambiguous: ", |i| both(format!("Person g{i}"), format!("Twin {i}"), "right")),
    kind("another's, disabled", "account disabled", |i| both(format!("Person h{i}"), format!("barred{i}"), "right")),
    kind("own, disabled", "account disabled", |i| both(format!("Person disabled{i}"), format!("disabled{i}"), "right")),
    kind("own, locked", "account locked", |i| both(format!("Person locked{i}"), format!("locked{i}"), "right")),
    kind("nobody's, right", "no person found for the certificate", |i| {
        both(format!("Nobody {i}"), format!("j{i}"), "right")
    }),
    kind("nobody's, wrong", "no person found for the certificate", |i| {
        both(format!("No person {i}"), format!("k{i}"), "x")
    }),
    kind("nobody's, unknown", "no such login name", |i| both(format!("Unknown {i}"), format!("stranger{i}"), "x")),
    from_locked_network(|i| both(format!("Person m{i}"), format!("m{i}"), "right")),
];

//! Refused tokens.

use super::{Attempt, Kind, from_locked_network, kind, pair};

fn about(name: &str) -> Attempt {
    pair(format!("{name}@renovations.example"), "").into()
}

pub(in super::super) const OF_TOKENS: &[Kind] = &[
    kind("nobody's", "no such login name", |i| about(&format!("nobody{i}"))),
    kind("expired", "token expired ", |i| Attempt { has_expired: true, ..about(&format!("a{i}")) }),
    kind("wrong signature", "token with a wrong signature", |i| Attempt { is_forged: true, ..about(&format!("b{i}")) }),
    kind("disabled", "account disabled", |i| about(&format!("disabled{i}"))),
    kind("locked", "account locked", |i| about(&format!("locked{i}"))),
    kind("account expired", "account expired", |i| about(&format!("gone{i}"))),
    kind("must change", "password must be changed first", |i| about(&format!("reset{i}"))),
    kind("not in group", "not in the group ", |i| about(&format!("outsider{i}"))),
    kind("another's name", "not a name of the token's owner", |i| Attempt {
        authorization: format!("a{i}"),
        ..about(&format!("c{i}"))
    }),
    kind("nobody's name", "not a name of the token's owner", |i| Attempt {
        authorization: format!("nobody{i}"),
        ..about(&format!("d{i}"))
    }),
    from_locked_network(|i| about(&format!("f{i}"))),
];

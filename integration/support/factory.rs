//! A second directory beside that of the sample people: another suffix, other people, some with names that somebody there
//! has, too.

use std::fmt::Write as _;

use super::service::Plan;
use super::slapd::{Options, Slapd};

/// Its entries.
pub const LDIF: &str = include_str!("factory.ldif");
/// Below which its people are found.
pub const BASE: &str = "ou=people,o=factory";
/// The service's own entry there.
pub const SERVICE: &str = "cn=restante,o=factory";

/// A real slapd with its people, which anybody may search.
pub fn slapd() -> Slapd {
    slapd_with(Options::default())
}

/// The same, set up differently.
pub fn slapd_with(options: Options) -> Slapd {
    Slapd::start_with(LDIF, &Options { anybody_reads: true, ..options })
}

/// Lets a plan ask it as well, with further lines of its own; the plan's first directory is called `test`.
pub fn join(plan: &mut Plan, url: &str, lines: &str) {
    let second = format!("  - name: factory\n    urls: [\"{url}\"]\n    base: \"{BASE}\"\n{lines}");
    plan.directory.write_str(&second).unwrap();
}

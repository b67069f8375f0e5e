//! The commands that explain, as an administrator runs them: `resolve` and `audit` against slapd, `flush` against a
//! running service.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a fault here is a failed test"
)]

mod support;

#[path = "commands/acting.rs"]
mod acting;
#[path = "commands/audit.rs"]
mod audit;
#[path = "commands/check.rs"]
mod check;
#[path = "commands/check_authorities.rs"]
mod check_authorities;
#[path = "commands/check_certificates.rs"]
mod check_certificates;
#[path = "commands/clock.rs"]
mod clock;
#[path = "commands/expire.rs"]
mod expire;
#[path = "commands/flush.rs"]
mod flush;
#[path = "commands/index.rs"]
mod index;
#[path = "commands/many.rs"]
mod many;
#[path = "commands/renamed.rs"]
mod renamed;
#[path = "commands/resolve.rs"]
mod resolve;
#[path = "commands/retention.rs"]
mod retention;
#[path = "commands/several.rs"]
mod several;
#[path = "commands/undelete.rs"]
mod undelete;

use std::fs;

use support::service::{Plan, Site, restante};
use support::slapd::output;

/// How a command ended.
struct Ended {
    status: i32,
    /// Standard output.
    told: String,
    /// Standard error.
    complained: String,
}

/// Runs a command with the site's configuration.
fn command(site: &Site, words: &[&str], input: &str) -> Ended {
    let file = site.folder().join("restante.yaml");
    let (first, rest) = words.split_first().unwrap();
    let output = output(restante().arg(first).arg("--config").arg(file).args(rest), input);
    let text = |octets: Vec<u8>| String::from_utf8(octets).unwrap();
    Ended {
        status: output.status.code().expect("ended by a signal"),
        told: text(output.stdout),
        complained: text(output.stderr),
    }
}

/// A site with a configuration that nobody serves.
fn configured(plan: &Plan) -> Site {
    let site = Site::new();
    fs::write(site.folder().join("restante.yaml"), plan.yaml()).unwrap();
    site
}

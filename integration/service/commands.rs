//! The commands that explain, as an administrator runs them: `resolve` and `audit` against slapd, `flush` against a
//! running service.

mod acting;
mod audit;
mod check;
mod check_authorities;
mod check_certificate;
mod client_settings;
mod clock;
mod configuration;
mod expire;
mod flush;
mod index;
mod machine;
mod many;
mod renamed;
mod resolve;
mod retention;
mod several;
mod undelete;

use std::fs;

use crate::support::process::output;
use crate::support::service::{Plan, Site, restante};

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
    let output = output(&mut site.command(words), input);
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

//! `restante init`: from an existing directory to the first mail, and every reason not to write a configuration.

mod refusals;
mod servers;
mod terminal;

use std::fs;
use std::process::Command;

use restante::demo::people::SERVICE;

use crate::support::conversation::{Conversation, trusting};
use crate::support::login::opened;
use crate::support::process::output;
use crate::support::service::{Plan, Site, restante};
use crate::support::stage::{NAME, PASSWORD};

/// How `init` ended.
struct Initialised {
    status: i32,
    /// Standard output.
    said: String,
    /// Standard error.
    complained: String,
}

/// `restante init` of a directory, which writes `restante.yaml` into the site's folder.
fn command(site: &Site, url: &str, options: &[&str]) -> Command {
    let mut command = restante();
    command.args(["init", url, "--output"]).arg(site.folder().join("restante.yaml")).args(options);
    command
}

/// Runs it without a terminal.
fn init(site: &Site, url: &str, options: &[&str]) -> Initialised {
    let output = output(&mut command(site, url, options), "");
    let text = |octets: Vec<u8>| String::from_utf8(octets).unwrap();
    Initialised {
        status: output.status.code().expect("ended by a signal"),
        said: text(output.stdout),
        complained: text(output.stderr),
    }
}

/// A file of the site, as an option has it.
fn file(site: &Site, name: &str) -> String {
    site.folder().join(name).display().to_string()
}

/// The options of the service's entry, the certificate that clients are shown, and the mail root.
fn usual(site: &Site) -> Vec<String> {
    let file = |name| file(site, name);
    let pairs = [
        ("--bind", SERVICE.to_owned()),
        ("--password-file", file("ldap.password")),
        ("--mail-root", file("mail")),
        ("--tls-chain", file("tls/server.pem")),
        ("--tls-key", file("tls/server.key")),
    ];
    pairs.into_iter().flat_map(|(option, value)| [option.to_owned(), value]).collect()
}

/// The same, and further ones.
fn init_as_usual(site: &Site, url: &str, further: &[&str]) -> Initialised {
    let usual = usual(site);
    let options: Vec<&str> = usual.iter().map(String::as_str).chain(further.iter().copied()).collect();
    init(site, url, &options)
}

/// What was written.
fn written(site: &Site) -> String {
    fs::read_to_string(site.folder().join("restante.yaml")).unwrap()
}

/// Checks the written file as it stands, serves it on other ports, logs in as `ajones` under TLS, and fetches the mail.
fn check_and_fetch(site: &Site) {
    let checked = output(&mut site.command(&["check"]), "");
    let said = String::from_utf8([checked.stdout, checked.stderr].concat()).unwrap();
    assert_eq!(checked.status.code(), Some(0), "{said}\n{}", written(site));
    let text = written(site).replace("[::]:110", "127.0.0.1:0").replace("[::]:995", "127.0.0.1:0");
    let service = site.serve_by(&Plan::at(""), |_| fs::write(site.folder().join("restante.yaml"), &text).unwrap());
    let mut client = Conversation::tls(service.pop3s(), NAME, &trusting(&site.authority()));
    client.expect("+OK");
    client.ask("USER ajones", "+OK");
    client.send(&format!("PASS {PASSWORD}"));
    let reply = client.line();
    assert_eq!(opened(&mut client, reply).as_deref(), Ok("ajones"));
}

//! `restante demo`: the whole service on this machine, to try it.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;

use anyhow::{Context as _, anyhow};

use super::acting::quoted;
use super::serve::run;
use super::{ExitStatus, report_error};
use crate::config;
use crate::demo::people::{BASE, DemoPerson, SERVICE, service_password};
use crate::demo::{Demo, Ports, forms};
use crate::directory::Directory;
use crate::logging;
use crate::names::Policy;
use crate::server::{HandedOverSockets, Server, keep_free_memory, raise_descriptor_limit};

/// The ports that the demonstration uses if they are free; 110, 995 and 389 require root.
const PREFERRED: Ports = Ports { pop3: 1110, pop3s: 1995, ldap: 1389, http: 9110 };

pub(super) fn demo(keep: Option<&Path>) -> ExitStatus {
    match try_demo(keep) {
        Ok(()) => ExitStatus::Success,
        Err(fault) => {
            report_error(&format!("{fault:#}"));
            ExitStatus::ProblemFound
        }
    }
}

#[allow(clippy::print_stdout, reason = "the demonstration talks to its user")]
fn try_demo(keep: Option<&Path>) -> anyhow::Result<()> {
    keep_free_memory();
    let _ = raise_descriptor_limit();
    let throw_away = tempfile::Builder::new().prefix("restante-demo-").tempdir()?;
    let folder = match keep {
        Some(folder) => std::path::absolute(folder)?,
        None => throw_away.path().to_owned(),
    };
    let Ports { pop3, pop3s, ldap, http } = PREFERRED;
    let ports = Ports { pop3: free(pop3)?, pop3s: free(pop3s)?, ldap: free(ldap)?, http: free(http)? };
    let mut demo = Demo::lay_out(&folder, ports)?;
    let _directory = demo.start_directory()?;
    let configuration = config::load(&demo.configuration()).map_err(|faults| anyhow!("{faults}"))?;
    let _log = logging::start(configuration.logging).map_err(|fault| anyhow!(fault))?;
    let server = Server::bind(&configuration.server, HandedOverSockets::default())
        .map_err(|faults| anyhow!("{}", faults.join("; ")))?;
    let people = introduce(&demo, &configuration)?;
    println!("{}\n{people}\n{}", how_to_try(&demo, ports)?, how_to_end(keep, &demo));
    run(server, configuration)?;
    println!("{}", farewell(keep, &folder));
    Ok(())
}

/// A port of 127.0.0.1: the preferred one, or any if that is in use.
fn free(preferred: u16) -> anyhow::Result<u16> {
    let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, preferred))
        .or_else(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
        .context("no port is free")?;
    Ok(socket.local_addr()?.port())
}

fn how_to_try(demo: &Demo, ports: Ports) -> anyhow::Result<String> {
    let Ports { pop3, pop3s, ldap, http } = ports;
    let ca = quoted(&demo.authority().display().to_string());
    let first = demo.people().first().context("the demonstration has no people")?;
    let user = quoted(&format!("{}:{}", first.short_name, first.password));
    let service = quoted(&service_password()?);
    Ok(format!(
        "Restante is running. Paste a line into another terminal:

  a list of {name}'s mail over POP3S
    curl --cacert {ca} --user {user} pop3s://localhost:{pop3s}/
  the first message over STLS
    curl --cacert {ca} --ssl-reqd --user {user} pop3://localhost:{pop3}/1
  the unique-ids
    curl --cacert {ca} --user {user} --request UIDL pop3s://localhost:{pop3s}/
  the person's entry in the directory
    ldapsearch -x -LLL -H ldap://127.0.0.1:{ldap} -D '{SERVICE}' -w {service} -b '{BASE}' '(uid={uid})' cn mail

The status page is at http://127.0.0.1:{http}/, the metrics are at http://127.0.0.1:{http}/metrics.

Settings for a mail client: account type POP3, server localhost, port {pop3s} with SSL/TLS (or {pop3} with STARTTLS),
normal password, and {ca} imported as a certificate authority.
",
        name = first.name,
        uid = first.short_name,
    ))
}

/// Each person with every form of name that identifies only them, according to the directory.
fn introduce(demo: &Demo, configuration: &config::Configuration) -> anyhow::Result<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let settings = configuration.directories.first().context("the demonstration has no directory")?;
    let directory = Directory::new(settings.clone());
    let working =
        |policy: &Policy, person: &DemoPerson| runtime.block_on(forms::working(&directory, policy, &person.dn));
    let policy = &configuration.identity.policy;
    let mut text = "These people can log in, by any of these names (quotes are not typed):\n".to_owned();
    for person in demo.people() {
        describe(&mut text, person, &working(policy, person)?);
    }
    let first = demo.people().first().context("the demonstration has no people")?;
    let fewer = working(policy, first)?;
    let gained: Vec<String> =
        working(&Policy::more(), first)?.into_iter().filter(|name| !fewer.contains(name)).collect();
    let _ = writeln!(
        text,
        "\nThe policy is \"fewer name variations\". With `names: more` the first of them could also log in as {}.",
        gained.join(", ")
    );
    Ok(text)
}

fn describe(text: &mut String, person: &DemoPerson, names: &[String]) {
    let _ = writeln!(text, "\n  {}   password: {}", person.name, person.password);
    for name in names {
        let _ = writeln!(text, "    \"{name}\"");
    }
    if person.mail.is_none() {
        let _ = writeln!(text, "    (has no mail attribute, so cannot log in by mail address)");
    }
}

fn how_to_end(keep: Option<&Path>, demo: &Demo) -> String {
    let folder = demo.folder().display();
    let files = match keep {
        Some(_) => {
            format!("Its files are in {folder} and are kept; start your own configuration from restante.yaml in it.")
        }
        None => format!("Its files are in {folder} and are removed at the end; use --keep DIR to keep them."),
    };
    format!("{files}\nPress Ctrl-C to stop. The log follows.\n")
}

fn farewell(keep: Option<&Path>, folder: &Path) -> String {
    match keep {
        Some(_) => format!(
            "\nThe files are in {0}. For a service of your own: put your directory's URL, base and service entry into
{0}/restante.yaml, your certificate into tls, your mail root into mailboxes, then run
    restante check --config {0}/restante.yaml
    restante serve --config {0}/restante.yaml",
            folder.display()
        ),
        None => "\nEverything was removed. Next: `restante demo --keep DIR` leaves a configuration to start from."
            .to_owned(),
    }
}

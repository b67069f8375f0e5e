//! `restante client-settings`: what a person types into their mail program.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail};
use clap::ValueEnum;

use super::maildrops::why;
use super::{ExitStatus, act_as_service, report_note, sanitized, with_configuration};
use crate::client_settings::{AccountForm, MailAccount, MailEncryption, MailServer};
use crate::config::Configuration;
use crate::directory::{Directory, Entry, Source};
use crate::identity::{Identity, IdentityMap, Trace};
use crate::names::{Kind, LookUp, Policy};
use crate::server::{ClientCertificate, Listener, LoginWithoutTls, TlsMode};

/// The name under which a machine reaches itself.
const LOCALHOST: &str = "localhost";

/// The form of the output.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum SettingsFormat {
    /// Words for people
    Text,
    /// XML for Thunderbird and others (autoconfig), to be served to the whole domain
    Thunderbird,
    /// A configuration profile for iOS and macOS, unsigned
    Apple,
    /// The answer of an Autodiscover server to Outlook
    Outlook,
    /// SRV records for the domain's zone
    Dns,
}

impl SettingsFormat {
    fn form(self) -> AccountForm {
        match self {
            Self::Text => AccountForm::Words,
            Self::Thunderbird => AccountForm::Thunderbird,
            Self::Apple => AccountForm::Apple,
            Self::Outlook => AccountForm::Outlook,
            Self::Dns => AccountForm::Zone,
        }
    }
}

#[allow(clippy::print_stdout, reason = "the result of the command")]
pub(super) fn client_settings(file: &Path, login: &str, format: SettingsFormat) -> ExitStatus {
    with_configuration(file, |configuration| {
        let written = account(configuration, login)?.write(format.form()).map_err(|missing| anyhow!("{missing}"))?;
        print!("{}", sanitized(&written));
        Ok(true)
    })
}

fn account(configuration: Configuration, login: &str) -> anyhow::Result<MailAccount> {
    act_as_service(configuration.server.user.as_deref())?;
    let Configuration { server, identity, directories, client_settings, .. } = configuration;
    let host =
        server.hostname.context("hostname is empty; set it to the name under which mail programs reach the server")?;
    let (host, listeners) = match listeners_for(ProgramPlace::OtherMachines, &server.listeners) {
        none if none.is_empty() => (LOCALHOST.to_owned(), listeners_for(ProgramPlace::ThisMachine, &server.listeners)),
        some => (host, some),
    };
    let mut servers = servers(&host, &listeners).into_iter();
    let pop3 = servers.next().context("no listener accepts passwords")?;
    if host == LOCALHOST {
        report_note(
            "all listeners are on loopback addresses: these settings are for mail programs on this machine only",
        );
    }
    let directories: Vec<Directory> = directories.into_iter().map(Directory::new).collect();
    let policy = identity.policy.clone();
    let identities = IdentityMap::new(directories.clone(), identity).map_err(anyhow::Error::msg)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let person = runtime.block_on(person(&identities, &directories, &policy, login))?;
    let expiry = person.identity.retention.expiry;
    Ok(MailAccount {
        pop3,
        alternatives: servers.collect(),
        smtp: client_settings.smtp,
        login: person.login,
        address: person.address,
        expires_after_days: expiry.map(|expiry| expiry.days()),
        also_unretrieved: expiry.is_some_and(|expiry| expiry.also_unretrieved),
        needs_certificate: listeners.iter().all(|listener| listener.client_certificate == ClientCertificate::Required),
        directory: person.identity.id.directory().to_owned(),
        entry: person.identity.dn.to_string(),
    })
}

/// Where mail programs are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ProgramPlace {
    OtherMachines,
    ThisMachine,
}

/// The listeners where people there can log in.
fn listeners_for(place: ProgramPlace, all: &[Listener]) -> Vec<&Listener> {
    let is_far = place == ProgramPlace::OtherMachines;
    let accepts = |listener: &&Listener| match listener.login_without_tls {
        LoginWithoutTls::Allow => true,
        LoginWithoutTls::Loopback => !is_far || listener.tls != TlsMode::None,
        LoginWithoutTls::Refuse => listener.tls != TlsMode::None,
    };
    let is_reached = |listener: &&Listener| {
        let address = listener.address;
        address.port() != 0 && !(is_far && address.ip().is_loopback())
    };
    all.iter().filter(is_reached).filter(accepts).collect()
}

/// The best first, each once: several listeners may have one port.
fn servers(host: &str, listeners: &[&Listener]) -> Vec<MailServer> {
    let server = |listener: &&Listener| {
        let encryption = match listener.tls {
            TlsMode::Implicit => MailEncryption::Implicit,
            TlsMode::StartTls => MailEncryption::StartTls,
            TlsMode::None => MailEncryption::None,
        };
        MailServer { host: host.to_owned(), port: listener.address.port(), encryption }
    };
    let mut servers: Vec<MailServer> = listeners.iter().map(server).collect();
    servers.sort_by_key(|server| (server.encryption, server.port));
    servers.dedup();
    servers
}

/// A person, as their mail program has to know them.
struct ProgramUser {
    identity: Arc<Identity>,
    login: String,
    address: Option<String>,
}

async fn person(
    identities: &IdentityMap,
    directories: &[Directory],
    policy: &Policy,
    login: &str,
) -> anyhow::Result<ProgramUser> {
    let resolve = async |name: &str| identities.resolve(name.as_bytes(), Trace::OFF).await;
    let resolved = resolve(login).await.map_err(|outcome| anyhow!("{login}: {}", why(&outcome)))?;
    let identity = resolved.identity;
    let Some(directory) = directories.iter().find(|directory| *directory.settings().name == *identity.id.directory())
    else {
        bail!("{login}: no directory is named {}", identity.id.directory());
    };
    let look_up = LookUp { entry: Some(identity.dn.clone()), ..LookUp::default() };
    let entries = directory.look_up(look_up, 1).await?;
    let entry = entries.iter().find(|entry| entry.id == identity.id).context("the entry is gone")?;
    let attributes = &directory.settings().attributes;
    let address = first_value(entry, &attributes.mail);
    let short_name = first_value(entry, &attributes.short_name);
    // The address is what programs ask for first; the short name is the next best. Neither must be another person's as well.
    for (kind, name) in [(Kind::Mail, address.clone()), (Kind::ShortName, short_name)] {
        let Some(name) = name.filter(|_| policy.allows(kind)) else { continue };
        if resolve(&name).await.is_ok_and(|found| found.identity.id == identity.id) {
            return Ok(ProgramUser { login: name, identity, address });
        }
    }
    Ok(ProgramUser { identity, login: login.to_owned(), address })
}

/// Of several values, one is as good as another: the directory's first.
fn first_value(entry: &Entry, sources: &[Source]) -> Option<String> {
    let mut values = sources.iter().flat_map(|source| {
        let values = entry.plain_values(&source.attribute).iter();
        values.filter_map(|value| source.name_in(value))
    });
    values.find(|value| !value.is_empty()).map(str::to_owned)
}

//! The folder of a demonstration: everything `restante serve --config` needs.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, bail};

use super::authority::{Authority, SERVER_NAMES, write_secret};
use super::directory::{EmbeddedDirectory, ReservedPort};
use super::people::{self, DemoPerson};
use super::{mail, people::BASE, people::SERVICE};
use crate::names::Dn;

/// The ports of 127.0.0.1 that a demonstration uses; 0 leaves the choice to the kernel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ports {
    /// POP3 in clear, with STLS.
    pub pop3: u16,
    /// POP3 within TLS.
    pub pop3s: u16,
    /// The directory.
    pub ldap: u16,
    /// The status page and the metrics.
    pub http: u16,
}

/// A demonstration laid out in a folder.
///
/// The folder holds `restante.yaml`, `ldap.password`, `ca.pem`, `tls/server.pem`, `tls/server.key`, `people.ldif` and
/// the Maildirs as `mail/{short_name}/Maildir`.
pub struct Demo {
    folder: PathBuf,
    people: Vec<DemoPerson>,
    directory: SocketAddr,
    port: Option<ReservedPort>,
}

impl Demo {
    /// Lays everything out. The folder is created if it is missing. The directory's port is reserved, but nobody listens there
    /// before [`Demo::start_directory`].
    ///
    /// # Errors
    /// The folder is not empty, a port is in use, or the file system's errors.
    pub fn lay_out(folder: &Path, ports: Ports) -> anyhow::Result<Self> {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        if fs::read_dir(folder)?.next().is_some() {
            bail!("{} is not empty: the demonstration overwrites nothing", folder.display());
        }
        let port = ReservedPort::take(ports.ldap).with_context(|| format!("port {} for the directory", ports.ldap))?;
        let people = people::people()?;
        write_certificates(folder)?;
        write_secret(&folder.join("ldap.password"), &people::service_password()?)?;
        fs::write(folder.join("people.ldif"), people::LDIF)?;
        fs::write(folder.join("restante.yaml"), configuration(ports, port.address()))?;
        mail::lay_out(&folder.join("mail"), &people, SystemTime::now())?;
        Ok(Self { folder: folder.to_owned(), people, directory: port.address(), port: Some(port) })
    }

    /// Starts the embedded directory where the configuration expects it. It ends when dropped.
    ///
    /// # Errors
    /// It was started before, or the system's errors.
    pub fn start_directory(&mut self) -> anyhow::Result<EmbeddedDirectory> {
        let port = self.port.take().context("the directory of this demonstration was started before")?;
        let directory = EmbeddedDirectory::start_on(port, people::tree()?, Dn::parse(SERVICE));
        directory.context("cannot start the embedded directory")
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The configuration file, for `restante serve --config`.
    #[must_use]
    pub fn configuration(&self) -> PathBuf {
        self.folder.join("restante.yaml")
    }

    /// The certificate of the authority that clients must trust.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// The address of the directory.
    #[must_use]
    pub fn directory_address(&self) -> SocketAddr {
        self.directory
    }

    /// The people who may log in, with their names and passwords.
    #[must_use]
    pub fn people(&self) -> &[DemoPerson] {
        &self.people
    }
}

fn write_certificates(folder: &Path) -> anyhow::Result<()> {
    let authority = Authority::new()?;
    fs::create_dir(folder.join("tls"))?;
    fs::write(folder.join("ca.pem"), authority.pem())?;
    authority.certify(&SERVER_NAMES)?.write(&folder.join("tls"), "server")?;
    Ok(())
}

fn configuration(ports: Ports, directory: SocketAddr) -> String {
    let Ports { pop3, pop3s, http, .. } = ports;
    format!(
        r#"# The configuration of a demonstration. Paths are relative to the folder of this file.
hostname: mail.renovations.example
listeners:
  - address: "127.0.0.1:{pop3}"
    tls: starttls
    login_without_tls: loopback
  - address: "127.0.0.1:{pop3s}"
    tls: implicit
tls:
  certificates:
    - {{ chain: tls/server.pem, key: tls/server.key }}
directories:
  - name: renovations
    urls: ["ldap://{directory}"]
    bind: {{ dn: "{SERVICE}", password_file: ldap.password }}
    base: "{BASE}"
    schema: inet_org_person
internet_authentication:
  names: fewer
mailboxes:
  root: mail
  path: "{{short_name}}/Maildir"
admin:
  socket: admin.sock
  http: "127.0.0.1:{http}"
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_the_configuration_names_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let mut demo = Demo::lay_out(folder.path(), Ports { pop3: 1110, pop3s: 1995, ldap: 0, http: 9110 }).unwrap();
        let text = fs::read_to_string(demo.configuration()).unwrap();
        let directory = demo.start_directory().unwrap();
        for line in ["127.0.0.1:1110", "127.0.0.1:1995", "127.0.0.1:9110", &directory.url()] {
            assert!(text.contains(line), "{line} in {text}");
        }
        for path in ["tls/server.pem", "tls/server.key", "ldap.password", "mail/ajones/Maildir/new"] {
            assert!(folder.path().join(path).exists(), "{path}");
        }
        assert_eq!(demo.people()[0].short_name, "ajones");
        assert!(demo.start_directory().is_err());
    }

    #[test]
    fn overwrites_nothing() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("restante.yaml"), "mine").unwrap();
        assert!(Demo::lay_out(folder.path(), Ports::default()).is_err());
        assert_eq!(fs::read_to_string(folder.path().join("restante.yaml")).unwrap(), "mine");
    }
}

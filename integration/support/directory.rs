//! What one table of expectations asks of a real directory server, whoever made it.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use restante::demo::authority::{Authority, SERVER_NAMES};
use restante::demo::ldif::{self, LdifRecord};
use restante::demo::tree::Tree;
use rustix::process::Signal;
use tempfile::TempDir;

use super::ports::Port;
use super::process::{Daemon, output, program, succeed};

/// After how many wrong passwords in a row each of the servers locks an account for an hour or so, where its password
/// policy is on.
pub const LOCKED_AFTER: usize = 5;

/// The process of a directory server, the folder with everything that it reads and writes, and where it listens. The
/// process ends, and the folder with it, when dropped.
pub struct ServerProcess {
    daemon: Daemon,
    folder: TempDir,
    /// Nobody else listens there, or takes the same address.
    _ports: Vec<Port>,
    /// In clear, and with TLS.
    addresses: [SocketAddr; 2],
    /// How its certificate names the host.
    tls_name: String,
}

impl ServerProcess {
    /// One that does not run yet, on two ports of its own.
    pub fn on_ports(name: &'static str, folder: TempDir, log: &str) -> Self {
        let ports = vec![Port::take(), Port::take()];
        let addresses = [ports[0].address(), ports[1].address()];
        Self::at(name, folder, log, ports, addresses, "localhost".to_owned())
    }

    /// The same at other addresses, which belong to it while the ports do.
    pub fn at(
        name: &'static str,
        folder: TempDir,
        log: &str,
        ports: Vec<Port>,
        addresses: [SocketAddr; 2],
        tls_name: String,
    ) -> Self {
        let daemon = Daemon::new(name, folder.path().join(log));
        Self { daemon, folder, _ports: ports, addresses, tls_name }
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A file in its folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    /// Where it listens in clear, and with TLS.
    pub fn addresses(&self) -> [SocketAddr; 2] {
        self.addresses
    }

    /// Writes a certificate of a fresh authority for the usual names and further ones: `ca.pem`, and the files that it
    /// gives, chain and key.
    pub fn certify(&self, further: &[&str]) -> (PathBuf, PathBuf) {
        let authority = Authority::new().unwrap();
        fs::write(self.path("ca.pem"), authority.pem()).unwrap();
        let names = [&SERVER_NAMES[..], further].concat();
        authority.certify(&names).unwrap().write(self.folder(), "server").unwrap()
    }
}

/// A running directory server with the people of an LDIF. People go by their `uid`, which is `sAMAccountName` in Active
/// Directory; what is done to their accounts is done by the administrator, as each server wants it done.
pub trait RealDirectory {
    /// Its process and folder.
    fn process(&self) -> &ServerProcess;

    /// The same, to start and to end it.
    fn process_mut(&mut self) -> &mut ServerProcess;

    /// What starts it.
    fn command(&self) -> Command;

    /// The DN of a person's entry.
    fn dn(&self, short_name: &str) -> String;

    /// Who may change everything.
    fn administrator(&self) -> Administrator;

    /// `ldap://` with address and port.
    fn url(&self) -> String {
        format!("ldap://{}", self.process().addresses[0])
    }

    /// `ldaps://` with a name that stands in the certificate, and the port.
    fn tls_url(&self) -> String {
        let ServerProcess { addresses, tls_name, .. } = self.process();
        format!("ldaps://{tls_name}:{}", addresses[1].port())
    }

    /// The certificate that clients must trust, PEM.
    fn authority(&self) -> PathBuf {
        self.process().path("ca.pem")
    }

    /// Starts it, if it does not run, where it was before.
    fn restart(&mut self) {
        let mut command = self.command();
        let ServerProcess { daemon, addresses, .. } = self.process_mut();
        daemon.start(&mut command, &*addresses);
    }

    /// Ends it in good order; its connections are closed, its ports refuse.
    fn stop(&mut self) {
        self.process_mut().daemon.end(Signal::TERM);
    }

    /// Ends it at once, as a lost machine does.
    fn kill(&mut self) {
        self.process_mut().daemon.end(Signal::KILL);
    }

    /// Lets it hang: connections are accepted by the kernel, nothing is answered. Returns when its last thread stands.
    fn freeze(&self) {
        self.process().daemon.freeze();
    }

    /// Lets it go on after [`Self::freeze`].
    fn thaw(&self) {
        self.process().daemon.thaw();
    }

    /// What it wrote to its standard error and to its log of errors.
    fn log(&self) -> String {
        self.process().daemon.log()
    }

    /// Makes changes by `ldapmodify`; the text is LDIF with change records.
    fn modify(&self, changes: &str) {
        self.administrator().modify(changes);
    }

    /// Gives a person another password.
    fn set_password(&self, short_name: &str, password: &str);

    /// Shuts an account until further notice.
    fn disable(&self, short_name: &str);

    /// Wants the password changed at the next login.
    fn must_change(&self, short_name: &str);

    /// Lets the password be too old.
    fn expire_password(&self, short_name: &str);

    /// Sets an attribute of a person's entry to one value.
    fn replace(&self, short_name: &str, attribute: &str, value: &str) {
        self.modify(&replacement(&self.dn(short_name), attribute, value.as_bytes()));
    }

    /// Locks an account as somebody does who guesses passwords, each wrong one only once.
    fn lock(&self, short_name: &str) {
        for guess in 1..=LOCKED_AFTER {
            let mut command = program("ldapsearch");
            command.args(["-x", "-H", &self.url(), "-D", &self.dn(short_name), "-s", "base", "-b", ""]);
            let output = output(command.arg("-w").arg(format!("guess {guess}")), "");
            assert_eq!(output.status.code(), Some(49), "{}", String::from_utf8_lossy(&output.stderr));
        }
    }
}

/// Who may change everything, and where.
pub struct Administrator {
    pub url: String,
    pub dn: String,
    pub password: String,
}

impl Administrator {
    /// Makes changes; the text is LDIF with change records.
    pub fn modify(&self, changes: &str) {
        succeed(&mut self.command(&[]), changes);
    }

    /// Tries to make changes; gives the server's result code, which is 0 if it made them.
    pub fn result_of(&self, changes: &str) -> i32 {
        output(&mut self.command(&[]), changes).status.code().unwrap()
    }

    /// Adds entries; the text is LDIF with content records.
    pub fn add(&self, entries: &str) {
        succeed(&mut self.command(&["-a"]), entries);
    }

    /// Makes changes that are the server's own to make, operational attributes above all (the control of
    /// draft-zeilenga-ldap-relax).
    pub fn modify_relaxed(&self, changes: &str) {
        succeed(&mut self.command(&["-e", "relax"]), changes);
    }

    fn command(&self, further: &[&str]) -> Command {
        let mut command = program("ldapmodify");
        command.args(["-x", "-H", &self.url, "-D", &self.dn, "-w", &self.password]).args(further);
        command
    }
}

/// The change record that sets an attribute to one value.
pub fn replacement(dn: &str, attribute: &str, value: &[u8]) -> String {
    let (dn, value) = (STANDARD.encode(dn), STANDARD.encode(value));
    format!("dn:: {dn}\nchangetype: modify\nreplace: {attribute}\n{attribute}:: {value}\n\n")
}

/// The DN of the entry with that `uid`.
pub fn dn_of(entries: &[LdifRecord], short_name: &str) -> String {
    let is_called = |entry: &&LdifRecord| entry.texts("uid").any(|uid| uid == short_name);
    let entry = entries.iter().find(is_called).unwrap_or_else(|| panic!("nobody is called {short_name}"));
    entry.dn.to_string()
}

/// People whose entries were last changed so long ago that their change stamps tell everything.
pub fn unchanged_for_long(ldif: &str) -> Tree {
    let class = "\nobjectClass: inetOrgPerson\n";
    let old = ldif.replace(class, &format!("{class}modifyTimestamp: 20200101000000Z\n"));
    Tree::new(ldif::parse(&old).unwrap()).unwrap()
}

//! Debian's Dovecot, with POP3 and IMAP on ports of its own, on the Maildirs of a site.

use std::fs::{self, Permissions};
use std::net::SocketAddr;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use rustix::process::Signal;
use rustls::ClientConfig;
use tempfile::TempDir;

use super::conversation::Conversation;
use super::imap::Imap;
use super::ports::Port;
use super::process::{Daemon, program};
use super::service::Site;

/// Everybody's password.
pub const PASSWORD: &str = "dovecot-secret-23";

/// `mail` on Debian: mail processes refuse to run as root.
pub const MAIL: u32 = 8;

/// A Dovecot that runs. It ends when dropped.
pub struct Dovecot {
    daemon: Daemon,
    folder: TempDir,
    root: PathBuf,
    pop3: Port,
    pop3s: Port,
    imap: Port,
}

impl Dovecot {
    /// Serves a site's Maildirs, under the site's certificate, with further lines of configuration.
    pub fn serve(site: &Site, further: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Its processes have users of their own, who must find sockets and mail.
        for open in [site.folder(), folder.path()] {
            fs::set_permissions(open, Permissions::from_mode(0o755)).unwrap();
        }
        let daemon = Daemon::new("dovecot", folder.path().join("output"));
        let root = site.root();
        let mut dovecot = Self { daemon, folder, root, pop3: Port::take(), pop3s: Port::take(), imap: Port::take() };
        fs::write(dovecot.path("dovecot.conf"), dovecot.configuration(site) + further).unwrap();
        let mut command = program("dovecot");
        command.args(["-F", "-c"]).arg(dovecot.path("dovecot.conf"));
        let addresses = [&dovecot.pop3, &dovecot.pop3s, &dovecot.imap].map(Port::address);
        dovecot.own_mail();
        dovecot.daemon.start(&mut command, &addresses);
        dovecot
    }

    /// Its POP3 port, with STLS.
    pub fn pop3(&self) -> SocketAddr {
        self.pop3.address()
    }

    /// Its port for POP3 under TLS.
    pub fn pop3s(&self) -> SocketAddr {
        self.pop3s.address()
    }

    /// A POP3 client that has logged in.
    pub fn session(&self, name: &str) -> Conversation {
        self.own_mail();
        let mut client = Conversation::plain(self.pop3());
        client.expect("+OK");
        client.login(name, PASSWORD);
        client
    }

    /// A POP3 client under TLS that has logged in.
    pub fn tls_session(&self, name: &str, server: &str, tls: &std::sync::Arc<ClientConfig>) -> Conversation {
        self.own_mail();
        let mut client = Conversation::tls(self.pop3s(), server, tls);
        client.expect("+OK");
        client.login(name, PASSWORD);
        client
    }

    /// An IMAP client that has logged in.
    pub fn imap_session(&self, name: &str) -> Imap {
        let mut client = Conversation::plain(self.imap.address());
        client.expect("* OK");
        Imap::login(client, name, PASSWORD)
    }

    /// Does what an IMAP client does, in INBOX: one command after the other.
    pub fn imap(&self, name: &str, commands: &[&str]) {
        self.own_mail();
        let mut client = Conversation::plain(self.imap.address());
        client.expect("* OK");
        let login = format!("LOGIN {name} {PASSWORD}");
        for command in [login.as_str(), "SELECT INBOX"].iter().chain(commands).chain(&["LOGOUT"]) {
            client.send(&format!("a {command}"));
            let mut line = client.line();
            while !line.starts_with("a ") {
                line = client.line();
            }
            assert!(line.starts_with("a OK"), "{command}: {line}\n{}", client.dialogue());
        }
    }

    /// Ends it in good order.
    pub fn stop(mut self) {
        self.daemon.end(Signal::TERM);
    }

    /// Lets it hang: connections are accepted by the kernel, nothing is answered.
    pub fn freeze(&self) {
        self.signal_all(Signal::STOP);
    }

    /// Lets it go on after [`Self::freeze`].
    pub fn thaw(&self) {
        self.signal_all(Signal::CONT);
    }

    /// To it and its processes, some of which wait for clients themselves.
    fn signal_all(&self, signal: Signal) {
        let Some(master) = self.daemon.id() else { return };
        let mut all = vec![master];
        for entry in fs::read_dir("/proc").unwrap().flatten() {
            let Ok(id) = entry.file_name().to_string_lossy().parse::<i32>() else { continue };
            // pid (comm) state ppid
            let status = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
            let parent = status.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(1)?.parse::<i32>().ok());
            if parent == Some(master) {
                all.push(id);
            }
        }
        for id in all {
            let _ended = rustix::process::kill_process(rustix::process::Pid::from_raw(id).unwrap(), signal);
        }
    }

    /// What it logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// Hands all mail to the user that reads it, as a delivery agent would have delivered it.
    pub fn own_mail(&self) {
        if rustix::process::geteuid().is_root() {
            own(&self.root);
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn configuration(&self, site: &Site) -> String {
        let (folder, site, root) = (self.folder.path().display(), site.folder().display(), self.root.display());
        let (pop3, pop3s, imap) = (self.pop3.number(), self.pop3s.number(), self.imap.number());
        let own = || {
            let (user, group) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
            (user, group)
        };
        let (user, group) = if rustix::process::geteuid().is_root() { (MAIL, MAIL) } else { own() };
        format!(
            "base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
instance_name = {folder}
protocols = pop3 imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <{site}/tls/server.pem
ssl_key = <{site}/tls/server.key
disable_plaintext_auth = no
first_valid_uid = 0
first_valid_gid = 0
mail_location = maildir:{root}/%u/Maildir
passdb {{
  driver = static
  args = password={PASSWORD}
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={root}/%u
}}
service pop3-login {{
  chroot =
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = {pop3s}
    ssl = yes
  }}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
"
        )
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- log of Dovecot\n{}\n---", self.log());
        }
        self.thaw();
        // Only in good order does it take its processes with it.
        self.daemon.end(Signal::TERM);
    }
}

/// Lets the user that reads mail own a site's mail root, and find it.
pub fn hand_over(site: &Site) {
    fs::set_permissions(site.folder(), Permissions::from_mode(0o755)).unwrap();
    own(&site.root());
}

fn own(path: &Path) {
    chown(path, Some(MAIL), Some(MAIL)).unwrap();
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            own(&entry.unwrap().path());
        }
    }
}

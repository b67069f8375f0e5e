//! Debian's Dovecot, in a folder and on ports of its own, set up for speed.

use std::fs::{self, Permissions};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use restante::demo::people;

use crate::support::ports::Port;
use crate::support::service::Site;
use crate::support::wait_until;

/// A running Dovecot; it ends when dropped.
pub struct Dovecot {
    master: Child,
    folder: PathBuf,
    plain: Port,
    tls: Port,
}

impl Dovecot {
    /// Serves the Maildirs of a site to the people of a directory.
    pub fn start(site: &Site, ldap: &str, cached: bool) -> Self {
        let folder = site.folder().join("dovecot");
        let _first_time = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).unwrap();
        // Its helpers run as users of their own, and must reach their sockets.
        for folder in [site.folder(), &folder] {
            fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
        }
        let (plain, tls) = (Port::take(), Port::take());
        let numbers = (plain.number(), tls.number());
        fs::write(folder.join("ldap.conf"), directory(ldap)).unwrap();
        fs::write(folder.join("dovecot.conf"), configuration(site, &folder, numbers, cached)).unwrap();
        let mut command = Command::new("dovecot");
        command.args(["-F", "-c"]).arg(folder.join("dovecot.conf")).stdin(Stdio::null()).stdout(Stdio::null());
        let master = command.spawn().expect("dovecot cannot be started: install dovecot-pop3d and dovecot-ldap");
        let mut dovecot = Self { master, folder, plain, tls };
        wait_until("Dovecot listens", || {
            let ended = dovecot.master.try_wait().unwrap();
            assert!(ended.is_none(), "Dovecot ended: {}", dovecot.log());
            TcpStream::connect(dovecot.plain()).is_ok()
        });
        dovecot
    }

    pub fn pid(&self) -> u32 {
        self.master.id()
    }

    pub fn plain(&self) -> SocketAddr {
        self.plain.address()
    }

    pub fn tls(&self) -> SocketAddr {
        self.tls.address()
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- log of Dovecot\n{}\n---", self.log());
        }
        let stopped = Command::new("doveadm").arg("-c").arg(self.folder.join("dovecot.conf")).arg("stop").status();
        if stopped.is_err() {
            let _ended_before = self.master.kill();
        }
        let _ = self.master.wait();
    }
}

fn directory(url: &str) -> String {
    let (service, base, password) = (people::SERVICE, people::BASE, people::service_password().unwrap());
    format!(
        "uris = {url}\ndn = {service}\ndnpass = {password}\nbase = {base}\nscope = subtree\nauth_bind = yes\n\
         pass_attrs = uid=user\npass_filter = (&(objectClass=inetOrgPerson)(uid=%u))\n"
    )
}

/// `doc.dovecot.org/2.3/configuration_manual/service_configuration`: login processes that serve many connections ("high-
/// performance mode"), POP3 processes that serve one session after another; caching of passwords; the settings that the
/// manual names for POP3 on Maildirs (`pop3_no_flag_updates`, `maildir_very_dirty_syncs`).
fn configuration(site: &Site, folder: &Path, (plain, tls): (u16, u16), cached: bool) -> String {
    let (folder, site, root) = (folder.display(), site.folder().display(), site.root());
    let root = root.display();
    let (cache, services) = (if cached { "64M" } else { "0" }, services(plain, tls));
    format!(
        r"protocols = pop3
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
instance_name = {folder}
listen = 127.0.0.1
ssl = yes
ssl_cert = <{site}/tls/server.pem
ssl_key = <{site}/tls/server.key
ssl_min_protocol = TLSv1.2
disable_plaintext_auth = no
auth_mechanisms = plain
auth_cache_size = {cache}
auth_cache_ttl = 1 hour
mail_location = maildir:{root}/%n/Maildir
mail_fsync = optimized
mail_max_userip_connections = 5000
first_valid_uid = 0
first_valid_gid = 0
pop3_no_flag_updates = yes
maildir_very_dirty_syncs = yes
passdb {{
  driver = ldap
  args = {folder}/ldap.conf
}}
userdb {{
  driver = static
  args = uid=mail gid=mail home={root}/%n
}}
{services}"
    )
}

fn services(plain: u16, tls: u16) -> String {
    format!(
        r"service pop3-login {{
  inet_listener pop3 {{
    port = {plain}
  }}
  inet_listener pop3s {{
    port = {tls}
    ssl = yes
  }}
  service_count = 0
  client_limit = 4000
  process_min_avail = 1
  process_limit = 1
  vsz_limit = 1G
}}
service pop3 {{
  service_count = 0
  process_min_avail = 2
  process_limit = 3000
}}
service auth {{
  client_limit = 10000
}}
service anvil {{
  client_limit = 10000
}}
service stats {{
  client_limit = 10000
}}
"
    )
}

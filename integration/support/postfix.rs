//! Debian's Postfix, with virtual(8) as the delivery agent for the Maildirs of a site. No port is opened, and the system's
//! own configuration and queue are not touched.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown};

use rustix::process::geteuid;
use tempfile::TempDir;

use super::dovecot::MAIL;
use super::process::{Daemon, program, succeed};
use super::service::Site;
use super::wait_until;

/// Only what a message needs on its way from sendmail(1) to virtual(8): Unix sockets, no `inet`.
const SERVICES: &str = "
pickup    unix        n - n - 1 pickup
cleanup   unix        n - n - 0 cleanup
qmgr      unix        n - n - 1 qmgr
rewrite   unix        - - n - - trivial-rewrite
bounce    unix        - - n - 0 bounce
defer     unix        - - n - 0 bounce
trace     unix        - - n - 0 bounce
error     unix        - - n - - error
retry     unix        - - n - - error
proxymap  unix        - - n - - proxymap
virtual   unix        - n n - - virtual
postlog   unix-dgram  n - n - 1 postlogd
";

/// A Postfix that runs. It ends when dropped, and its processes with it.
pub struct Postfix {
    daemon: Daemon,
    folder: TempDir,
}

impl Postfix {
    /// Delivers to the Maildirs of a site as the user `mail`, to whom they must belong.
    pub fn serve(site: &Site) -> Self {
        assert!(geteuid().is_root(), "Postfix runs as root only: its tests need root");
        let folder = tempfile::tempdir().unwrap();
        let daemon = Daemon::new("master", folder.path().join("output"));
        let mut postfix = Self { daemon, folder };
        fs::set_permissions(postfix.folder.path(), Permissions::from_mode(0o755)).unwrap();
        for part in ["etc", "queue", "data"] {
            fs::create_dir(postfix.folder.path().join(part)).unwrap();
        }
        fs::write(postfix.path("etc/main.cf"), postfix.configuration(site)).unwrap();
        fs::write(postfix.path("etc/master.cf"), SERVICES).unwrap();
        chown(postfix.path("data"), Some(own_user()), None).unwrap();
        succeed(program("postfix").args(["-c", &postfix.path("etc"), "check"]), "");
        let mut master = program("/usr/lib/postfix/sbin/master");
        postfix.daemon.start(master.args(["-c", &postfix.path("etc"), "-d"]), &[]);
        postfix
    }

    /// Hands over a message, which is delivered soon.
    pub fn send(&self, person: &str, text: &str) {
        let to = format!("{person}@renovations.example");
        let message = format!("From: a@example.org\nSubject: delivered\n\n{text}\n");
        succeed(program("sendmail").args(["-C", &self.path("etc"), "-f", "a@example.org", &to]), &message);
    }

    /// Waits until so many messages are delivered since the beginning.
    pub fn wait_for(&self, delivered: usize) {
        let log = || fs::read_to_string(self.path("log")).unwrap_or_default();
        wait_until("Postfix has delivered", || {
            let log = log();
            assert!(!log.contains("status=bounced") && !log.contains("status=deferred"), "{log}");
            log.matches("status=sent (delivered to maildir)").count() == delivered
        });
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn configuration(&self, site: &Site) -> String {
        let (folder, root) = (self.folder.path().display(), site.root());
        format!(
            "compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
myhostname = mx.renovations.example
mydestination =
inet_interfaces = loopback-only
inet_protocols = ipv4
alias_maps =
default_transport = error:nothing leaves this machine
virtual_mailbox_domains = renovations.example
virtual_mailbox_base = {}
virtual_mailbox_maps = inline:{{ {{ ajones@renovations.example = ajones/Maildir/ }} }}
virtual_uid_maps = static:{MAIL}
virtual_gid_maps = static:{MAIL}
virtual_minimum_uid = {MAIL}
",
            root.display()
        )
    }
}

/// The user of its own processes, whom the package makes.
pub(super) fn own_user() -> u32 {
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let own = users.lines().find_map(|line| line.strip_prefix("postfix:x:")).expect("the package postfix is installed");
    own.split(':').next().unwrap().parse().unwrap()
}

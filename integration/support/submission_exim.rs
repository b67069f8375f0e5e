//! Debian's Exim with the configuration of the guide.
//!
//! Its package cannot be installed beside Postfix's, so it is unpacked into a folder. It knows its configuration and its own
//! user by places in `/etc`, so it sees an `/etc` of its own (`mount_namespaces(7)`).

use std::fs::{self, Permissions};
use std::net::SocketAddr;
use std::os::unix::fs::{PermissionsExt as _, chown};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::ports::Port;
use super::process::{Daemon, program, script, succeed};
use super::submission::Sending;
use super::unpacked::unpacked;
use super::wait_until;

/// The user of Exim's own processes, and its group.
pub const OWN_ID: u32 = 65_001;

/// Makes `$1` the `/etc` of the rest: as much of the system's as Exim needs, its own user, its configuration `$2`.
const OWN_ETC: &str = r#"#!/bin/sh
set -e
mkdir "$1" "$1/exim4"
for file in passwd group hosts nsswitch.conf resolv.conf ld.so.cache ssl localtime services; do
    [ ! -e "/etc/$file" ] || cp -aL "/etc/$file" "$1"
done
echo "Debian-exim:x:65001:65001::/nonexistent:/usr/sbin/nologin" >> "$1/passwd"
echo "Debian-exim:x:65001:" >> "$1/group"
cp "$2" "$1/exim4/exim4.conf"
mount --bind "$1" /etc
shift 2
exec "$@"
"#;

/// An Exim that runs. It ends when dropped, and its processes with it.
pub struct SubmissionExim {
    daemon: Daemon,
    folder: TempDir,
    port: Port,
}

impl SubmissionExim {
    /// Runs beside a Restante.
    pub fn serve(sending: &Sending) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let daemon = Daemon::new("exim", folder.path().join("output"));
        let mut exim = Self { daemon, folder, port: Port::take() };
        fs::set_permissions(exim.folder.path(), Permissions::from_mode(0o755)).unwrap();
        for part in ["spool", "log"] {
            fs::create_dir(exim.path(part)).unwrap();
            chown(exim.path(part), Some(OWN_ID), Some(OWN_ID)).unwrap();
        }
        let tls = sending.site.folder().join("tls");
        for file in ["server.pem", "server.key"] {
            fs::copy(tls.join(file), exim.path(file)).unwrap();
            chown(exim.path(file), Some(OWN_ID), Some(OWN_ID)).unwrap();
        }
        let binary = unpacked("exim", &["exim4-daemon-heavy"]).join("usr/sbin/exim4");
        // It becomes root again to deliver as the owner of the mail.
        succeed(program("install").args(["-o", "root", "-m", "4755"]).arg(binary).arg(exim.path("exim")), "");
        fs::write(exim.path("conf"), exim.configuration(sending)).unwrap();
        script(exim.path("own-etc").as_ref(), OWN_ETC);
        let mut command = program("unshare");
        command.args(["--mount", &exim.path("own-etc"), &exim.path("etc"), &exim.path("conf")]);
        command.args([&exim.path("exim"), "-bdf", "-q1s"]);
        exim.daemon.start(&mut command, &[exim.port.address()]);
        exim
    }

    /// Its port, for mail from people and from elsewhere.
    pub fn smtp(&self) -> SocketAddr {
        self.port.address()
    }

    /// What it logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.path("log/mainlog")).unwrap_or_default()
    }

    /// Waits until its log holds something; no mail may have failed.
    pub fn wait_for(&self, words: &str) {
        wait_until(&format!("Exim logs {words:?}"), || {
            let log = self.log();
            assert!(!log.contains(" ** "), "{log}");
            log.contains(words)
        });
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn configuration(&self, sending: &Sending) -> String {
        let folder = self.folder.path().display();
        let [main, acl, routers, transports, authenticators] =
            ["main", "acl", "routers", "transports", "authenticators"]
                .map(|part| sending.piece(&format!("exim-{part}")));
        format!(
            "exim_path = {folder}/exim
spool_directory = {folder}/spool
log_file_path = {folder}/log/%slog
pid_file_path = {folder}/pid
primary_hostname = mx.renovations.example
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port}
keep_environment =
host_lookup =
rfc1413_hosts =
tls_advertise_hosts = *
tls_certificate = {folder}/server.pem
tls_privatekey = {folder}/server.key
acl_smtp_rcpt = check_recipient
{main}
begin acl
check_recipient:
  accept authenticated = *
  require domains = +restante_domains
  require verify = recipient
  accept
{acl}
begin routers
{routers}
begin transports
{transports}
begin authenticators
{authenticators}
begin retry
* * F,1h,1s
",
            port = self.port.number()
        )
    }
}

impl Drop for SubmissionExim {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- log of Exim\n{}\n---", self.log());
        }
        let pid = fs::read_to_string(self.path("pid")).ok().and_then(|pid| Pid::from_raw(pid.trim().parse().ok()?));
        let _ended_before = pid.map(|pid| kill_process(pid, Signal::TERM));
        self.daemon.end(Signal::TERM);
    }
}

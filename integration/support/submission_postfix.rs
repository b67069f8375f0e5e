//! Debian's Postfix with the configuration of the guide: a port for submission, one for mail from elsewhere.

use std::fs::{self, Permissions};
use std::net::SocketAddr;
use std::os::unix::fs::{PermissionsExt as _, chown};

use rustix::process::Signal;
use tempfile::TempDir;

use super::ports::Port;
use super::postfix::own_user;
use super::process::{Daemon, output, program, script, succeed};
use super::submission::Sending;
use super::wait_until;

/// What mail needs on its way from smtpd to the delivery agent, besides the guide's services.
const SERVICES: &str = "
pickup    unix        n - n - 1 pickup
cleanup   unix        n - n - 0 cleanup
qmgr      unix        n - n - 1 qmgr
tlsmgr    unix        - - n - 1 tlsmgr
anvil     unix        - - n - 1 anvil
rewrite   unix        - - n - - trivial-rewrite
bounce    unix        - - n - 0 bounce
defer     unix        - - n - 0 bounce
trace     unix        - - n - 0 bounce
error     unix        - - n - - error
retry     unix        - - n - - error
proxymap  unix        - - n - - proxymap
postlog   unix-dgram  n - n - 1 postlogd
";

/// A Postfix that runs. It ends when dropped, and its processes with it.
pub struct SubmissionPostfix {
    daemon: Daemon,
    folder: TempDir,
    submission: Port,
    smtp: Port,
}

/// The group of Postfix's own processes, whom the package makes.
pub fn own_group() -> u32 {
    let groups = fs::read_to_string("/etc/group").unwrap();
    let own =
        groups.lines().find_map(|line| line.strip_prefix("postfix:x:")).expect("the package postfix is installed");
    own.split(':').next().unwrap().parse().unwrap()
}

impl SubmissionPostfix {
    /// Runs beside a Restante, with further lines of `main.cf`, which replace earlier ones.
    pub fn serve(sending: &Sending, further: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let daemon = Daemon::new("master", folder.path().join("output"));
        let mut postfix = Self { daemon, folder, submission: Port::take(), smtp: Port::take() };
        fs::set_permissions(postfix.folder.path(), Permissions::from_mode(0o755)).unwrap();
        for part in ["etc", "queue", "data"] {
            fs::create_dir(postfix.folder.path().join(part)).unwrap();
        }
        script(postfix.path("deliver").as_ref(), &sending.piece("sh"));
        fs::write(postfix.path("etc/main.cf"), postfix.main(sending, further)).unwrap();
        fs::write(postfix.path("etc/master.cf"), postfix.master(sending)).unwrap();
        chown(postfix.path("data"), Some(own_user()), None).unwrap();
        succeed(program("postfix").args(["-c", &postfix.path("etc"), "check"]), "");
        let mut master = program("/usr/lib/postfix/sbin/master");
        let addresses = [postfix.submission.address(), postfix.smtp.address()];
        postfix.daemon.start(master.args(["-c", &postfix.path("etc"), "-d"]), &addresses);
        postfix
    }

    /// The port for people who send mail.
    pub fn submission(&self) -> SocketAddr {
        self.submission.address()
    }

    /// The port for mail from elsewhere.
    pub fn smtp(&self) -> SocketAddr {
        self.smtp.address()
    }

    /// What it logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// Waits until its log holds something so many times; nothing may have bounced.
    pub fn wait_for(&self, words: &str, times: usize) {
        wait_until(&format!("Postfix logs {words:?} {times} times"), || {
            let log = self.log();
            assert!(!log.contains("status=bounced"), "{log}");
            log.matches(words).count() >= times
        });
    }

    /// Tries again at once to deliver what waits.
    pub fn flush(&self) {
        let done = output(program("postqueue").args(["-c", &self.path("etc"), "-f"]), "");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn main(&self, sending: &Sending, further: &str) -> String {
        let (folder, tls, of_guide) =
            (self.folder.path().display(), sending.site.folder().join("tls"), sending.piece("postfix"));
        let (tls, further) = (tls.display(), sending.adapted(further));
        format!(
            "compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
myhostname = mx.renovations.example
mydestination =
mynetworks =
inet_interfaces = loopback-only
inet_protocols = ipv4
alias_maps =
default_transport = error:nothing leaves this machine
minimal_backoff_time = 1s
smtpd_tls_cert_file = {tls}/server.pem
smtpd_tls_key_file = {tls}/server.key
smtpd_tls_security_level = may
smtpd_peername_lookup = no
{of_guide}
{further}
"
        )
    }

    fn master(&self, sending: &Sending) -> String {
        let of_guide = sending.piece("postfix-master");
        let of_guide = of_guide
            .replace("submission inet", &format!("{} inet", self.submission.address()))
            .replace("/usr/local/lib/restante-deliver", &self.path("deliver"));
        format!("{SERVICES}{} inet n - n - - smtpd\n{of_guide}", self.smtp.address())
    }
}

impl Drop for SubmissionPostfix {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- log of Postfix\n{}\n---", self.log());
        }
        self.daemon.end(Signal::TERM);
    }
}

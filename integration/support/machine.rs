//! A Debian booted by systemd in a container, with a network of its own. Its changes are in memory, and end with it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::TempDir;

use super::process::{output, program, succeed};
use super::wait_until;

/// Of the Debian that a package is tried on.
const INCLUDED: &str = "--include=systemd,systemd-sysv,dbus,iproute2,procps";

/// Landlock's calls, which systemd-nspawn 252 refuses by default.
const FILTER: &str = "--system-call-filter=landlock_create_ruleset landlock_add_rule landlock_restrict_self";

/// The container. It is switched off when dropped.
pub struct DebianMachine {
    nspawn: Child,
    /// The process id of its systemd, seen from here.
    leader: String,
    /// Where this machine's own file system is mounted for it.
    _root: TempDir,
}

impl DebianMachine {
    /// Boots a minimal one, with a folder of this machine as `/shelf`.
    pub fn minimal(shelf: &Path) -> Self {
        Self::boot(&laid_out(), shelf, "default.target")
    }

    /// Boots one with the files of this machine, and so with all packages that are installed here. None of their services
    /// is started.
    pub fn like_this(shelf: &Path) -> Self {
        Self::boot(Path::new("/"), shelf, "basic.target")
    }

    /// In a mount namespace of its own, a bind mount makes any directory, `/` too, a root that systemd-nspawn takes.
    fn boot(directory: &Path, shelf: &Path, target: &str) -> Self {
        static BOOTED: AtomicUsize = AtomicUsize::new(0);
        let (root, number) = (tempfile::tempdir().unwrap(), BOOTED.fetch_add(1, Ordering::Relaxed));
        let mut command = program("unshare");
        command.args(["--mount", "--propagation=private", "sh", "-c"]);
        command.arg("mount --bind \"$0\" \"$1\" && shift && exec systemd-nspawn \"$@\"").arg(directory);
        command.arg(root.path()).arg("-D").arg(root.path());
        command.arg(format!("--machine=restante-{}-{number}", std::process::id()));
        command.arg(format!("--bind-ro={}:/shelf", shelf.display()));
        command.args(["--volatile=overlay", "--boot", "--private-network", "--register=no", "--keep-unit"]);
        command.args(["--console=read-only", FILTER, &format!("systemd.unit={target}")]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut machine = Self { nspawn: command.spawn().unwrap(), leader: String::new(), _root: root };
        wait_until("systemd runs in the container", || {
            let ended = machine.nspawn.try_wait().unwrap();
            assert!(ended.is_none(), "systemd-nspawn of the package systemd-container ended: {ended:?}");
            let id = machine.nspawn.id().to_string();
            let found = output(program("pgrep").args(["-x", "-P", &id, "systemd"]), "");
            String::from_utf8(found.stdout).unwrap().trim().clone_into(&mut machine.leader);
            !machine.leader.is_empty()
        });
        // `degraded`: a service of the packages that no test is about did not start.
        machine.waits_for("[[ $(systemctl is-system-running --wait) =~ running|degraded ]]");
        machine
    }

    fn command(&self, script: &str) -> Command {
        // Without a terminal: what asks for a password reads standard input.
        let mut command = program("setsid");
        command.args([
            "--wait",
            "nsenter",
            "-t",
            &self.leader,
            "-m",
            "-u",
            "-i",
            "-n",
            "-p",
            "-C",
            "--",
            "/bin/bash",
            "-c",
            script,
        ]);
        command.env_clear().env("PATH", "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin").env("LC_ALL", "C.UTF-8");
        command.env("DEBIAN_FRONTEND", "noninteractive").env("HOME", "/root");
        command
    }

    /// What becomes of a script of bash that is run inside, with this on its standard input.
    pub fn runs(&self, script: &str, input: &str) -> Output {
        output(&mut self.command(script), input)
    }

    /// The status with which a script of bash ends inside.
    pub fn status(&self, script: &str) -> i32 {
        self.runs(script, "").status.code().unwrap()
    }

    /// The output of a script that must succeed.
    pub fn succeeds(&self, script: &str) -> String {
        let output = self.runs(script, "");
        let [told, complained] = [output.stdout, output.stderr].map(|octets| String::from_utf8(octets).unwrap());
        assert!(output.status.success(), "{script}: {}\n{told}{complained}\n{}", output.status, self.journal());
        told
    }

    /// Waits until a script succeeds.
    pub fn waits_for(&self, script: &str) {
        wait_until(script, || self.status(script) == 0);
    }

    fn journal(&self) -> String {
        let journal = self.runs("journalctl --no-pager -n 50", "");
        String::from_utf8_lossy(&journal.stdout).into_owned()
    }
}

impl Drop for DebianMachine {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.journal());
        }
        let _switched_off = self.command("systemctl poweroff").status();
        let _ = self.nspawn.wait();
    }
}

/// A minimal Debian 12, laid out once.
fn laid_out() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/debian-root");
    if !root.exists() {
        let begun = root.with_extension("begun");
        if begun.exists() {
            fs::remove_dir_all(&begun).unwrap();
        }
        succeed(program("debootstrap").args(["--variant=minbase", INCLUDED, "bookworm"]).arg(&begun), "");
        fs::rename(&begun, &root).unwrap();
    }
    root
}

//! A Debian booted by systemd in a container. Its changes are in memory, and end with it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::support::process::{output, program, succeed};
use crate::support::wait_until;

/// Of the Debian that a package is tried on.
const INCLUDED: &str = "--include=systemd,systemd-sysv,dbus,iproute2,procps";

/// Landlock's calls, which systemd-nspawn 252 refuses by default.
const FILTER: &str = "--system-call-filter=landlock_create_ruleset landlock_add_rule landlock_restrict_self";

/// The container. It is switched off when dropped.
pub(super) struct DebianMachine {
    nspawn: Child,
    /// The process id of its systemd, seen from here.
    leader: String,
}

impl DebianMachine {
    /// Boots it, with a folder of this machine as `/shelf`.
    pub(super) fn boot(shelf: &Path) -> Self {
        let root = laid_out();
        let mut command = program("systemd-nspawn");
        command.arg("-D").arg(&root).arg(format!("--machine=restante-{}", std::process::id()));
        command.arg(format!("--bind-ro={}:/shelf", shelf.display()));
        command.args(["--volatile=overlay", "--boot", "--private-network", "--register=no", "--keep-unit"]);
        command.args(["--console=read-only", FILTER]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let nspawn = command.spawn().unwrap_or_else(|fault| {
            panic!("systemd-nspawn cannot be started ({fault}). It is in the Debian package systemd-container")
        });
        let mut machine = Self { nspawn, leader: String::new() };
        wait_until("systemd runs in the container", || {
            let id = machine.nspawn.id().to_string();
            let found = output(program("pgrep").args(["-x", "-P", &id, "systemd"]), "");
            String::from_utf8(found.stdout).unwrap().trim().clone_into(&mut machine.leader);
            !machine.leader.is_empty()
        });
        machine.waits_for("systemctl is-system-running --quiet --wait");
        machine
    }

    fn command(&self, script: &str) -> Command {
        let mut command = program("nsenter");
        command.args(["-t", &self.leader, "-m", "-u", "-i", "-n", "-p", "-C", "--", "/bin/bash", "-c", script]);
        command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("LC_ALL", "C.UTF-8");
        command.env("DEBIAN_FRONTEND", "noninteractive");
        command
    }

    /// The status with which a script of bash ends inside.
    pub(super) fn status(&self, script: &str) -> i32 {
        output(&mut self.command(script), "").status.code().unwrap()
    }

    /// The output of a script that must succeed.
    pub(super) fn succeeds(&self, script: &str) -> String {
        let output = output(&mut self.command(script), "");
        let [told, complained] = [output.stdout, output.stderr].map(|octets| String::from_utf8(octets).unwrap());
        assert!(output.status.success(), "{script}: {}\n{told}{complained}\n{}", output.status, self.journal());
        told
    }

    /// Waits until a script succeeds.
    pub(super) fn waits_for(&self, script: &str) {
        wait_until(script, || self.status(script) == 0);
    }

    fn journal(&self) -> String {
        let output = output(&mut self.command("journalctl --no-pager -n 50"), "");
        String::from_utf8_lossy(&output.stdout).into_owned()
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

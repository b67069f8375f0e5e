//! The running service reaches the files that its configuration names, and no others (Landlock).
//!
//! All other tests of this program run with it as well, since it is on by default: mail, renewal, tokens, the admin socket,
//! directories behind Unix sockets.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::process::{output, succeed};
use crate::support::stage::{PASSWORD, Stage};
use crate::support::{maildir, wait_until};

const SOCKET: &str = "admin: { socket: admin.sock }\n";

fn status(stage: &Stage) -> Value {
    let output = output(&mut stage.site.command(&["status", "--json"]), "");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The configuration file, read again for `restante status`, becomes a link to `file`; what the service says of it.
fn read_again_from(stage: &Stage, file: &Path) -> Value {
    let own = stage.site.folder().join("restante.yaml");
    fs::copy(&own, file).unwrap();
    fs::remove_file(&own).unwrap();
    symlink(file, &own).unwrap();
    status(stage)["configuration"].clone()
}

#[test]
fn a_file_outside_the_configured_folders_cannot_be_read() {
    let elsewhere = tempfile::tempdir().unwrap();
    let stage = Stage::set(SOCKET, &[]);
    stage.service.wait_for_log(&["INFO", "confined by Landlock to the files", "enforced=\"full\""]);
    assert_eq!(status(&stage)["landlock"], serde_json::json!({ "enforced": "full", "reason": null }));
    let within = read_again_from(&stage, &stage.site.folder().join("tls/moved.yaml"));
    assert_eq!(within["reason"], Value::Null, "{within}");
    let outside = read_again_from(&stage, &elsewhere.path().join("restante.yaml"));
    assert!(outside["reason"].as_str().unwrap().contains("Permission denied"), "{outside}");

    let stage = Stage::set(&format!("{SOCKET}landlock: off\n"), &[]);
    let line = stage.service.wait_for_log(&["WARN", "not confined by Landlock"]);
    assert!(line.contains("reason=\"switched off by `landlock: off`\""), "{line}");
    let outside = read_again_from(&stage, &elsewhere.path().join("again.yaml"));
    assert_eq!(outside["reason"], Value::Null, "{outside}");
}

/// The rules and "no new privileges" are set by one thread, one right after the other, and inherited by those that it
/// starts. Those that it had started before would have neither.
#[test]
fn every_thread_is_confined() {
    let stage = Stage::set(SOCKET, &[("new/1.a", b"Subject: a\n\nb\n")]);
    let mut session = stage.session();
    session.ask("RETR 1", "+OK");
    let tasks = format!("/proc/{}/task", stage.service.pid());
    let threads: Vec<String> = fs::read_dir(tasks)
        .unwrap()
        .map(|thread| fs::read_to_string(thread.unwrap().path().join("status")).unwrap())
        .collect();
    assert!(threads.len() > 3, "the log, the runtime, file calls: {}", threads.len());
    assert!(threads.iter().all(|thread| thread.contains("NoNewPrivs:\t1")), "{threads:#?}");
}

/// Answers the system calls of Landlock as a kernel without it does, then runs a program.
const WITHOUT_LANDLOCK: &str = r"
import ctypes, os, struct, sys
steps = [(0x20, 0, 0, 0), (0x35, 0, 2, 444), (0x25, 1, 0, 446), (0x06, 0, 0, 0x00050000 | 38), (0x06, 0, 0, 0x7fff0000)]
code = ctypes.create_string_buffer(b''.join(struct.pack('HBBI', *step) for step in steps))
program = struct.pack('HxxxxxxP', len(steps), ctypes.addressof(code))
call = ctypes.CDLL(None, use_errno=True).prctl
assert call(38, 1, 0, 0, 0) == 0 and call(22, 2, ctypes.c_char_p(program), 0, 0) == 0, ctypes.get_errno()
os.execv(sys.argv[1], sys.argv[1:])
";

#[test]
fn a_kernel_without_landlock_is_reported_and_the_service_serves() {
    let stage = Stage::set("", &[("new/1.a", b"Subject: a\n\nb\n")]);
    let service = stage.site.serve_by(&stage.plan, |command| {
        let mut python = Command::new("/usr/bin/python3");
        python.args(["-c", WITHOUT_LANDLOCK]).arg(command.get_program()).args(command.get_args());
        *command = python;
    });
    let line = service.wait_for_log(&["WARN", "not confined by Landlock: every file that the user may read"]);
    assert!(line.contains("this kernel has no Landlock"), "{line}");
    service.session("ajones", PASSWORD).ask("STAT", "+OK 1 ");
}

/// A disk with a file system on it.
struct Disk(String);

impl Disk {
    fn new(folder: &Path) -> Self {
        let file = folder.join("disk");
        fs::File::create(&file).unwrap().set_len(64 << 20).unwrap();
        succeed(Command::new("mkfs.ext4").arg("-q").arg(&file), "");
        let device = output(Command::new("losetup").args(["--find", "--show"]).arg(&file), "");
        Self(String::from_utf8(device.stdout).unwrap().trim().to_owned())
    }

    fn mount(&self, at: &Path) {
        succeed(Command::new("mount").arg(&self.0).arg(at), "");
    }

    /// Once nothing on it is open any more.
    fn unmount(&self) {
        wait_until("the disk is unmounted", || Command::new("umount").arg(&self.0).status().unwrap().success());
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
        let _ = Command::new("losetup").arg("--detach").arg(&self.0).status();
    }
}

#[test]
fn a_mail_disk_that_was_unmounted_is_used_again_once_it_is_mounted() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::new(folder.path());
    let stage = Stage::set_by(&[], |plan, site| {
        disk.mount(&site.root());
        fs::write(site.root().join(".mounted"), "").unwrap();
        plan.mailboxes.push_str("  marker: .mounted\n");
        maildir::make(&site.maildir("ajones"), &[("new/1.a", b"Subject: a\n\nb\n")]);
    });
    let login = |reply: &str| {
        let mut client = stage.client();
        client.ask("USER ajones", "+OK");
        client.ask(&format!("PASS {PASSWORD}"), reply);
        client.ask("QUIT", "+OK");
    };
    login("+OK");
    disk.unmount();
    login("-ERR [SYS/TEMP]");
    disk.mount(&stage.site.root());
    login("+OK");
}

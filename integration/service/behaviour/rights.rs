//! What the process may: it gives up root, and takes all descriptors it can have.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::process::Command;

use rustix::process::geteuid;

use crate::support::maildir;
use crate::support::service::{Plan, Site, restante};
use crate::support::stage::{PASSWORD, Stage, directory};

/// A user with further groups would be better, but nobody is the one user that every Debian has.
const NOBODY: u32 = 65_534;

/// Serves as nobody, who may read and write the mail; the keys are root's.
fn as_nobody() -> Stage {
    Stage::set_by(&[("cur/1.a", b"a\n")], |plan, site| {
        plan.further.push_str("user: nobody\n");
        fs::set_permissions(site.folder(), fs::Permissions::from_mode(0o755)).unwrap();
        for part in ["new", "cur", "tmp"] {
            chown(site.maildir("ajones").join(part), Some(NOBODY), Some(NOBODY)).unwrap();
        }
        for secret in ["tls/server.key", "ldap.password"] {
            fs::set_permissions(site.folder().join(secret), fs::Permissions::from_mode(0o600)).unwrap();
        }
    })
}

/// A line of `/proc/PID/status` or that of a thread, without its name.
fn field(status: &str, name: &str) -> String {
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim_start_matches(':').split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn every_thread_gives_up_root_for_good() {
    if !geteuid().is_root() {
        // Who is not root has nothing to give up; `user:` is answered with a warning.
        let stage = Stage::set("user: nobody\n", &[]);
        stage.service.wait_for_log(&["WARN", "not started as root"]);
        return;
    }
    let stage = as_nobody();
    let mut client = stage.session();
    let threads = fs::read_dir(format!("/proc/{}/task", stage.service.pid())).unwrap();
    let statuses: Vec<String> =
        threads.map(|thread| fs::read_to_string(thread.unwrap().path().join("status")).unwrap()).collect();
    assert!(statuses.len() > 1);
    for status in &statuses {
        // Real, effective, saved, and that of the file system.
        let all = [NOBODY.to_string().as_str(); 4].join(" ");
        assert_eq!((field(status, "Uid"), field(status, "Gid")), (all.clone(), all), "{status}");
        assert_eq!(field(status, "Groups"), NOBODY.to_string(), "{status}");
        for capabilities in ["CapPrm", "CapEff", "CapAmb"] {
            assert_eq!(field(status, capabilities), "0000000000000000", "{status}");
        }
        assert_eq!(field(status, "NoNewPrivs"), "1");
    }
    client.ask("DELE 1", "+OK");
    client.ask("QUIT", "+OK bye");
    client.ended();
    assert_eq!(maildir::names(&stage.maildir()), [] as [&str; 0]);
    stage.tls_client().login("ajones", PASSWORD);
}

#[test]
fn with_a_user_that_does_not_exist_the_service_does_not_stay_root() {
    if !geteuid().is_root() {
        return;
    }
    let stage = Stage::set("", &[]);
    let file = stage.site.folder().join("restante.yaml");
    let yaml = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("user: nobody-of-that-name\n{yaml}")).unwrap();
    let ended = restante().args(["serve", "--config"]).arg(&file).output().unwrap();
    assert_eq!(ended.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&ended.stderr).contains("nobody-of-that-name"), "{ended:?}");
}

#[test]
fn the_soft_limit_of_descriptors_becomes_the_hard_one() {
    let (directory, site) = (directory(), Site::new());
    let service = site.serve_by(&Plan::at(&directory.url()), |command| {
        let mut shell = Command::new("sh");
        shell.args(["-c", "ulimit -Sn 70; ulimit -Hn 700; exec \"$@\"", "sh"]).arg(command.get_program());
        shell.args(command.get_args());
        *command = shell;
    });
    let limits = fs::read_to_string(format!("/proc/{}/limits", service.pid())).unwrap();
    let files = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    assert_eq!(files.split_whitespace().collect::<Vec<_>>(), ["Max", "open", "files", "700", "700", "files"]);
    service.wait_for_log(&["starting", "descriptors=700"]);
}

//! `restante index`: what a first login would have to find out, found out before.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::geteuid;

use super::{command, configured};
use crate::support::process::{output, program};
use crate::support::service::{Plan, Site, restante};
use crate::support::{maildir, stage, wait_until};

const MESSAGES: usize = 500;

/// The uid and gid of `nobody`.
const NOBODY: u32 = 65_534;

/// The sample people, one of them with many messages that tell no octets in their names.
fn site() -> (restante::demo::directory::EmbeddedDirectory, Site) {
    let directory = stage::directory();
    let site = configured(&Plan::at(&directory.url()));
    maildir::make(&site.maildir("ajones"), &[]);
    for number in 0..MESSAGES {
        fs::write(site.maildir("ajones").join(format!("cur/{}.a:2,S", 1000 + number)), "Subject: x\n\nx\n").unwrap();
    }
    (directory, site)
}

fn index(maildir: &Path) -> std::path::PathBuf {
    maildir.join("restante-index")
}

#[test]
fn a_maildrop_is_indexed_once() {
    let (_directory, site) = site();
    let before = maildir::names(&site.maildir("ajones"));
    let first = command(&site, &["index", "ajones"], "");
    assert_eq!(
        (first.status, &*first.told, &*first.complained),
        (0, "maildrops: 1, messages: 500, read: 500, failed: 0\n", "")
    );
    assert!(index(&site.maildir("ajones")).is_file());
    assert_eq!(maildir::names(&site.maildir("ajones")), before);
    maildir::deliver(&site.maildir("ajones"), "new/9999.b", b"Subject: y\n\ny\n");
    let again = command(&site, &["index", "ajones"], "");
    assert_eq!(again.told, "maildrops: 1, messages: 501, read: 1, failed: 0\n");
}

#[test]
fn everybody_is_indexed() {
    let (_directory, site) = site();
    maildir::make(&site.maildir("alamb"), &[("new/1.a", b"Subject: a\n\na\n"), ("new/2.b,W=17", b"Subject: b\n\nb\n")]);
    let all = command(&site, &["index", "--all"], "");
    assert!(all.told.ends_with(", messages: 502, read: 501, failed: 0\n"), "{}", all.told);
    assert_eq!(all.status, 0, "{}", all.complained);
    assert!(index(&site.maildir("alamb")).is_file());
    let json = command(&site, &["index", "--json", "ajones", "nobody-at-all"], "");
    let told: serde_json::Value = serde_json::from_str(&json.told).unwrap();
    assert_eq!((json.status, &told["messages"], &told["clean"]), (1, &500.into(), &false.into()));
    assert_eq!(told["faults"][0], "nobody-at-all: no such login name");
}

#[test]
fn what_cannot_be_indexed_is_reported() {
    let (_directory, site) = site();
    fs::remove_dir(site.maildir("ajones").join("tmp")).unwrap();
    let ended = command(&site, &["index", "ajones", "nobody-at-all"], "");
    assert_eq!(ended.status, 1);
    assert!(ended.complained.contains("nobody-at-all: no such login name"), "{}", ended.complained);
    assert!(ended.complained.contains("its index cannot be written"), "{}", ended.complained);
    assert_eq!(command(&site, &["index"], "").status, 2);
    assert_eq!(command(&site, &["index", "--all", "ajones"], "").status, 2);
    fs::write(site.folder().join("restante.yaml"), "nonsense: 1\n").unwrap();
    assert_eq!(command(&site, &["index", "--all"], "").status, 78);
}

/// Killed at any moment, it leaves an index that is right or none, and every message where it was.
#[test]
fn killed_at_any_moment_it_leaves_no_damage() {
    let (_directory, site) = site();
    let before = maildir::names(&site.maildir("ajones"));
    for round in 0..30 {
        let mut command = restante();
        command.args(["index", "ajones", "--config"]).arg(site.folder().join("restante.yaml"));
        let mut child = command.stdout(Stdio::null()).spawn().unwrap();
        // Not waiting for anything: the moment is the point.
        std::thread::sleep(Duration::from_millis(3 * round));
        child.kill().unwrap();
        child.wait().unwrap();
        if round % 3 == 0 {
            let _ = fs::remove_file(index(&site.maildir("ajones")));
        }
    }
    let ended = command(&site, &["index", "ajones"], "");
    assert_eq!((ended.status, &*ended.complained), (0, ""));
    assert!(!site.maildir("ajones").join("restante-index.damaged").exists());
    assert_eq!(maildir::names(&site.maildir("ajones")), before);
}

/// Broken off and begun again, it goes on where it was; and everybody else goes before it.
#[test]
fn broken_off_it_goes_on_where_it_was() {
    // After 20,000 of them what was found out is written.
    const MANY: usize = 60_000;
    let (_directory, site) = site();
    let maildir = site.maildir("mbrown");
    maildir::make(&maildir, &[("cur/0.a:2,S", b"Subject: x\n\nx\n")]);
    for number in 1..MANY {
        fs::hard_link(maildir.join("cur/0.a:2,S"), maildir.join(format!("cur/{number}.a:2,S"))).unwrap();
    }
    let mut begun = restante();
    begun.args(["index", "mbrown", "--config"]).arg(site.folder().join("restante.yaml"));
    let mut child = begun.stdout(Stdio::null()).spawn().unwrap();
    wait_until("a part of the index is written", || index(&maildir).exists());
    let nice = nice_value(child.id());
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(nice, 19);
    let again = command(&site, &["index", "mbrown"], "");
    let read = again.told.split("read: ").nth(1).and_then(|rest| rest.split(',').next()).unwrap();
    let read: usize = read.parse().unwrap();
    assert!(0 < read && read <= MANY - 20_000, "{}", again.told);
    assert_eq!(command(&site, &["index", "mbrown"], "").told, "maildrops: 1, messages: 60000, read: 0, failed: 0\n");
}

/// How nice a running process is (`proc_pid_stat(5)`, field 19).
fn nice_value(process: u32) -> i32 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let behind_name = stat.rsplit_once(')').unwrap().1;
    behind_name.split_whitespace().nth(16).unwrap().parse().unwrap()
}

#[test]
fn a_terminal_is_shown_how_far_it_is() {
    let (_directory, site) = site();
    let file = site.folder().join("restante.yaml");
    let line = format!("'{}' index --all --config '{}'", restante().get_program().display(), file.display());
    let mut script = program("timeout");
    let ended = output(script.args(["60", "script", "-qec", &line, "/dev/null"]).env("TERM", "xterm"), "");
    let shown = String::from_utf8(ended.stdout).unwrap();
    assert!(shown.contains("maildrops 0 of ") && shown.contains("MiB read"), "{shown:?}");
    assert!(shown.contains(", messages: 500, read: 500, failed: 0"), "{shown:?}");
}

/// Two at once lose nothing but work.
#[test]
fn two_at_once_leave_an_index_that_is_right() {
    let (_directory, site) = site();
    for _ in 0..10 {
        let _ = fs::remove_file(index(&site.maildir("ajones")));
        std::thread::scope(|scope| {
            let both = [(); 2].map(|()| scope.spawn(|| command(&site, &["index", "ajones"], "")));
            for ended in both.map(|one| one.join().unwrap()) {
                assert_eq!((ended.status, &*ended.complained), (0, ""), "{}", ended.told);
            }
        });
        let after = command(&site, &["index", "ajones"], "");
        assert_eq!(after.told, "maildrops: 1, messages: 500, read: 0, failed: 0\n");
    }
    let maildir = site.maildir("ajones");
    assert!(!maildir.join("restante-index.damaged").exists());
    assert_eq!(fs::read_dir(maildir.join("tmp")).unwrap().count(), 0, "nothing is left behind");
}

/// Whatever writes beside mail runs as one user: a file of root's in a Maildir would lock the service out.
#[test]
fn what_commands_write_belongs_to_the_user_of_the_service() {
    if !geteuid().is_root() {
        return eprintln!("left out: only root becomes somebody else");
    }
    let directory = stage::directory();
    let mut plan = Plan::at(&directory.url()).and("refusal_step: 0s").and("user: nobody");
    plan.mailboxes.push_str("  deletion: { keep_for: 14d }\n");
    let site = configured(&plan);
    let maildir = site.maildir("ajones");
    maildir::make(&maildir, &[]);
    for number in 0..MESSAGES {
        fs::write(maildir.join(format!("cur/{number}.a:2,S")), "Subject: x\n\nx\n").unwrap();
    }
    fs::set_permissions(site.folder(), Permissions::from_mode(0o755)).unwrap();
    for place in ["", "new", "cur", "tmp"] {
        chown(maildir.join(place), Some(NOBODY), Some(NOBODY)).unwrap();
    }
    assert_eq!(command(&site, &["index", "ajones"], "").complained, "");
    assert_eq!(fs::metadata(index(&maildir)).unwrap().uid(), NOBODY);
    let service = site.serve(&plan);
    let mut client = crate::support::conversation::Conversation::plain(service.pop3());
    client.expect("+OK");
    client.login("ajones", stage::PASSWORD);
    client.ask("DELE 1", "+OK");
    client.ask("QUIT", "+OK bye");
    let back = command(&site, &["undelete", "ajones"], "");
    assert_eq!(back.told.trim(), "restored 1 of 1 messages of ajones", "{}", back.complained);
    for entry in fs::read_dir(&maildir).unwrap().map(Result::unwrap) {
        assert_eq!(entry.metadata().unwrap().uid(), NOBODY, "{entry:?}");
    }
    // What may not be read by that user is told, and not read by root in its place.
    fs::set_permissions(maildir.join("cur"), Permissions::from_mode(0o000)).unwrap();
    chown(maildir.join("cur"), Some(0), Some(0)).unwrap();
    let ended = command(&site, &["index", "ajones"], "");
    assert!(ended.status == 1 && ended.complained.contains("denied"), "{}{}", ended.told, ended.complained);
}

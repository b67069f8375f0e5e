//! `restante index`: what a first login would have to find out, found out before.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use super::support::maildir;
use super::support::service::{Plan, Site, restante};
use super::support::stage;
use super::{command, configured};

const MESSAGES: usize = 500;

/// The sample people, one of them with many messages that tell no octets in their names.
fn site() -> (restante::demo::directory::Directory, Site) {
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
}

#[test]
fn what_cannot_be_indexed_is_told() {
    let (_directory, site) = site();
    fs::remove_dir(site.maildir("ajones").join("tmp")).unwrap();
    let ended = command(&site, &["index", "ajones", "nobody-at-all"], "");
    assert_eq!(ended.status, 1);
    assert!(ended.complained.contains("nobody-at-all: leads to no maildrop"), "{}", ended.complained);
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
